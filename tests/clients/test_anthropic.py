"""Anthropic's own client."""

import anthropic
import pytest

import servers
from test_openai import CANDIDATES

HELLO = {"max_tokens": 100, "messages": [{"role": "user", "content": "hello there"}]}


@pytest.fixture(scope="module")
def client(base):
    return anthropic.Anthropic(base_url=base, api_key=servers.KEY, max_retries=0)


def test_the_router_chooses(client):
    raw = client.messages.with_raw_response.create(model="auto", **HELLO)
    answer = raw.parse()
    assert answer.model in CANDIDATES and raw.headers["x-farthing-model"] == answer.model
    assert "hello there" in answer.content[0].text
    assert answer.usage.output_tokens > 0


def test_a_stream_says_what_the_whole_says(client):
    whole = client.messages.create(model="plain", **HELLO)
    with client.messages.stream(model="plain", **HELLO) as stream:
        said = "".join(stream.text_stream)
        assert stream.get_final_message().usage == whole.usage
    assert said == whole.content[0].text


def test_tools_are_called(client):
    asked = HELLO | {"messages": [{"role": "user", "content": "use a tool, please"}]}
    tool = {"name": "weather", "input_schema": {"type": "object", "properties": {}}}
    answer = client.messages.create(model="auto", tools=[tool], **asked)
    assert answer.stop_reason == "tool_use"
    assert [block.name for block in answer.content if block.type == "tool_use"] == ["weather"]


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("nobody", anthropic.NotFoundError),
        ("broken", anthropic.InternalServerError),
        ("limited", anthropic.RateLimitError),
    ],
)
def test_errors_have_their_types(client, model, kind):
    with pytest.raises(kind) as error:
        client.messages.create(model=model, **HELLO)
    assert error.value.body["type"] == "error"


@pytest.mark.parametrize("model", ["cut", "fails-midway"])
def test_a_stream_that_breaks_is_an_error(client, model):
    with pytest.raises((anthropic.APIError, RuntimeError)):
        with client.messages.stream(model=model, **HELLO) as stream:
            stream.get_final_message()


def test_keys_are_asked_for(base):
    stranger = anthropic.Anthropic(base_url=base, api_key="sk-wrong", max_retries=0)
    with pytest.raises(anthropic.AuthenticationError):
        stranger.messages.create(model="auto", **HELLO)

"""LiteLLM's client, which wants a provider before a name."""

import litellm
import pytest

import servers
from test_openai import CANDIDATES, HELLO, TOOL

litellm.telemetry = False


@pytest.fixture(scope="module")
def ask(base):
    def ask(model, **more):
        more.setdefault("messages", HELLO)
        place = {"api_base": f"{base}/v1", "api_key": servers.KEY, "num_retries": 0}
        return litellm.completion(model=f"openai/{model}", **place, **more)

    return ask


@pytest.mark.parametrize("model", ["auto", "farthing/auto", "auto:cheapest"])
def test_the_router_chooses(ask, model):
    answer = ask(model)
    assert answer.model in CANDIDATES
    assert "hello there" in answer.choices[0].message.content


def test_a_stream_says_what_the_whole_says(ask):
    whole = ask("plain").choices[0].message.content
    chunks = list(ask("plain", stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole


def test_tools_are_called(ask):
    answer = ask("auto", messages=[{"role": "user", "content": "use a tool"}], tools=[TOOL])
    assert answer.choices[0].message.tool_calls[0].function.name == "weather"


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("nobody", litellm.NotFoundError),
        ("too-long", litellm.BadRequestError),
        ("broken", litellm.BadGatewayError),
        ("limited", litellm.RateLimitError),
    ],
)
def test_errors_have_their_types(ask, model, kind):
    with pytest.raises(kind):
        ask(model, max_retries=0)


def test_a_stream_that_breaks_is_an_error(ask):
    with pytest.raises(Exception, match="."):
        list(ask("cut", stream=True, max_retries=0))

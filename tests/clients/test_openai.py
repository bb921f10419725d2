"""OpenAI's own client."""

import openai
import pytest

import servers

CANDIDATES = set(servers.PRICES)
HELLO = [{"role": "user", "content": "hello there"}]
TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}


@pytest.fixture(scope="module")
def client(base):
    return openai.OpenAI(base_url=f"{base}/v1", api_key=servers.KEY, max_retries=0)


def test_the_router_chooses(client):
    raw = client.chat.completions.with_raw_response.create(model="auto", messages=HELLO)
    answer = raw.parse()
    assert answer.model in CANDIDATES
    assert raw.headers["x-farthing-model"] == answer.model
    assert raw.headers["x-farthing-cost-status"] == "known"
    assert float(raw.headers["x-farthing-cost-usd"]) > 0
    assert answer.choices[0].finish_reason == "stop"
    assert "hello there" in answer.choices[0].message.content
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_policies_and_prefixes_are_names(client):
    for model in ("auto:best_quality", "farthing/auto", "farthing/auto:cheapest"):
        assert client.chat.completions.create(model=model, messages=HELLO).model in CANDIDATES
    with pytest.raises(openai.BadRequestError) as error:
        client.chat.completions.create(model="auto:none", messages=HELLO)
    assert error.value.code == "unknown_policy"


def test_options_go_in_an_extra_body(client):
    chosen = {"farthing": {"candidates": ["wren-mini"]}}
    answer = client.chat.completions.create(model="auto", messages=HELLO, extra_body=chosen)
    assert answer.model == "wren-mini"


def test_a_stream_says_what_the_whole_says(client):
    whole = client.chat.completions.create(model="plain", messages=HELLO)
    with client.chat.completions.create(model="plain", messages=HELLO, stream=True) as stream:
        chunks = list(stream)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert said == whole.choices[0].message.content
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert {chunk.model for chunk in chunks} == {"plain"}
    # Nobody asked for usage, so nobody is shown any.
    assert all(chunk.usage is None for chunk in chunks)


def test_a_stream_tells_its_usage(client):
    stream = client.chat.completions.create(
        model="plain", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    *_, last = stream
    assert last.choices == [] and last.usage.completion_tokens > 0


@pytest.mark.parametrize("stream", [False, True])
def test_tools_are_called(client, stream):
    messages = [{"role": "user", "content": "use a tool, please"}]
    create = client.chat.completions.create
    if stream:
        with client.chat.completions.stream(model="auto", messages=messages, tools=[TOOL]) as events:
            answer = events.get_final_completion()
    else:
        answer = create(model="auto", messages=messages, tools=[TOOL])
    [call] = answer.choices[0].message.tool_calls
    assert call.function.name == "weather"
    assert answer.choices[0].finish_reason == "tool_calls"
    result = {"role": "tool", "tool_call_id": call.id, "content": "it rains"}
    again = messages + [answer.choices[0].message.model_dump(exclude_none=True), result]
    answer = create(model="auto", messages=again, tools=[TOOL])
    assert answer.choices[0].finish_reason == "stop"


def test_the_next_model_in_the_list_answers(client):
    answer = client.chat.completions.create(
        model="broken", messages=HELLO, extra_body={"models": ["broken", "plain"]}
    )
    assert answer.model == "plain"


def test_the_same_request_is_answered_once(client):
    create = client.chat.completions.with_raw_response.create
    same = {"model": "plain", "messages": HELLO, "temperature": 0, "seed": 4711}
    assert create(**same).headers["x-farthing-cache"] == "miss"
    assert create(**same).headers["x-farthing-cache"] == "hit"
    with client.chat.completions.create(**same, stream=True) as stream:
        assert [chunk.choices[0].finish_reason for chunk in stream][-1] == "stop"


def test_embeddings(client):
    answer = client.embeddings.create(model="plain", input=["a", "b"])
    assert len(answer.data) == 2 and len(answer.data[0].embedding) > 1


def test_responses(client):
    answer = client.responses.create(model="plain", input="hello there")
    assert "hello there" in answer.output_text
    with client.responses.stream(model="plain", input="hello there") as stream:
        kinds = [event.type for event in stream]
        assert stream.get_final_response().output_text == answer.output_text
    assert kinds[-1] == "response.completed"


def test_models_are_listed(client):
    names = {model.id for model in client.models.list()}
    assert names >= CANDIDATES | {"auto", "auto:cheapest", "plain"}


@pytest.mark.parametrize(
    ("model", "kind", "code"),
    [
        ("nobody", openai.NotFoundError, "model_not_found"),
        ("too-long", openai.BadRequestError, "context_length_exceeded"),
        ("broken", openai.InternalServerError, None),
        ("limited", openai.RateLimitError, None),
        ("stalled", openai.InternalServerError, "upstream_timeout"),
    ],
)
def test_errors_have_their_types(client, model, kind, code):
    with pytest.raises(kind) as error:
        client.chat.completions.create(model=model, messages=HELLO)
    assert code in (None, error.value.code)
    assert error.value.request_id


@pytest.mark.parametrize("model", ["cut", "fails-midway"])
def test_a_stream_that_breaks_is_an_error(client, model):
    with pytest.raises(openai.APIError):
        for _chunk in client.chat.completions.create(model=model, messages=HELLO, stream=True):
            pass


def test_keys_are_asked_for(base):
    stranger = openai.OpenAI(base_url=f"{base}/v1", api_key="sk-wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        stranger.chat.completions.create(model="auto", messages=HELLO)

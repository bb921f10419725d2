"""LangChain's client for whatever speaks OpenAI's protocol."""

import openai
import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

import servers
from test_openai import CANDIDATES


@tool
def weather() -> str:
    """The weather."""
    return "it rains"


@pytest.fixture(scope="module")
def model(base):
    def model(name):
        place = {"base_url": f"{base}/v1", "api_key": servers.KEY, "max_retries": 0}
        return ChatOpenAI(model=name, **place)

    return model


def test_the_router_chooses(model):
    answer = model("auto").invoke("hello there")
    assert answer.response_metadata["model_name"] in CANDIDATES
    assert "hello there" in answer.content
    assert answer.usage_metadata["total_tokens"] > 0


def test_a_stream_says_what_the_whole_says(model):
    chunks = list(model("plain").stream("hello there"))
    assert "".join(chunk.content for chunk in chunks) == model("plain").invoke("hello there").content


def test_tools_are_called(model):
    answer = model("auto").bind_tools([weather]).invoke("use a tool")
    assert [call["name"] for call in answer.tool_calls] == ["weather"]


def test_errors_have_their_types(model):
    with pytest.raises(openai.NotFoundError):
        model("nobody").invoke("hello")
    with pytest.raises(openai.RateLimitError):
        model("limited").invoke("hello")


def test_a_stream_that_breaks_is_an_error(model):
    with pytest.raises(openai.APIError):
        list(model("cut").stream("hello there"))


def test_embeddings(base):
    place = {"base_url": f"{base}/v1", "api_key": servers.KEY}
    plain = OpenAIEmbeddings(model="plain", check_embedding_ctx_length=False, **place)
    assert len(plain.embed_documents(["a", "b"])) == 2

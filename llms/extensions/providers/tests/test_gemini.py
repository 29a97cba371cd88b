"""Gemini at Google AI: who is asked, with which fields and tools, and how often; and all of it through a server."""

import json
import logging
from typing import Any

import pytest

from llms.api import RequestError
from llms.extensions.providers.tests.gemini_samples import (
    LOOK,
    LOOK_SAID,
    NEW,
    OLD,
    connected,
    made,
    sent,
)
from llms.testing import FakeUpstream

# -- the door ----------------------------------------------------------------------------------------------------------


async def test_the_key_stands_in_a_header_and_never_in_the_url() -> None:
    url, headers = await made().destination({"model": OLD, "messages": []}, b"", stream=True)
    root = "https://generativelanguage.googleapis.com/v1beta"
    assert str(url) == f"{root}/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    assert headers == {"Content-Type": "application/json", "x-goog-api-key": "key-0123456789"}


async def test_a_whole_answer_is_asked_for_elsewhere() -> None:
    url, _ = await made(api="https://example.com/v1/").destination({"model": OLD, "messages": []}, b"", stream=False)
    assert str(url) == "https://example.com/v1/models/gemini-2.5-flash:generateContent"


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("models/gemini-pro", "/v1beta/models/gemini-pro:generateContent"),
        ("tunedModels/mine-1", "/v1beta/tunedModels/mine-1:generateContent"),
        ("gemini-x/../../y?key=1#a", "/v1beta/models/gemini-x%2F..%2F..%2Fy%3Fkey%3D1%23a:generateContent"),
    ],
)
async def test_a_model_is_one_step_of_the_path(model: str, path: str) -> None:
    url, _ = await made().destination({"model": model, "messages": []}, b"", stream=False)
    assert getattr(url, "raw_path_qs") == path  # noqa: B009


def test_headers_of_the_entry_and_access_tokens_are_sent_as_they_are() -> None:
    assert made(headers={"X-Goog-Api-Key": "other"}).headers["X-Goog-Api-Key"] == "other"
    assert "x-goog-api-key" not in made(headers={"X-Goog-Api-Key": "other"}).headers
    assert made(api_key="ya29.abc").headers["Authorization"] == "Bearer ya29.abc"


def test_without_a_key_it_says_which_is_missing() -> None:
    assert made(api_key=None, env=["GEMINI_API_KEY"]).validate() == "Provider 'Acme' requires API Key GEMINI_API_KEY"


def test_gemini_models_need_not_be_listed() -> None:
    provider = made(models={"gemini-2.5-pro": {"id": "gemini-2.5-pro", "name": "Pro"}})
    assert provider.provider_model("gemini-9-ultra") == "gemini-9-ultra"
    assert provider.provider_model("google/gemini-9-ultra") == "gemini-9-ultra"
    assert provider.provider_model("pro") == "gemini-2.5-pro"
    assert provider.provider_model("gpt-5") is None
    assert made(exclude_models="ultra").provider_model("gemini-9-ultra") is None
    assert made(map_models={"a": "gemini-2.5-pro"}).provider_model("gemini-9-ultra") is None


def test_the_name_of_a_stranger_tells_what_it_makes() -> None:
    infos = [made().model_info(f"gemini-9-{kind}") for kind in ("ultra", "flash-image", "flash-tts")]
    assert [(info or {}).get("modalities", {}).get("output") for info in infos] == [
        ["text"],
        ["text", "image"],
        ["audio"],
    ]


async def test_without_models_google_tells_which_there_are(fake_upstream: FakeUpstream) -> None:
    listed = [
        {
            "name": "models/gemini-2.5-pro",
            "displayName": "Gemini 2.5 Pro",
            "inputTokenLimit": 1048576,
            "outputTokenLimit": 65536,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
            "thinking": True,
        },
        {"name": "models/gemini-embedding-001", "supportedGenerationMethods": ["embedContent"]},
    ]
    fake_upstream.enqueue(json.dumps({"models": listed}).encode())
    provider = made(api=fake_upstream.url)
    async with connected(provider):
        await provider.load()
    assert list(provider.models) == ["gemini-2.5-pro"]
    assert provider.models["gemini-2.5-pro"]["limit"] == {"context": 1048576, "output": 65536}
    assert fake_upstream.requests[0].headers["x-goog-api-key"] == "key-0123456789"


async def test_no_models_are_listed_where_google_does_not_answer(fake_upstream: FakeUpstream) -> None:
    fake_upstream.enqueue_error(500, "Oh")
    provider = made(api=fake_upstream.url)
    async with connected(provider):
        await provider.load()
    assert provider.models == {}


# -- fields ------------------------------------------------------------------------------------------------------------


def test_nothing_is_said_that_was_not_asked() -> None:
    body = sent(tools=[], temperature=None, store=False, parallel_tool_calls=True, stop=[], metadata={})
    assert body == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


def test_limits_and_sampling_are_the_generation_config() -> None:
    body = sent(
        max_tokens=9,
        temperature=0,
        top_p=0.5,
        top_k=40,
        seed=1,
        n=2,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        logprobs=True,
        top_logprobs=3,
        stop="|",
        generationConfig={"temperature": 0.7},
    )
    assert body["generationConfig"] == {
        "maxOutputTokens": 9,
        "temperature": 0.7,
        "topP": 0.5,
        "topK": 40,
        "seed": 1,
        "candidateCount": 2,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "responseLogprobs": True,
        "logprobs": 3,
        "stopSequences": ["|"],
    }
    assert sent(max_completion_tokens=7, stop=["a", "b"])["generationConfig"] == {
        "maxOutputTokens": 7,
        "stopSequences": ["a", "b"],
    }


def test_structured_answers_have_a_json_schema() -> None:
    schema = {"type": "object", "properties": {"kind": {"const": "a"}, "const": {"const": 3}}}
    asked_for = {"type": "json_schema", "json_schema": {"name": "A", "schema": schema}}
    config = sent(response_format=asked_for)["generationConfig"]
    assert config["responseMimeType"] == "application/json"
    assert config["responseJsonSchema"]["properties"] == {"kind": {"enum": ["a"]}, "const": {"const": 3}}
    assert sent(response_format={"type": "json_object"})["generationConfig"] == {"responseMimeType": "application/json"}
    assert "generationConfig" not in sent(response_format={"type": "text"})


@pytest.mark.parametrize(
    ("model", "effort", "config"),
    [
        (OLD, "none", {"thinkingBudget": 0}),
        (OLD, "low", {"thinkingBudget": 1024, "includeThoughts": True}),
        (OLD, "max", {"thinkingBudget": 24576, "includeThoughts": True}),
        ("gemini-2.5-pro", "max", {"thinkingBudget": 32768, "includeThoughts": True}),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128, "includeThoughts": False}),
        (NEW, "minimal", {"thinkingLevel": "MINIMAL", "includeThoughts": True}),
        (NEW, "xhigh", {"thinkingLevel": "HIGH", "includeThoughts": True}),
        (NEW, "none", {"thinkingLevel": "MINIMAL", "includeThoughts": False}),
        ("gemini-flash-latest", "medium", {"thinkingLevel": "MEDIUM", "includeThoughts": True}),
    ],
)
def test_effort_is_a_budget_or_a_level_by_generation(model: str, effort: str, config: Any) -> None:
    assert sent(model=model, reasoning_effort=effort)["generationConfig"]["thinkingConfig"] == config


def test_the_catalogue_tells_which_levels_and_budgets_there_are() -> None:
    levels = {"reasoning_options": [{"type": "effort", "values": ["low", "high"]}]}
    budget = {"reasoning_options": [{"type": "toggle"}, {"type": "budget_tokens", "min": 2000, "max": 9000}]}
    provider = made(models={NEW: {"id": NEW, **levels}, OLD: {"id": OLD, **budget}})
    config = [
        sent(provider=provider, model=model, reasoning_effort=effort)["generationConfig"]["thinkingConfig"]
        for model, effort in ((NEW, "medium"), (NEW, "minimal"), (OLD, "low"), (OLD, "high"))
    ]
    assert [each.get("thinkingLevel") or each.get("thinkingBudget") for each in config] == ["HIGH", "LOW", 2000, 9000]


def test_a_model_that_cannot_stop_thinking_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        sent(model=NEW, reasoning_effort="none")
    assert "Acme cannot be told reasoning_effort none" in caplog.text


def test_the_chats_own_thinking_config_goes_before_effort_and_entry() -> None:
    provider = made(thinking_config={"include_thoughts": True, "thinking_budget": 99})

    def thinking(**chat: Any) -> Any:
        return sent(provider=provider, model=NEW, **chat).get("generationConfig", {}).get("thinkingConfig")

    assert thinking() == {"includeThoughts": True, "thinkingBudget": 99}
    assert thinking(reasoning_effort="low") == {"includeThoughts": True, "thinkingLevel": "LOW"}
    assert thinking(reasoning_effort="low", thinking_config={"thinkingBudget": 5}) == {
        "includeThoughts": True,
        "thinkingBudget": 5,
    }
    assert thinking(thinking_config={}) is None
    assert sent(enable_thinking=True)["generationConfig"]["thinkingConfig"] == {"includeThoughts": True}
    assert sent(enable_thinking=False)["generationConfig"]["thinkingConfig"] == {"thinkingBudget": 0}


def test_images_and_speech_are_asked_for() -> None:
    config = sent(modalities=["text", "image"], image_config={"aspect_ratio": "16:9", "image_size": "2K"})
    assert config["generationConfig"] == {
        "responseModalities": ["TEXT", "IMAGE"],
        "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"},
    }
    voice = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}}
    said = sent(modalities=["audio"], audio={"voice": "Kore", "format": "wav"})["generationConfig"]
    assert said == {"responseModalities": ["AUDIO"], "speechConfig": voice}
    assert sent(model="gemini-2.5-flash-preview-tts")["generationConfig"] == {"responseModalities": ["AUDIO"]}
    provider = made(speech_config={"multiSpeakerVoiceConfig": {}})
    spoken = sent(provider=provider, modalities=["audio"])["generationConfig"]
    assert spoken["speechConfig"] == {"multiSpeakerVoiceConfig": {}}
    assert "generationConfig" not in sent(provider=provider)


def test_googles_own_fields_pass_in_either_spelling() -> None:
    body = sent(cached_content="cachedContents/a", labels={"team": "b"}, safetySettings=[{"category": "C"}])
    assert body["cachedContent"] == "cachedContents/a"
    assert body["labels"] == {"team": "b"}
    assert body["safetySettings"] == [{"category": "C"}]
    assert sent(service_tier="flex")["serviceTier"] == "flex"
    assert "serviceTier" not in sent(service_tier="auto")


def test_fields_may_come_as_googles_own_compatible_api_takes_them() -> None:
    body = sent(extra_body={"google": {"cached_content": "cachedContents/a", "thinking_config": {"thinkingBudget": 1}}})
    assert body["cachedContent"] == "cachedContents/a"
    assert body["generationConfig"]["thinkingConfig"] == {"thinkingBudget": 1}
    assert sent(google={"safety_settings": [{"category": "C"}]})["safetySettings"] == [{"category": "C"}]


def test_safety_settings_of_the_entry_are_a_default() -> None:
    provider = made(safety_settings={"HARM_CATEGORY_HARASSMENT": "OFF"})
    told = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}]
    assert sent(provider=provider)["safetySettings"] == told
    assert sent(provider=provider, safety_settings=[{"category": "C"}])["safetySettings"] == [{"category": "C"}]


def test_what_gemini_cannot_be_told_is_logged_once_or_refused(caplog: pytest.LogCaptureFixture) -> None:
    provider = made()
    with caplog.at_level(logging.WARNING):
        sent(provider=provider, user="u", parallel_tool_calls=False, audio={"format": "mp3"})
        sent(provider=provider, user="u")
    assert sorted(str(record.args[1]) for record in caplog.records if isinstance(record.args, tuple)) == [
        "audio.format",
        "user, parallel_tool_calls",
    ]
    with pytest.raises(RequestError, match="cannot be told `user`"):
        sent(provider=made(unsupported="error"), user="u")


# -- tools -------------------------------------------------------------------------------------------------------------


def test_functions_stand_in_one_tool() -> None:
    bare = {"type": "function", "function": {"name": "roll"}}
    assert sent(tools=[LOOK, bare])["tools"] == [{"functionDeclarations": [LOOK_SAID, {"name": "roll"}]}]


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        ({"googleSearch": {}}, {"googleSearch": {}}),
        ({"url_context": {}}, {"url_context": {}}),
        ({"type": "google_search"}, {"googleSearch": {}}),
        ({"type": "web_search_preview"}, {"googleSearch": {}}),
        ({"type": "code_interpreter"}, {"codeExecution": {}}),
        ({"type": "file_search", "file_search_store_names": ["a"]}, {"fileSearch": {"fileSearchStoreNames": ["a"]}}),
        (
            {"type": "file_search", "file_search": {"fileSearchStoreNames": ["a"], "top_k": 2}},
            {"fileSearch": {"fileSearchStoreNames": ["a"], "topK": 2}},
        ),
        ({"type": "computer_use", "environment": "E"}, {"computerUse": {"environment": "E"}}),
        ({"type": "googleMaps"}, {"googleMaps": {}}),
    ],
)
def test_googles_own_tools_pass(tool: Any, said: Any) -> None:
    body = sent(tools=[tool])
    assert body["tools"] == [said]
    assert "toolConfig" not in body


def test_a_web_search_is_a_google_search() -> None:
    assert sent(web_search_options={})["tools"] == [{"googleSearch": {}}]


def test_strange_tools_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    assert "tools" not in sent(tools=[{"type": "custom", "custom": {"name": "x"}}])
    assert "tools of type custom" in caplog.text


def test_the_third_generation_is_told_that_both_kinds_of_tools_are_there() -> None:
    both = [LOOK, {"type": "google_search"}]
    assert sent(model=NEW, tools=both)["toolConfig"] == {"includeServerSideToolInvocations": True}
    assert "toolConfig" not in sent(model=OLD, tools=both)


@pytest.mark.parametrize(
    ("choice", "calling"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ({"type": "function", "function": {"name": "look"}}, {"mode": "ANY", "allowedFunctionNames": ["look"]}),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [LOOK]}},
            {"mode": "VALIDATED", "allowedFunctionNames": ["look"]},
        ),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [LOOK]}},
            {"mode": "ANY", "allowedFunctionNames": ["look"]},
        ),
    ],
)
def test_the_tool_choice_is_a_calling_mode(choice: Any, calling: Any) -> None:
    assert sent(tools=[LOOK], tool_choice=choice)["toolConfig"] == {"functionCallingConfig": calling}


def test_a_tool_choice_without_sense_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    assert "toolConfig" not in sent(tools=[LOOK], tool_choice="perhaps")
    assert "tool_choice" in caplog.text
    assert "toolConfig" not in sent(tool_choice="auto")


def test_strict_functions_are_validated() -> None:
    strict = {"type": "function", "function": {"name": "look", "strict": True}}
    assert sent(model=NEW, tools=[strict])["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}
    assert "toolConfig" not in sent(model=OLD, tools=[strict])


def test_a_tool_config_of_the_caller_stands() -> None:
    own = {"function_calling_config": {"mode": "ANY"}, "retrievalConfig": {"languageCode": "de"}}
    assert sent(tools=[LOOK], tool_choice="auto", tool_config=own)["toolConfig"] == {
        "functionCallingConfig": {"mode": "ANY"},
        "retrievalConfig": {"languageCode": "de"},
    }

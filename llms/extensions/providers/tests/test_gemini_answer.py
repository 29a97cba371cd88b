"""What Gemini answers: every kind of part, how it ended, what it cost and where it is from, whole and streamed."""

import base64
from typing import Any

import pytest

from llms.api import ProviderError
from llms.extensions.providers.gemini_answer import GeminiTranslator, NothingSaid
from llms.extensions.providers.tests.gemini_samples import (
    CALL_PART,
    OLD,
    PNG,
    USAGE,
    answer,
    made,
    message,
    read,
)


def said(chunk: Any) -> bool:
    return any(choice["delta"] for choice in chunk["choices"])


def test_texts_and_thoughts_are_told_apart() -> None:
    told = message({"text": "Hm. ", "thought": True}, {"text": "So.", "thought": True}, {"text": "A"}, {"text": "B"})
    assert told == {"role": "assistant", "content": "AB", "reasoning_content": "Hm. So."}


def test_id_model_and_usage_are_the_vendors() -> None:
    completion = made().completion(answer({"text": "A"}))
    assert (completion["id"], completion["model"]) == ("r1", OLD)
    assert completion["usage"] == {
        "prompt_tokens": 15,
        "completion_tokens": 27,
        "total_tokens": 42,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 7},
    }


def test_usage_that_counts_nothing_is_none() -> None:
    assert "usage" not in read({**answer({"text": "A"}), "usageMetadata": {"trafficType": "ON_DEMAND"}})


def test_counts_of_several_events_are_those_last_told() -> None:
    first = {**answer({"text": "A"}, reason=None), "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1}}
    last = {**answer({"text": "B"}), "usageMetadata": {"candidatesTokenCount": 2}}
    usage = read(first, last)["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (3, 2)


@pytest.mark.parametrize(
    ("reason", "ended"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("OTHER", "stop"),
        ("A_NEW_ONE", "stop"),
    ],
)
def test_it_ends_for_a_reason(reason: str, ended: str) -> None:
    assert read(answer({"text": "A"}, reason=reason))["choices"][0]["finish_reason"] == ended


def test_calls_have_ids_places_and_a_reason() -> None:
    nameless = {"functionCall": {"name": "roll"}}
    (choice,) = read(answer({**CALL_PART, "thoughtSignature": "U2ln"}, nameless))["choices"]
    assert choice["finish_reason"] == "tool_calls"
    first, second = choice["message"]["tool_calls"]
    assert first == {
        "id": "c1",
        "type": "function",
        "function": {"name": "look", "arguments": '{"at":"sky"}'},
        "extra_content": {"google": {"thought_signature": "U2ln"}},
    }
    assert second["id"].startswith("call_")
    assert second["function"] == {"name": "roll", "arguments": "{}"}


def test_a_call_in_one_event_and_its_end_in_the_next_are_one_answer() -> None:
    (choice,) = read(answer(CALL_PART, reason=None), answer({"text": ""}))["choices"]
    assert choice["finish_reason"] == "tool_calls"


def test_arguments_may_come_in_pieces() -> None:
    def piece(call: Any, reason: str | None = None) -> Any:
        return answer({"functionCall": call}, reason=reason)

    def partial(path: str, **value: Any) -> Any:
        return piece({"partialArgs": [{"jsonPath": path, **value}], "willContinue": True})

    (choice,) = read(
        piece({"name": "look", "id": "c7", "willContinue": True}),
        partial("$.at", stringValue="s"),
        partial("$.at", stringValue="ky"),
        partial("$.where[0].x", numberValue=1.5),
        partial("$.where[1]['y z']", boolValue=False),
        partial("$.nothing", nullValue="NULL_VALUE"),
        partial("", stringValue="lost"),
        piece({}),
        answer({"text": ""}),
    )["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert call["id"] == "c7"
    assert call["function"] == {
        "name": "look",
        "arguments": '{"at":"sky","where":[{"x":1.5},{"y z":false}],"nothing":null}',
    }


def test_a_piece_far_beyond_the_end_of_a_list_takes_no_memory() -> None:
    begun = {"functionCall": {"name": "look", "willContinue": True}}
    far = {"functionCall": {"partialArgs": [{"jsonPath": "$.a[999999999999]", "stringValue": "x"}]}}
    with pytest.raises((ProviderError, IndexError)):
        read(answer(begun, reason=None), answer(far))


def test_a_piece_goes_on_from_a_whole_argument() -> None:
    begun = {"functionCall": {"name": "look", "args": {"at": "s"}, "willContinue": True}}
    more = {"functionCall": {"partialArgs": [{"jsonPath": "$.at", "stringValue": "ky"}]}}
    (choice,) = read(answer(begun, reason=None), answer(more))["choices"]
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == '{"at":"sky"}'


def test_a_call_that_was_not_finished_is_told_at_the_end() -> None:
    (choice,) = read(answer({"functionCall": {"name": "look", "willContinue": True}}))["choices"]
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_a_signature_of_a_text_stands_in_the_details() -> None:
    told = message({"text": "A"}, {"text": "", "thoughtSignature": "U2ln"})
    assert told["reasoning_details"] == [
        {"type": "reasoning.encrypted", "data": "U2ln", "format": "google-gemini-v1", "index": 0}
    ]
    assert "provider_metadata" not in told


def test_pieces_of_one_text_are_kept_as_one() -> None:
    code = {"executableCode": {"code": "1"}}
    told = message({"text": "A"}, {"text": "B"}, code, {"text": "C"})
    assert told["provider_metadata"]["gemini"]["parts"] == [{"text": "AB"}, code, {"text": "C"}]
    assert told["content"] == "ABC"


# -- media -------------------------------------------------------------------------------------------------------------


def test_images_are_data_uris_and_those_thought_of_are_not_shown() -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    told = message({**image, "thought": True}, image)
    assert told["images"] == [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}]


def test_bare_sound_becomes_a_wav_file() -> None:
    pieces = [base64.b64encode(bytes([n, 0])).decode() for n in (1, 2)]
    sound = [{"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=16000", "data": data}} for data in pieces]
    told = message(*sound)
    data = base64.b64decode(told["audio"]["data"])
    assert data[:4] == b"RIFF"
    assert int.from_bytes(data[24:28], "little") == 16_000
    assert data[44:] == b"\x01\x00\x02\x00"
    assert told["audio"]["id"].startswith("audio_")


def test_other_sound_stays_as_it_is() -> None:
    told = message({"inlineData": {"mimeType": "audio/mp3", "data": "SUQz"}})
    assert told["audio"]["data"] == "SUQz"


def test_files_are_told_of() -> None:
    stored = {"fileData": {"mimeType": "video/mp4", "fileUri": "https://example.com/a"}}
    told = message(stored, {"inlineData": {"mimeType": "text/csv", "data": "-_8="}})
    assert [part["file"]["file_data"] for part in told["files"]] == [
        "https://example.com/a",
        "data:text/csv;base64,+/8=",
    ]


def test_sound_that_is_no_base64_is_an_error_of_the_provider() -> None:
    broken = answer({"inlineData": {"mimeType": "audio/L16", "data": "?"}})
    with pytest.raises(ProviderError, match="cannot be read"):
        made()._completion(broken)


# -- where it is from --------------------------------------------------------------------------------------------------


def test_sources_are_cited_where_they_support_the_text() -> None:
    grounding = {
        "groundingChunks": [
            {"web": {"uri": "https://a.example", "title": "A"}},
            {"retrievedContext": {"documentName": "d1"}},
            {"maps": {"uri": "https://m.example", "title": "M"}},
        ],
        "groundingSupports": [
            {"segment": {"startIndex": 4, "endIndex": 8, "text": "blau"}, "groundingChunkIndices": [0, 9]},
            {"segment": {"endIndex": 3, "text": "grün"}, "groundingChunkIndices": [1]},
            {"segment": {"endIndex": 3, "text": "nowhere"}, "groundingChunkIndices": [1]},
        ],
        "webSearchQueries": ["q"],
    }
    told = message({"text": "Öü blau grün"}, groundingMetadata=grounding)
    assert told["groundingMetadata"] == grounding
    assert [one["url_citation"] for one in told["annotations"]] == [
        {"url": "https://a.example", "title": "A", "start_index": 3, "end_index": 7},
        {"url": "d1", "title": "d1", "start_index": 8, "end_index": 12},
        {"url": "d1", "title": "d1"},
        {"url": "https://m.example", "title": "M"},
    ]


def test_citations_are_annotations() -> None:
    cited = {"citations": [{"startIndex": 1, "endIndex": 2, "uri": "https://a.example"}]}
    assert message({"text": "ABC"}, citationMetadata=cited)["annotations"] == [
        {
            "type": "url_citation",
            "url_citation": {
                "url": "https://a.example",
                "title": "https://a.example",
                "start_index": 1,
                "end_index": 2,
            },
        }
    ]


def test_sources_that_come_after_the_end_are_not_lost() -> None:
    late: Any = {"candidates": [{"groundingMetadata": {"groundingChunks": [{"web": {"uri": "https://a.example"}}]}}]}
    completion = read(answer({"text": "A"}), late)
    assert completion["choices"][0]["message"]["annotations"][0]["url_citation"]["url"] == "https://a.example"


def test_sources_that_several_events_tell_of_are_told_once_at_the_end() -> None:
    first = {"groundingChunks": [{"web": {"uri": "https://a.example"}}], "webSearchQueries": ["q"]}
    cited = {"citations": [{"uri": "https://c.example"}]}
    last = {**first, "groundingSupports": [{"segment": {"endIndex": 2}, "groundingChunkIndices": [0]}]}
    events = [
        answer({"text": "A"}, reason=None, groundingMetadata=first, citationMetadata=cited),
        answer({"text": "B"}, reason=None, groundingMetadata={}, citationMetadata=cited),
        answer({"text": "C"}, groundingMetadata={**last, "webSearchQueries": []}),
        answer(reason=None, groundingMetadata=first),
    ]
    translator = GeminiTranslator("Acme")
    deltas: Any = [chunk["choices"][0]["delta"] for event in events for chunk in translator.feed(event) if said(chunk)]
    assert deltas == [
        {"content": "A"},
        {"content": "B"},
        {"content": "C"},
        {
            "groundingMetadata": {**last, "webSearchQueries": ["q"]},
            "annotations": [
                {"type": "url_citation", "url_citation": place}
                for place in (
                    {"url": "https://a.example", "title": "https://a.example", "start_index": 0, "end_index": 2},
                    {"url": "https://c.example", "title": "https://c.example"},
                )
            ],
        },
    ]


def test_what_one_event_cites_twice_is_cited_twice() -> None:
    cited = {"citations": [{"uri": "https://a.example"}, {"uri": "https://a.example"}]}
    assert len(message({"text": "A"}, citationMetadata=cited)["annotations"]) == 2


# -- several, none, and how likely -------------------------------------------------------------------------------------


def test_several_candidates_are_several_choices() -> None:
    event = answer({"text": "A"})
    event["candidates"].append({"index": 1, "content": {"parts": [CALL_PART]}, "finishReason": "STOP"})
    completion = made().completion(event)
    assert [choice["finish_reason"] for choice in completion["choices"]] == ["stop", "tool_calls"]
    assert completion["choices"][0]["message"]["content"] == "A"


def test_usage_is_told_once_all_candidates_have_ended() -> None:
    translator = made().translator()
    chunks = [*translator.feed(answer({"text": "A"}, reason=None)), *translator.feed(answer({"text": "B"}))]
    assert ["usage" in chunk for chunk in chunks] == [False, False, False, True]


def test_a_blocked_prompt_is_a_filtered_answer() -> None:
    feedback = {"blockReason": "MODEL_ARMOR", "blockReasonMessage": "Jailbreak."}
    (choice,) = made().completion({"promptFeedback": feedback})["choices"]
    assert choice["finish_reason"] == "content_filter"
    assert choice["message"]["content"] is None
    assert choice["message"]["provider_metadata"]["gemini"]["promptFeedback"] == feedback  # type: ignore[typeddict-item]


def test_a_filtered_answer_says_why() -> None:
    ratings = [{"category": "HARM_CATEGORY_HATE_SPEECH", "blocked": True}]
    told = message(reason="SAFETY", safetyRatings=ratings)
    assert told["provider_metadata"]["gemini"] == {"finishReason": "SAFETY", "safetyRatings": ratings}


def test_no_candidates_are_an_error() -> None:
    with pytest.raises(NothingSaid, match="Acme answered without any candidates"):
        made().completion({"usageMetadata": USAGE})


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "OTHER", "NO_IMAGE"])
def test_an_end_before_anything_was_said_is_an_error(reason: str) -> None:
    with pytest.raises(NothingSaid, match=f"ended its answer with {reason} \\(It broke\\) before it said anything"):
        message({"text": "Hm.", "thought": True}, reason=reason, finishMessage="It broke.")


def test_an_empty_answer_is_an_answer() -> None:
    (choice,) = read({"candidates": [{"finishReason": "STOP"}]})["choices"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("stop", None)


def test_how_likely_each_token_was_is_told() -> None:
    chosen = {"token": "Hé", "tokenId": 1, "logProbability": -0.5}
    result = {"chosenCandidates": [chosen, chosen], "topCandidates": [{"candidates": [chosen]}]}
    (choice,) = read(answer({"text": "Hé"}, logprobsResult=result))["choices"]
    token = {"token": "Hé", "logprob": -0.5, "bytes": [72, 195, 169]}
    assert choice["logprobs"] == {"content": [{**token, "top_logprobs": [token]}, {**token, "top_logprobs": []}]}

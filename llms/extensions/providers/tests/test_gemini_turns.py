"""What Gemini is told was said: every kind of part, tool results, and what an earlier answer wants to see again."""

import logging
from typing import Any

import pytest

from llms.api import RequestError
from llms.extensions.providers.gemini_turns import UNSIGNED
from llms.extensions.providers.tests.gemini_samples import (
    CALL,
    CALL_PART,
    HI,
    IMAGE,
    LOOK,
    NEW,
    OLD,
    PNG,
    made,
    message,
    parts,
    sent,
)

INLINE = {"inlineData": {"mimeType": "image/png", "data": PNG}}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "blue"}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}


def test_what_system_and_developer_say_stands_apart() -> None:
    body = sent(
        {"role": "system", "content": "A"}, {"role": "user", "content": "Hi"}, {"role": "developer", "content": "B"}
    )
    assert body["systemInstruction"] == {"parts": [{"text": "A"}, {"text": "B"}]}
    assert body["contents"] == [{"role": "user", "parts": [{"text": "Hi"}]}]


def test_who_speaks_twice_in_a_row_has_one_turn() -> None:
    two = [{"role": "user", "content": "A"}, {"role": "user", "content": "B"}, {"role": "assistant", "content": ""}]
    assert sent(*two)["contents"] == [{"role": "user", "parts": [{"text": "A"}, {"text": "B"}]}]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"type": "text", "text": "A"}, {"text": "A"}),
        ({"type": "refusal", "refusal": "No."}, {"text": "No."}),
        (IMAGE, INLINE),
        (
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png?x=1"}},
            {"fileData": {"fileUri": "https://example.com/a.png?x=1", "mimeType": "image/png"}},
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://example.com/picture"}},
            {"fileData": {"fileUri": "https://example.com/picture", "mimeType": "image/jpeg"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
            {"inlineData": {"mimeType": "audio/mp3", "data": "QUJD"}},
        ),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,QUJD", "filename": "a.pdf"}},
            {"inlineData": {"mimeType": "application/pdf", "data": "QUJD"}},
        ),
        (
            {"type": "file", "file": {"file_data": "QUJD", "filename": "a.csv"}},
            {"inlineData": {"mimeType": "text/csv", "data": "QUJD"}},
        ),
        (
            {"type": "file", "file": {"file_data": "gs://bucket/a.mp4"}},
            {"fileData": {"fileUri": "gs://bucket/a.mp4", "mimeType": "video/mp4"}},
        ),
        (
            {"type": "file", "file": {"file_id": "files/abc"}},
            {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}},
        ),
        (
            {"type": "video_url", "video_url": {"url": "https://www.youtube.com/watch?v=a"}},
            {"fileData": {"fileUri": "https://www.youtube.com/watch?v=a", "mimeType": "video/mp4"}},
        ),
        (
            {"type": "video_url", "video_url": {"url": "data:video/webm;base64,QUJD"}, "video_metadata": {"fps": 1}},
            {"inlineData": {"mimeType": "video/webm", "data": "QUJD"}, "video_metadata": {"fps": 1}},
        ),
        ({"fileData": {"fileUri": "x"}}, {"fileData": {"fileUri": "x"}}),
        ({"inline_data": {"data": "x"}}, {"inline_data": {"data": "x"}}),
    ],
)
def test_every_part_has_its_words(part: Any, said: Any) -> None:
    (content,) = sent({"role": "user", "content": [part]})["contents"]
    assert content["parts"] == [said]


def test_a_host_that_only_ends_like_youtube_is_another() -> None:
    part = {"type": "video_url", "video_url": {"url": "https://notyoutube.com/a.webm"}}
    (content,) = sent({"role": "user", "content": [part]})["contents"]
    assert content["parts"][0]["fileData"]["mimeType"] == "video/webm"


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": ""}},
        {"type": "file", "file": {}},
        {"type": "video_url"},
    ],
)
def test_parts_that_nobody_can_read_are_refused(part: Any) -> None:
    with pytest.raises(RequestError):
        sent({"role": "user", "content": [part]})


def test_parts_of_other_vendors_are_left_out_or_refused(caplog: pytest.LogCaptureFixture) -> None:
    document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
    message = {"role": "user", "content": [document, {"type": "text", "text": "A"}]}
    assert sent(message)["contents"] == [{"role": "user", "parts": [{"text": "A"}]}]
    assert "parts of type document" in caplog.text
    with pytest.raises(RequestError, match="parts of type document"):
        sent(message, provider=made(unsupported="error"))


@pytest.mark.parametrize(
    ("chat", "name"),
    [
        ({"messages": [{"role": "user", "content": "A", "name": "Ann"}]}, "messages.name"),
        ({"messages": [{"role": "user", "content": "A", "cache_control": {"type": "ephemeral"}}]}, "cache_control"),
        ({"messages": HI, "tools": [{**LOOK, "cache_control": {"type": "ephemeral"}}]}, "cache_control"),
    ],
)
def test_fields_that_gemini_has_no_words_for_are_told(chat: Any, name: str) -> None:
    asked: Any = {"model": OLD, **chat}
    with pytest.raises(RequestError, match=name):
        made(unsupported="error").request_body(asked, stream=False)


def test_the_name_of_a_tool_is_said() -> None:
    body = sent(*HI, {**RESULT, "name": "look"}, provider=made(unsupported="error"))
    assert body["contents"][0]["parts"][-1]["functionResponse"]["name"] == "look"


@pytest.mark.parametrize("messages", [[{"role": "system", "content": "A"}], [{"role": "user", "content": None}]])
def test_who_says_nothing_says_a_dot(messages: list[Any]) -> None:
    assert sent(*messages)["contents"] == [{"role": "user", "parts": [{"text": "."}]}]


def test_the_user_speaks_first() -> None:
    first, *_ = sent({"role": "assistant", "content": "A"}, *HI)["contents"]
    assert first == {"role": "user", "parts": [{"text": "."}]}


def test_details_that_gemini_has_no_words_for_are_told(caplog: pytest.LogCaptureFixture) -> None:
    image = {"type": "image_url", "image_url": {**IMAGE["image_url"], "detail": "high"}}  # type: ignore[dict-item]
    with caplog.at_level(logging.WARNING):
        sent({"role": "user", "content": [image, {"type": "text", "text": "A", "cache_control": {}}]})
    assert "image_url.detail" in caplog.text
    assert "cache_control" in caplog.text


# -- tools -------------------------------------------------------------------------------------------------------------


def test_a_call_and_its_result_know_each_other_by_id_and_name() -> None:
    assert parts(CALLED, RESULT) == [
        [CALL_PART],
        [{"functionResponse": {"name": "look", "response": {"result": "blue"}, "id": "c1"}}],
    ]


@pytest.mark.parametrize(
    ("content", "response"),
    [
        ('{"color": "blue"}', {"color": "blue"}),
        ("[1]", {"result": "[1]"}),
        ("", {"result": ""}),
        (None, {"result": ""}),
        ([{"type": "text", "text": "bl"}, {"type": "text", "text": "ue"}], {"result": "blue"}),
    ],
)
def test_a_result_is_an_object(content: Any, response: Any) -> None:
    assert parts(CALLED, {**RESULT, "content": content})[1][0]["functionResponse"]["response"] == response


def test_a_result_of_a_call_that_is_not_there_goes_by_its_own_name() -> None:
    (only,) = sent({"role": "tool", "tool_call_id": "c9", "name": "look", "content": "x"})["contents"]
    assert only["parts"][0]["functionResponse"]["name"] == "look"
    (only,) = sent({"role": "tool", "tool_call_id": "c9", "content": "x"})["contents"]
    assert only["parts"][0]["functionResponse"]["name"] == "c9"


def test_images_of_a_tool_stand_in_its_result_or_beside_it() -> None:
    told = {**RESULT, "content": [{"type": "text", "text": "blue"}, IMAGE]}
    inside = parts(CALLED, told, model=NEW)[1]
    beside = parts(CALLED, told, model=OLD)[1]
    assert inside[0]["functionResponse"]["parts"] == [INLINE]
    assert "parts" not in beside[0]["functionResponse"]
    assert beside[1:] == [INLINE]


def test_several_results_are_one_turn() -> None:
    second = {"id": "c2", "type": "function", "function": {"name": "roll", "arguments": ""}}
    calls, results = parts(
        {"role": "assistant", "tool_calls": [CALL, second]}, RESULT, {**RESULT, "tool_call_id": "c2", "content": "6"}
    )
    assert [part["functionCall"]["name"] for part in calls] == ["look", "roll"]
    assert [part["functionResponse"]["name"] for part in results] == ["look", "roll"]


def test_arguments_that_are_no_json_are_told_as_they_are() -> None:
    broken = {**CALL, "function": {"name": "look", "arguments": "sky!"}}
    (said,) = parts({"role": "assistant", "tool_calls": [broken]})
    assert said[0]["functionCall"]["args"] == {"arguments": "sky!"}


# -- what an answer wants to see again ---------------------------------------------------------------------------------


def test_signatures_go_back_to_what_they_sign() -> None:
    answer = message(
        {"text": "Hm.", "thought": True},
        {"text": "Let me look.", "thoughtSignature": "dGV4dA=="},
        {**CALL_PART, "thoughtSignature": "Y2FsbA=="},
    )
    assert parts(answer)[0] == [
        {"text": "Hm.", "thought": True},
        {"text": "Let me look.", "thoughtSignature": "dGV4dA=="},
        {**CALL_PART, "thoughtSignature": "Y2FsbA=="},
    ]


def test_a_signature_of_a_call_may_stand_in_the_details() -> None:
    detail = {"type": "reasoning.encrypted", "data": "U2ln", "format": "google-gemini-v1", "id": "c1"}
    assert parts({**CALLED, "reasoning_details": [detail]})[0] == [{**CALL_PART, "thoughtSignature": "U2ln"}]


def test_signatures_of_others_stay_here() -> None:
    detail = {"type": "reasoning.encrypted", "data": "U2ln", "format": "openai-responses-v1"}
    assert parts({"role": "assistant", "content": "A", "reasoning_details": [detail, "x"]})[0] == [{"text": "A"}]


def test_a_signature_without_a_text_has_a_part_of_its_own() -> None:
    answer = message({"text": "", "thoughtSignature": "U2ln"}, reason="STOP")
    assert parts(answer)[0] == [{"text": "", "thoughtSignature": "U2ln"}]


def test_the_third_generation_gets_a_stand_in_where_nobody_signed() -> None:
    second = {**CALL, "id": "c2"}
    unsigned = {"role": "assistant", "tool_calls": [CALL, second]}
    assert [part.get("thoughtSignature") for part in parts(unsigned, model=NEW)[0]] == [UNSIGNED, None]
    assert [part.get("thoughtSignature") for part in parts(unsigned, model=OLD)[0]] == [None, None]


SEARCH: Any = [
    {"toolCall": {"id": "s1", "toolType": "GOOGLE_SEARCH_WEB", "args": {}}, "thoughtSignature": "QQ=="},
    {"toolResponse": {"id": "s1", "toolType": "GOOGLE_SEARCH_WEB", "response": {}}, "thoughtSignature": "QQ=="},
    {"executableCode": {"code": "1"}},
    {"codeExecutionResult": {"output": "1"}},
]


def test_what_google_ran_itself_goes_back_in_its_place() -> None:
    told = [{"text": "A"}, *SEARCH, {"text": "B", "thoughtSignature": "Qg=="}, CALL_PART]
    assert parts(message(*told))[0] == told


def test_an_edited_answer_is_told_as_it_now_stands() -> None:
    answer = message({"text": "A"}, *SEARCH)
    assert parts({**answer, "content": "Z"})[0] == [{"text": "Z"}]
    assert parts({**answer, "provider_metadata": {"gemini": {"parts": [1]}}})[0] == [{"text": "A"}]


def test_signed_images_come_back_with_their_signatures() -> None:
    answer = message({"text": "Here:"}, {**INLINE, "thoughtSignature": "SW1n"}, {"text": "!"})
    assert PNG not in str(answer["provider_metadata"])
    assert parts(answer)[0] == [{"text": "Here:"}, {**INLINE, "thoughtSignature": "SW1n"}, {"text": "!"}]
    without = {name: value for name, value in answer.items() if name != "images"}
    assert parts(without)[0] == [{"text": "Here:"}, {"text": "!"}]


def test_a_refusal_is_what_was_said() -> None:
    assert parts({"role": "assistant", "content": None, "refusal": "No."})[0] == [{"text": "No."}]

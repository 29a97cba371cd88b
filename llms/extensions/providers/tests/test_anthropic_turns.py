"""What a chat's messages become in Anthropic's dialect, part by part."""

import base64
from typing import Any

import pytest

from llms.api import RequestError
from llms.extensions.providers.tests.anthropic_samples import (
    CALL,
    ENCRYPTED,
    HI,
    MARK,
    PNG,
    REDACTED,
    SEARCHED,
    SIGNED,
    THOUGHT,
    USE,
    made,
    read,
    sent,
    turns,
)

PDF = base64.b64encode(b"%PDF-1.4 x").decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0 x").decode()
WEBP = base64.b64encode(b"RIFF1234WEBPVP8 ").decode()


def part(kind: str, **fields: Any) -> Any:
    return {"type": kind, kind: fields}


def said(*parts: Any, **entry: Any) -> Any:
    """What these parts of a user's message become, after a text that is always there."""
    content = [{"type": "text", "text": "See:"}, *parts]
    return turns({"role": "user", "content": content}, **entry)[0]["content"][1:]


def image(url: str) -> Any:
    return part("image_url", url=url)


# -- parts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "data", "mime"),
    [
        ("image/png", PNG, "image/png"),
        ("image/png", JPEG, "image/jpeg"),
        ("image/jpeg", WEBP, "image/webp"),
        ("image/png", base64.b64encode(b"GIF89a").decode(), "image/gif"),
        ("image/bmp", base64.b64encode(b"BM").decode(), "image/bmp"),
    ],
)
def test_an_image_is_of_the_type_its_bytes_tell(told: str, data: str, mime: str) -> None:
    source = {"type": "base64", "media_type": mime, "data": data}
    assert said(image(f"data:{told};base64,{data}")) == [{"type": "image", "source": source}]


FILES: list[tuple[Any, Any]] = [
    (
        {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
            "title": "a.pdf",
        },
    ),
    (
        {"filename": "file", "file_data": PDF},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}},
    ),
    (
        {"filename": "a.md", "file_data": "data:text/markdown;base64,IyBIaQ=="},
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "# Hi"},
            "title": "a.md",
        },
    ),
    (
        {"filename": "a.png", "file_data": f"data:image/png;base64,{PNG}"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
    ),
    ({"file_id": "file_1"}, {"type": "document", "source": {"type": "file", "file_id": "file_1"}}),
    (
        {"file_data": "https://example.com/a.pdf"},
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
    ),
]


@pytest.mark.parametrize(("file", "block"), FILES)
def test_a_file_becomes_a_document(file: Any, block: Any) -> None:
    assert said(part("file", **file)) == [block]


def test_an_image_may_lie_on_the_web() -> None:
    source = {"type": "url", "url": "https://example.com/a.png"}
    assert said(image("https://example.com/a.png")) == [{"type": "image", "source": source}]


def test_a_documents_own_fields_and_its_caching_mark_are_kept() -> None:
    given = {**part("file", file_id="f"), "citations": {"enabled": True}, "context": "c", "cache_control": MARK}
    (block,) = said(given)
    assert (block["citations"], block["context"], block["cache_control"]) == ({"enabled": True}, "c", MARK)


OWN = {"type": "search_result", "source": "https://example.com", "title": "A", "content": []}


def test_parts_in_anthropics_own_form_stay_as_they_are() -> None:
    assert said(OWN, {"type": "container_upload", "file_id": "f"}) == [
        OWN,
        {"type": "container_upload", "file_id": "f"},
    ]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (part("input_audio", data="aGk=", format="wav"), "input_audio"),
        (part("video_url", url="https://example.com/a.mp4"), "video_url"),
        (part("file", file_data="gs://bucket/a.pdf"), "file at gs://"),
        (part("file", file_data="data:application/zip;base64,aGk="), "file of type application/zip"),
        (part("file", file_data="aGk="), "file of type unknown"),
    ],
)
def test_what_it_cannot_read_is_left_out_or_refused(given: Any, name: str) -> None:
    assert said(given) == []
    with pytest.raises(RequestError, match="Acme cannot be told") as raised:
        said(given, unsupported="error")
    assert raised.value.param == name


def test_the_detail_of_an_image_is_left_out_and_the_image_is_not() -> None:
    assert said(part("image_url", url=f"data:image/png;base64,{PNG}", detail="low"))[0]["type"] == "image"
    with pytest.raises(RequestError, match=r"image_url\.detail"):
        said(part("image_url", url=f"data:image/png;base64,{PNG}", detail="low"), unsupported="error")


@pytest.mark.parametrize(
    "data", ["data:image/png;base64,not base64!", "data:image/png;base64,", "data:image/png;base64"]
)
def test_an_attachment_that_is_none_is_refused(data: str) -> None:
    with pytest.raises(RequestError, match=r"^The image 'unnamed' is"):
        said(image(data))


def test_blank_texts_are_not_sent() -> None:
    assert said({"type": "text", "text": " \n"}, {"type": "text", "text": ""}) == []


# -- roles -----------------------------------------------------------------------------------------------------


def test_instructions_stand_apart_wherever_they_come() -> None:
    body = sent(
        {"role": "system", "content": "Be brief."},
        HI,
        {"role": "developer", "content": [{"type": "text", "text": "Be kind.", "cache_control": MARK}]},
    )
    assert body["system"] == [
        {"type": "text", "text": "Be brief."},
        {"type": "text", "text": "Be kind.", "cache_control": MARK},
    ]
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]


def test_the_caching_mark_of_a_message_stands_on_its_last_part() -> None:
    content = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    (turn,) = turns({"role": "user", "content": content, "cache_control": MARK})
    assert turn["content"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b", "cache_control": MARK}]


def test_turns_alternate_whoever_speaks_twice() -> None:
    answer = {"role": "assistant", "content": "Yes"}
    spoken = turns(HI, {"role": "user", "content": "There?"}, answer, answer, HI)
    assert [(turn["role"], len(turn["content"])) for turn in spoken] == [("user", 2), ("assistant", 2), ("user", 1)]


@pytest.mark.parametrize(
    "messages", [[], [{"role": "assistant", "content": "Yes"}], [{"role": "user", "content": " "}]]
)
def test_the_user_speaks_first(messages: Any) -> None:
    first = turns({"role": "system", "content": "Be brief."}, *messages)[0]
    assert first == {"role": "user", "content": [{"type": "text", "text": "."}]}


def test_messages_that_say_nothing_are_no_turns() -> None:
    spoken = turns(HI, {"role": "assistant", "content": ""}, {"role": "user", "content": None}, HI)
    assert [turn["role"] for turn in spoken] == ["user"]


def test_the_beginning_of_an_answer_does_not_end_in_a_blank() -> None:
    assert turns(HI, {"role": "assistant", "content": "The sky is \n"})[1]["content"][0]["text"] == "The sky is"


def test_the_name_of_who_speaks_is_left_out() -> None:
    assert turns({**HI, "name": "ann"})[0]["content"] == [{"type": "text", "text": "Hi"}]
    with pytest.raises(RequestError, match=r"messages\.name"):
        turns({**HI, "name": "ann"}, unsupported="error")


# -- tools -----------------------------------------------------------------------------------------------------


def test_results_are_what_the_user_says_next_in_one_turn() -> None:
    other = {**CALL, "id": "call|2 x"}
    spoken = turns(
        HI,
        {"role": "assistant", "content": "Let me see.", "tool_calls": [CALL, other]},
        {"role": "tool", "tool_call_id": "toolu_1", "content": "blue", "cache_control": MARK},
        {"role": "tool", "tool_call_id": "call|2 x", "content": "no", "is_error": True},
        {"role": "user", "content": "And?"},
    )
    assert spoken[1]["content"] == [{"type": "text", "text": "Let me see."}, USE, {**USE, "id": "call_2_x"}]
    assert spoken[2]["content"] == [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "blue", "cache_control": MARK},
        {"type": "tool_result", "tool_use_id": "call_2_x", "content": "no", "is_error": True},
        {"type": "text", "text": "And?"},
    ]


def test_the_last_mark_inside_a_result_is_the_results_own() -> None:
    older = {"type": "ephemeral", "ttl": "1h"}
    texts = [
        {"type": "text", "text": "A", "cache_control": older},
        {"type": "text", "text": "B", "cache_control": MARK},
    ]
    result = {"role": "tool", "tool_call_id": "toolu_1", "content": texts}
    (told,) = turns(HI, {"role": "assistant", "tool_calls": [CALL]}, result)[2]["content"]
    assert told["cache_control"] == MARK
    assert told["content"] == [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]


def test_a_thought_that_names_no_format_is_its_own_only_if_it_is_signed() -> None:
    signed = {name: value for name, value in SIGNED.items() if name != "format"}
    secret = {"type": "reasoning.encrypted", "data": "QUJD"}
    said = turns(HI, {"role": "assistant", "content": "A", "reasoning_details": [secret, signed]})[1]["content"]
    assert said == [THOUGHT, {"type": "text", "text": "A"}]


def test_a_result_may_be_a_picture_or_nothing() -> None:
    asked = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    seen = {"role": "tool", "tool_call_id": "toolu_1", "content": [image(f"data:image/png;base64,{PNG}")]}
    (result,) = turns(HI, asked, seen)[2]["content"]
    assert result["content"][0]["type"] == "image"
    (result,) = turns(HI, asked, {**seen, "content": ""})[2]["content"]
    assert result == {"type": "tool_result", "tool_use_id": "toolu_1"}


@pytest.mark.parametrize(("arguments", "input"), [("", {}), ("{}", {}), ("not json", {"arguments": "not json"})])
def test_a_call_has_an_object_for_arguments(arguments: str, input: Any) -> None:
    call = {**CALL, "function": {"name": "look", "arguments": arguments}}
    assert turns(HI, {"role": "assistant", "tool_calls": [call]}, HI)[1]["content"][0]["input"] == input


def test_a_call_of_another_kind_is_left_out() -> None:
    call = {"id": "1", "type": "custom", "custom": {"name": "x", "input": "y"}}
    assert turns(HI, {"role": "assistant", "content": "Yes", "tool_calls": [call]})[1]["content"] == [
        {"type": "text", "text": "Yes"}
    ]


# -- what the model said ---------------------------------------------------------------------------------------


def answered(**fields: Any) -> Any:
    return turns(HI, {"role": "assistant", **fields}, HI)[1]["content"]


def test_signed_thoughts_come_first() -> None:
    details = [SIGNED, ENCRYPTED]
    assert answered(content="Yes", reasoning_content="Hm.", reasoning_details=details, tool_calls=[CALL]) == [
        THOUGHT,
        REDACTED,
        {"type": "text", "text": "Yes"},
        USE,
    ]


@pytest.mark.parametrize(
    "detail",
    [
        {**SIGNED, "signature": None},
        {**SIGNED, "format": "google-gemini-v1"},
        {**ENCRYPTED, "data": ""},
        {"type": "reasoning.summary", "summary": "Hm."},
        None,
        "Hm.",
    ],
)
def test_thoughts_that_are_not_signed_or_not_its_own_are_not_sent_back(detail: Any) -> None:
    assert answered(content="Yes", reasoning_details=[detail]) == [{"type": "text", "text": "Yes"}]


@pytest.mark.parametrize("content", [SEARCHED, [{"type": "text", "text": "a"}, THOUGHT, USE], [USE, THOUGHT]])
def test_what_openais_words_cannot_tell_is_sent_back_as_it_came(content: Any) -> None:
    message = read(*content)["choices"][0]["message"]
    assert turns(HI, message, HI)[1]["content"] == content


def test_an_answer_that_was_changed_is_sent_as_it_now_is() -> None:
    message = read(*SEARCHED)["choices"][0]["message"]
    assert turns(HI, {**message, "content": "It is grey"}, HI)[1]["content"] == [{"type": "text", "text": "It is grey"}]


@pytest.mark.parametrize("kept", ["x", {}, 5, {"content": "x"}, {"content": [5]}, {"content": []}])
def test_kept_blocks_that_are_none_are_passed_over(kept: Any) -> None:
    metadata = {"anthropic": kept} if kept != "x" else "x"
    assert answered(content="Yes", provider_metadata=metadata) == [{"type": "text", "text": "Yes"}]


def test_a_refusal_is_what_it_said() -> None:
    assert answered(content=None, refusal="No.") == [{"type": "text", "text": "No."}]
    assert answered(content=[{"type": "refusal", "refusal": "No."}]) == [{"type": "text", "text": "No."}]


def test_pictures_in_an_answer_are_left_out() -> None:
    shown = [{"type": "text", "text": "See:"}, image(f"data:image/png;base64,{PNG}")]
    assert answered(content=shown) == [{"type": "text", "text": "See:"}]


def test_the_chat_stays_as_it_is() -> None:
    message = {"role": "assistant", "content": "Yes ", "cache_control": MARK}
    before = [dict(HI), dict(message)]
    chat: Any = {"model": "m", "messages": [HI, message]}
    made().build_request(chat, stream=False)
    assert chat["messages"] == before

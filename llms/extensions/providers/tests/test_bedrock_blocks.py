"""Messages as the blocks that Bedrock's Converse API is sent."""

from typing import Any

import pytest

from llms.api import RequestError
from llms.extensions.providers.tests.bedrock_samples import (
    ARN,
    CALL,
    CLAUDE,
    FOREIGN,
    HI,
    LOOK,
    NOVA,
    PNG,
    REDACTED,
    SERVER,
    SIGNED,
    UNSIGNED,
    made,
    sent,
)


def blocks(*parts: Any, role: str = "user") -> Any:
    """The content of a message that has these parts."""
    return sent({"role": role, "content": list(parts)})["messages"][0]["content"]


# -- messages ----------------------------------------------------------------------------------------------------------


def test_system_messages_stand_by_themselves() -> None:
    body = sent({"role": "system", "content": "Be brief."}, {"role": "developer", "content": "In verse."}, *HI)
    assert body["system"] == [{"text": "Be brief."}, {"text": "In verse."}]
    assert body["messages"] == [{"role": "user", "content": [{"text": "Hi"}]}]


def test_neighbours_of_one_role_become_one_message() -> None:
    body = sent(
        *HI,
        {"role": "assistant", "content": "Two things.", "tool_calls": [CALL, {**CALL, "id": "tooluse_2"}]},
        {"role": "tool", "tool_call_id": "tooluse_1", "content": "blue"},
        {"role": "tool", "tool_call_id": "tooluse_2", "content": [{"type": "text", "text": "grey"}]},
        {"role": "user", "content": "And?"},
        tools=[LOOK],
    )
    use = {"name": "look", "input": {"at": "sky"}}
    assert body["messages"] == [
        {"role": "user", "content": [{"text": "Hi"}]},
        {
            "role": "assistant",
            "content": [
                {"text": "Two things."},
                {"toolUse": {"toolUseId": "tooluse_1", **use}},
                {"toolUse": {"toolUseId": "tooluse_2", **use}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "tooluse_1", "content": [{"text": "blue"}]}},
                {"toolResult": {"toolUseId": "tooluse_2", "content": [{"text": "grey"}]}},
                {"text": "And?"},
            ],
        },
    ]


def test_blank_texts_and_empty_messages_are_left_out() -> None:
    body = sent(*HI, {"role": "assistant", "content": " \n"}, {"role": "user", "content": ["", "You there?"]})
    assert body["messages"] == [{"role": "user", "content": [{"text": "Hi"}, {"text": "You there?"}]}]


def test_a_refusal_is_said_again() -> None:
    body = sent(*HI, {"role": "assistant", "content": None, "refusal": "I won't."}, *HI)
    assert body["messages"][1]["content"] == [{"text": "I won't."}]


def test_a_part_that_refuses_is_text() -> None:
    body = sent(*HI, {"role": "assistant", "content": [{"type": "refusal", "refusal": "I won't."}]}, *HI)
    assert body["messages"][1]["content"] == [{"text": "I won't."}]


@pytest.mark.parametrize(
    "messages",
    [[{"role": "system", "content": "Be brief."}], [{"role": "user", "content": None}], [{"role": "assistant"}]],
)
def test_who_says_nothing_says_a_dot(messages: list[Any]) -> None:
    assert sent(*messages)["messages"] == [{"role": "user", "content": [{"text": "."}]}]


def test_the_user_speaks_first_and_a_begun_answer_ends_in_no_blank() -> None:
    given = {"role": "assistant", "content": "It is "}
    assert sent(given)["messages"] == [
        {"role": "user", "content": [{"text": "."}]},
        {"role": "assistant", "content": [{"text": "It is"}]},
    ]


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ({"role": "user", "content": "Hi", "name": "Ann"}, "messages.name"),
        ({"role": "assistant", "content": "Look.", "images": [{"type": "image_url"}]}, "messages.images"),
        ({"role": "assistant", "content": "Hear.", "audio": {"id": "a"}}, "messages.audio"),
    ],
)
def test_fields_that_converse_has_no_words_for_are_told(message: Any, name: str) -> None:
    sent(message, *HI)
    with pytest.raises(RequestError, match=name):
        sent(message, *HI, provider=made(unsupported="error"))


def test_a_tool_may_have_failed_and_may_give_media() -> None:
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    body = sent(
        *HI,
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "tooluse_1", "content": [picture, {"json": {"a": 1}}], "is_error": True},
    )
    assert body["messages"][2]["content"] == [
        {
            "toolResult": {
                "toolUseId": "tooluse_1",
                "content": [{"image": {"format": "png", "source": {"bytes": PNG}}}, {"json": {"a": 1}}],
                "status": "error",
            }
        }
    ]


@pytest.mark.parametrize("id", ["call_ä", "x" * 65, "call|fc_1", "", None])
def test_ids_that_bedrock_would_refuse_stay_the_same_for_call_and_result(id: Any) -> None:
    body = sent(
        *HI,
        {"role": "assistant", "content": None, "tool_calls": [{**CALL, "id": id}]},
        {"role": "tool", "tool_call_id": id, "content": "blue"},
    )
    (use,), (result,) = body["messages"][1]["content"], body["messages"][2]["content"]
    assert use["toolUse"]["toolUseId"] == result["toolResult"]["toolUseId"]
    assert use["toolUse"]["toolUseId"].startswith("tooluse_")


# -- parts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mime", "block", "format"),
    [
        ("image/png", "image", "png"),
        ("image/jpg", "image", "jpeg"),
        ("image/webp", "image", "webp"),
        ("video/mp4", "video", "mp4"),
        ("video/quicktime", "video", "mov"),
        ("video/x-matroska", "video", "mkv"),
        ("video/3gpp", "video", "three_gp"),
        ("audio/mpeg", "audio", "mp3"),
        ("audio/x-wav", "audio", "wav"),
        ("application/pdf", "document", "pdf"),
        ("text/csv", "document", "csv"),
        ("text/markdown", "document", "md"),
        ("text/x-python", "document", "txt"),
        ("application/json", "document", "txt"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "document", "docx"),
    ],
)
def test_a_file_is_the_block_of_its_type(mime: str, block: str, format: str) -> None:
    (said,) = blocks({"type": "file", "file": {"filename": "a.bin", "file_data": f"data:{mime};base64,QUJD"}})
    name = {"name": "a-bin"} if block == "document" else {}
    assert said == {block: {"format": format, "source": {"bytes": "QUJD"}, **name}}


def test_a_file_without_a_type_goes_by_its_name() -> None:
    (said,) = blocks({"type": "file", "file": {"filename": "My report.docx", "file_data": "QUJD"}})
    assert said == {"document": {"format": "docx", "name": "My report", "source": {"bytes": "QUJD"}}}


def test_audio_and_video_have_their_own_parts() -> None:
    said = blocks(
        {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
        {"type": "video_url", "video_url": {"url": "data:video/webm;base64,QUJD"}},
        {"type": "video_url", "video_url": "s3://bucket/film.mp4"},
    )
    assert said == [
        {"audio": {"format": "mp3", "source": {"bytes": "QUJD"}}},
        {"video": {"format": "webm", "source": {"bytes": "QUJD"}}},
        {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://bucket/film.mp4"}}}},
    ]


def test_bedrock_fetches_from_s3_itself() -> None:
    said = blocks(
        {"type": "image_url", "image_url": {"url": "s3://bucket/some/picture.jpg"}},
        {"type": "file", "file": {"file_data": "s3://bucket/some/paper.pdf"}},
    )
    paper = {"format": "pdf", "name": "paper", "source": {"s3Location": {"uri": "s3://bucket/some/paper.pdf"}}}
    assert said == [
        {"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://bucket/some/picture.jpg"}}}},
        {"document": paper},
    ]


def test_names_of_documents_are_plain_and_differ() -> None:
    names = ("a_b/c: d.pdf", "ü.pdf", "same.pdf", "same.md", "[x] (1)  y.pdf", "", "x" * 300 + ".pdf")
    data = "data:application/pdf;base64,QUJD"
    said = blocks(*({"type": "file", "file": {"filename": name, "file_data": data}} for name in names))
    assert [block["document"]["name"] for block in said] == [
        *("c- d", "Document", "same", "same (2)", "[x] (1) y", "Document (2)", "x" * 190)
    ]


def test_a_document_may_ask_for_citations() -> None:
    part = {"type": "file", "file": {"filename": "a.txt", "file_data": "QUJD"}, "citations": {"enabled": True}}
    assert blocks(part)[0]["document"]["citations"] == {"enabled": True}


def test_blocks_in_bedrocks_own_words_pass() -> None:
    own = [
        {"cachePoint": {"type": "default"}},
        {"guardContent": {"text": {"text": "x"}}},
        {"document": {"format": "txt", "name": "facts", "source": {"text": "x"}}},
        {"video": {"format": "mp4", "source": {"bytes": "QUJD"}}},
    ]
    assert blocks(*own) == own


def test_cache_control_becomes_a_cache_point_behind_it() -> None:
    marked = {"cache_control": {"type": "ephemeral"}}
    point = {"cachePoint": {"type": "default"}}
    body = sent(
        {"role": "system", "content": [{"type": "text", "text": "Long.", **marked}]},
        {"role": "user", "content": [{"type": "text", "text": "A", **marked}, {"type": "text", "text": "B"}]},
        {"role": "assistant", "content": None, "tool_calls": [CALL], **marked},
        {"role": "tool", "tool_call_id": "tooluse_1", "content": [{"type": "text", "text": "blue", **marked}]},
        tools=[{**LOOK, "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
    )
    assert body["system"] == [{"text": "Long."}, point]
    assert body["messages"][0]["content"] == [{"text": "A"}, point, {"text": "B"}]
    assert body["messages"][1]["content"][1] == point
    assert body["messages"][2]["content"][1] == point
    assert body["messages"][2]["content"][0]["toolResult"]["content"] == [{"text": "blue"}]
    assert body["toolConfig"]["tools"][1] == {"cachePoint": {"type": "default", "ttl": "1h"}}


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            "image_url (https://example.com/a.png)",
        ),
        ({"type": "image_url", "image_url": {"url": "data:image/tiff;base64,QUJD"}}, "image_url (image/tiff)"),
        ({"type": "file", "file": {"file_id": "file-1"}}, "file ()"),
        ({"type": "file", "file": {"filename": "a.zip", "file_data": "QUJD"}}, "file ()"),
        ({"type": "hologram", "hologram": {}}, "hologram"),
    ],
)
def test_what_no_block_can_say_is_left_out_or_refused(part: Any, told: str, caplog: pytest.LogCaptureFixture) -> None:
    assert blocks({"type": "text", "text": "Look"}, part) == [{"text": "Look"}]
    assert caplog.messages == [f"Acme cannot be told {told}: left out of its requests."]
    with pytest.raises(RequestError, match="Acme cannot be told"):
        sent({"role": "user", "content": [part]}, provider=made(unsupported="error"))


# -- reasoning, sent back ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "texts"),
    [
        (CLAUDE, [{"text": "Hm.", "signature": "sig"}]),
        (NOVA, [{"text": "Hm."}]),
        (ARN, [{"text": "Hm.", "signature": "sig"}, {"text": "Hm."}]),
        ("us.deepseek.r1-v1:0", []),
    ],
)
def test_a_model_gets_back_the_reasoning_that_it_takes(model: str, texts: list[Any]) -> None:
    thought = {"role": "assistant", "content": "Blue.", "reasoning_details": [SIGNED, UNSIGNED, REDACTED, FOREIGN]}
    said = sent(*HI, thought, *HI, model=model)["messages"][1]["content"]
    told = [block["reasoningContent"] for block in said if "reasoningContent" in block]
    assert [one["reasoningText"] for one in told if "reasoningText" in one] == texts
    assert [one for one in told if "redactedContent" in one] == ([{"redactedContent": "QUJD"}] if texts else [])
    assert said[-1] == {"text": "Blue."}


def test_what_bedrocks_own_tools_did_is_sent_back_as_long_as_it_still_says_the_same() -> None:
    kept = {"role": "assistant", "content": "4.0", "provider_metadata": {"bedrock": {"content": SERVER}}}
    tools = [{"systemTool": {"name": "nova_grounding"}}]
    assert sent(*HI, kept, *HI, model=NOVA, tools=tools)["messages"][1]["content"] == SERVER
    assert sent(*HI, kept, *HI)["messages"][1]["content"] == [{"text": "4.0"}]
    edited = {**kept, "content": "4.1"}
    assert sent(*HI, edited, *HI, model=NOVA, tools=tools)["messages"][1]["content"] == [{"text": "4.1"}]

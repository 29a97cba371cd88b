"""Images of OpenAI and xAI, as they are asked for and as they come."""

from typing import Any

import pytest

from llms.api import ProviderError, RequestError
from llms.extensions.providers.generators.openai_images import OpenAiImages, XaiImages


def urls(completion: Any) -> list[str]:
    return [part["image_url"]["url"] for part in completion["choices"][0]["message"]["images"]]


async def test_an_image_comes_as_a_part_of_the_message(asking: Any, png: str) -> None:
    openai = asking(OpenAiImages)
    openai.answers({"data": [{"b64_json": png}], "usage": {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}})
    completion = await openai(model="gpt-image-1")
    message = completion["choices"][0]["message"]
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{png}"}, "index": 0}
    assert message["images"] == [image]
    assert message["content"] == openai.maker.default_content
    assert completion["usage"] == {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    assert (openai.path, openai.sent) == ("/v1/images/generations", {"model": "gpt-image-1", "prompt": "A cat", "n": 1})


@pytest.mark.parametrize(
    ("model", "ratio", "size"),
    [
        ("gpt-image-1", "16:9", "1536x1024"),
        ("gpt-image-1", "2:3", "1024x1536"),
        ("gpt-image-1", "1:1", "1024x1024"),
        ("dall-e-3", "16:9", "1792x1024"),
        ("dall-e-2", "9:16", "1024x1024"),
    ],
)
async def test_the_size_is_the_nearest_that_the_model_has(
    asking: Any, png: str, model: str, ratio: str, size: str
) -> None:
    openai = asking(OpenAiImages)
    openai.answers({"data": [{"b64_json": png}]})
    await openai(model=model, image_config={"aspect_ratio": ratio})
    assert openai.sent["size"] == size


@pytest.mark.parametrize("ratio", ["wide", "1:0", "0:1", "16:9:1", "9999:1", "nan:1"])
async def test_what_is_no_aspect_ratio_is_refused(asking: Any, ratio: str) -> None:
    openai = asking(OpenAiImages)
    with pytest.raises(RequestError, match="is no aspect ratio"):
        await openai(image_config={"aspect_ratio": ratio})
    assert openai.vendor.requests == []


async def test_settings_of_chat_and_entry_are_sent_and_the_chats_win(asking: Any, png: str) -> None:
    openai = asking(OpenAiImages, quality="low", background="opaque")
    openai.answers({"data": [{"b64_json": png}], "output_format": "webp"})
    completion = await openai(model="gpt-image-1", n=2, quality="high", size="2048x2048")
    assert openai.sent == {
        "model": "gpt-image-1",
        "prompt": "A cat",
        "n": 2,
        "quality": "high",
        "background": "opaque",
        "size": "2048x2048",
    }
    assert urls(completion) == [f"data:image/webp;base64,{png}"]


async def test_an_older_model_is_asked_for_the_image_itself_and_may_send_a_link(asking: Any) -> None:
    openai = asking(OpenAiImages)
    openai.answers({"data": [{"url": "https://example.com/cat.png", "revised_prompt": "A grey cat"}]})
    completion = await openai(model="dall-e-3")
    assert openai.sent["response_format"] == "b64_json"
    assert urls(completion) == ["https://example.com/cat.png"]
    assert completion["choices"][0]["message"]["images"][0]["revised_prompt"] == "A grey cat"


async def test_a_model_that_only_writes_may_have_another_make_its_images(asking: Any, png: str) -> None:
    openai = asking(OpenAiImages, map_image_models={"gpt-5": "gpt-image-1"})
    openai.answers({"data": [{"b64_json": png}]})
    await openai(model="gpt-5")
    assert openai.sent["model"] == "gpt-image-1"


async def test_an_image_of_the_user_is_edited(asking: Any, png: str, with_image: Any) -> None:
    openai = asking(OpenAiImages, input_fidelity="high")
    openai.answers({"data": [{"b64_json": png}]})
    await openai(with_image, model="gpt-image-1")
    assert openai.path == "/v1/images/edits"
    assert openai.sent["images"] == [{"image_url": f"data:image/png;base64,{png}"}]
    assert (openai.sent["prompt"], openai.sent["input_fidelity"]) == ("Make it blue", "high")


async def test_an_older_model_gets_it_in_a_form(asking: Any, png: str, with_image: Any) -> None:
    openai = asking(OpenAiImages)
    openai.answers({"data": [{"b64_json": png}]})
    await openai(with_image, model="dall-e-2")
    assert openai.vendor.requests[0].headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert b'name="image"; filename="image.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG' in openai.sent
    assert b'name="prompt"\r\n\r\nMake it blue\r\n' in openai.sent


async def test_a_refused_prompt_is_told_in_the_vendors_words(asking: Any) -> None:
    openai = asking(OpenAiImages)
    openai.answers({"error": {"message": "Your request was rejected.", "code": "moderation_blocked"}}, status=400)
    with pytest.raises(ProviderError, match="Your request was rejected") as raised:
        await openai()
    assert (raised.value.status, raised.value.code) == (400, "moderation_blocked")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<html>Down</html>", "not JSON"),
        ({"data": []}, "made nothing"),
        ({}, "made nothing"),
        ({"data": [{}]}, "cannot be read"),
        ({"data": ["image"]}, "cannot be read"),
        ([1], "cannot be read"),
        ({"data": [{"b64_json": "no base64!"}]}, "not valid base64"),
        ({"data": [{"b64_json": 7}]}, "cannot be read"),
    ],
)
async def test_an_answer_without_an_image_is_an_error(asking: Any, body: Any, told: str) -> None:
    openai = asking(OpenAiImages)
    openai.answers(body)
    with pytest.raises(ProviderError, match=told) as raised:
        await openai()
    assert "Acme" in str(raised.value)


@pytest.mark.parametrize("n", [0, -1, 11, "two", 1.5])
async def test_an_impossible_number_of_images_is_refused(asking: Any, n: Any) -> None:
    with pytest.raises(RequestError, match="`n`"):
        await asking(OpenAiImages)(n=n)


@pytest.mark.parametrize("content", ["", " ", None, []])
async def test_a_chat_without_a_prompt_is_refused(asking: Any, content: Any) -> None:
    with pytest.raises(RequestError, match="has no text"):
        await asking(OpenAiImages)(content)


# -- xAI -------------------------------------------------------------------------------------------------------


async def test_xai_is_told_the_aspect_ratio_and_tells_what_it_cost(asking: Any, png: str) -> None:
    xai = asking(XaiImages)
    xai.answers({"data": [{"b64_json": png, "mime_type": "image/jpeg"}], "usage": {"cost_in_usd_ticks": 200000000}})
    completion = await xai(model="grok-imagine-image", image_config={"aspect_ratio": "16:9", "image_size": "2K"})
    assert xai.sent == {
        "model": "grok-imagine-image",
        "prompt": "A cat",
        "n": 1,
        "response_format": "b64_json",
        "aspect_ratio": "16:9",
        "resolution": "2k",
    }
    assert completion["cost"] == 0.02
    assert urls(completion) == [f"data:image/jpeg;base64,{png}"]


async def test_xai_edits_an_image(asking: Any, png: str, with_image: Any) -> None:
    xai = asking(XaiImages)
    xai.answers({"data": [{"b64_json": png}]})
    await xai(with_image)
    assert xai.path == "/v1/images/edits"
    assert xai.sent["image"] == {"type": "image_url", "url": f"data:image/png;base64,{png}"}

"""Images of the vendors that have words of their own for them."""

from typing import Any

import pytest

from llms.api import Limits, ProviderError, ProviderTimeout, RequestError
from llms.extensions.providers.generators.chutes_images import ChutesImages
from llms.extensions.providers.generators.fireworks_images import FireworksImages
from llms.extensions.providers.generators.gemini_images import GeminiImages, ImagenImages
from llms.extensions.providers.generators.nvidia_images import NvidiaImages
from llms.extensions.providers.generators.openrouter_images import OpenRouterImages
from llms.extensions.providers.generators.zai_images import ZaiImages
from llms.testing import FakeUpstream, Hang


def urls(completion: Any) -> list[str]:
    return [part["image_url"]["url"] for part in completion["choices"][0]["message"]["images"]]


# -- OpenRouter ------------------------------------------------------------------------------------------------


async def test_openrouter_has_an_endpoint_for_images_and_tells_what_they_cost(asking: Any, png: str) -> None:
    openrouter = asking(OpenRouterImages)
    usage = {"prompt_tokens": 0, "completion_tokens": 4175, "total_tokens": 4175, "cost": 0.04}
    openrouter.answers({"data": [{"b64_json": png, "media_type": "image/webp"}], "usage": usage})
    completion = await openrouter(seed=7, image_config={"aspect_ratio": "16:9", "image_size": "2K"})
    sent = {"model": "m", "prompt": "A cat", "seed": 7, "aspect_ratio": "16:9", "resolution": "2K"}
    assert (openrouter.path, openrouter.sent) == ("/v1/images", sent)
    assert (completion["cost"], completion["usage"]["completion_tokens"]) == (0.04, 4175)
    assert urls(completion) == [f"data:image/webp;base64,{png}"]
    assert completion["choices"][0]["message"]["images"][0]["seed"] == 7


async def test_openrouter_takes_images_to_work_from(asking: Any, png: str, with_image: Any) -> None:
    openrouter = asking(OpenRouterImages)
    openrouter.answers({"data": [{"b64_json": png}]})
    await openrouter(with_image, n=2)
    assert openrouter.sent["n"] == 2
    assert openrouter.sent["input_references"] == [with_image[0]]


# -- Chutes ----------------------------------------------------------------------------------------------------


async def test_chutes_answers_with_the_image_itself(asking: Any, fake_upstream: FakeUpstream) -> None:
    entry = {"cfg_scale": 7.5, "steps": 20, "negative_prompt": "blur"}
    chutes = asking(ChutesImages, chat_url=f"{fake_upstream.url}/generate", **entry)
    chutes.answers(b"\xff\xd8\xff-image", kind="image/jpeg")
    completion = await chutes(seed=3, image_config={"aspect_ratio": "16:9"})
    assert chutes.sent == {
        "model": "m",
        "prompt": "A cat",
        "width": 1344,
        "height": 768,
        "negative_prompt": "blur",
        "seed": 3,
        "guidance_scale": 7.5,
        "num_inference_steps": 20,
    }
    assert urls(completion) == ["data:image/jpeg;base64,/9j/LWltYWdl"]


async def test_several_images_are_asked_for_beside_each_other_with_seeds_of_their_own(
    asking: Any, fake_upstream: FakeUpstream
) -> None:
    chutes = asking(ChutesImages, chat_url=f"{fake_upstream.url}/generate", width=512)
    for content in (b"one", b"two", b"six"):
        chutes.answers(content, kind="image/png")
    completion = await chutes(n=3, seed=10)
    assert sorted(request.body["seed"] for request in fake_upstream.requests) == [10, 11, 12]
    assert {request.body["width"] for request in fake_upstream.requests} == {512}
    images = completion["choices"][0]["message"]["images"]
    assert [(image["index"], image["seed"]) for image in images] == [(0, 10), (1, 11), (2, 12)]


async def test_one_failure_of_several_is_the_answer(asking: Any, fake_upstream: FakeUpstream) -> None:
    chutes = asking(ChutesImages, chat_url=f"{fake_upstream.url}/generate")
    chutes.answers({"detail": "No GPU"}, status=503)
    fake_upstream.enqueue(Hang())
    with pytest.raises(ProviderError, match="No GPU"):
        await chutes(n=2)
    await fake_upstream.gone.wait()


def test_a_chute_of_its_own_is_asked_at_its_host() -> None:
    chutes = ChutesImages(api="https://llm.chutes.ai/v1", api_key="k")
    assert chutes.url_of("qwen-image") == "https://image.chutes.ai/generate"
    assert chutes.url_of("chutes-hidream") == "https://chutes-hidream.chutes.ai/generate"
    with pytest.raises(RequestError, match="no URL can hold"):
        chutes.url_of("chutes-@evil.example/")


async def test_chutes_edits_an_image(asking: Any, png: str, with_image: Any, fake_upstream: FakeUpstream) -> None:
    chutes = asking(ChutesImages, chat_url=f"{fake_upstream.url}/generate")
    chutes.answers({"image": png})
    completion = await chutes(with_image)
    assert chutes.sent["image_b64s"] == [png]
    assert urls(completion) == [f"data:image/jpeg;base64,{png}"]


# -- NVIDIA ----------------------------------------------------------------------------------------------------


async def test_nvidia_is_asked_for_flux(asking: Any, png: str, fake_upstream: FakeUpstream) -> None:
    nvidia = asking(NvidiaImages, chat_url=f"{fake_upstream.url}/genai", steps=30, mode="base")
    nvidia.answers({"artifacts": [{"base64": png, "finishReason": "SUCCESS", "seed": 9}]})
    completion = await nvidia(model="black-forest-labs/flux.1-dev", image_config={"aspect_ratio": "9:16"})
    assert nvidia.path == "/v1/genai/black-forest-labs/flux.1-dev"
    assert nvidia.sent == {"prompt": "A cat", "width": 768, "height": 1344, "steps": 30, "mode": "base"}
    assert completion["choices"][0]["message"]["images"][0]["seed"] == 9


async def test_nvidia_is_asked_for_stable_diffusion(asking: Any, png: str, fake_upstream: FakeUpstream) -> None:
    nvidia = asking(NvidiaImages, chat_url=f"{fake_upstream.url}/genai", negative_prompt="blur")
    nvidia.answers({"image": png, "finish_reason": "SUCCESS", "seed": 9})
    await nvidia(model="stabilityai/stable-diffusion-3-medium", image_config={"aspect_ratio": "21:9"})
    assert nvidia.sent == {"prompt": "A cat", "aspect_ratio": "16:9", "negative_prompt": "blur"}
    nvidia.answers({"artifacts": [{"base64": png}]})
    await nvidia(model="stabilityai/stable-diffusion-xl", cfg_scale=5)
    prompts = [{"text": "A cat", "weight": 1}, {"text": "blur", "weight": -1}]
    assert nvidia.sent == {"text_prompts": prompts, "cfg_scale": 5}


async def test_nvidia_edits_an_image(asking: Any, png: str, with_image: Any, fake_upstream: FakeUpstream) -> None:
    nvidia = asking(NvidiaImages, chat_url=f"{fake_upstream.url}/genai")
    nvidia.answers({"artifacts": [{"base64": png}]})
    await nvidia(with_image, model="black-forest-labs/flux.1-kontext-dev")
    assert nvidia.sent == {"prompt": "Make it blue", "image": f"data:image/png;base64,{png}"}


async def test_what_nvidia_filtered_is_a_refusal(asking: Any, png: str, fake_upstream: FakeUpstream) -> None:
    nvidia = asking(NvidiaImages, chat_url=f"{fake_upstream.url}/genai")
    nvidia.answers({"artifacts": [{"base64": png, "finishReason": "CONTENT_FILTERED"}]})
    with pytest.raises(ProviderError, match="Acme refused") as raised:
        await nvidia()
    assert (raised.value.status, raised.value.code) == (400, "content_policy_violation")


@pytest.mark.parametrize("model", ["../chat", "a/../b", "a?b=c", "a#b", "a b", "/a", "a@b", ""])
async def test_a_model_leads_to_no_other_place(asking: Any, model: str) -> None:
    with pytest.raises(RequestError, match="no URL can hold"):
        await asking(NvidiaImages)(model=model)


# -- Z.ai ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "size"), [("glm-image", "1728x960"), ("cogview-4-250304", "1344x768")])
async def test_zai_has_sizes_of_each_model(asking: Any, model: str, size: str) -> None:
    zai = asking(ZaiImages, quality="hd", user_id="user-1")
    zai.answers({"created": 1, "data": [{"url": "https://example.com/cat.png"}]})
    completion = await zai(model=model, image_config={"aspect_ratio": "16:9"})
    assert zai.sent == {"model": model, "prompt": "A cat", "quality": "hd", "user_id": "user-1", "size": size}
    assert urls(completion) == ["https://example.com/cat.png"]


async def test_what_zai_filtered_is_a_refusal(asking: Any) -> None:
    zai = asking(ZaiImages)
    zai.answers({"created": 1, "data": [], "content_filter": [{"role": "user", "level": 0}]})
    with pytest.raises(ProviderError, match="Acme refused"):
        await zai()


# -- Fireworks -------------------------------------------------------------------------------------------------


async def test_fireworks_makes_flux_at_once(asking: Any, png: str) -> None:
    fireworks = asking(FireworksImages, steps=4, cfg_scale=3.5)
    answer = {"id": "1", "base64": [f"data:image/png;base64,{png}"], "finishReason": "SUCCESS", "seed": 5}
    fireworks.answers(answer)
    model = "accounts/fireworks/models/flux-1-schnell-fp8"
    completion = await fireworks(model=model, image_config={"aspect_ratio": "3:2"})
    assert fireworks.path == f"/v1/workflows/{model}/text_to_image"
    sent = {"prompt": "A cat", "aspect_ratio": "3:2", "guidance_scale": 3.5, "num_inference_steps": 4}
    assert fireworks.sent == sent
    assert urls(completion) == [f"data:image/png;base64,{png}"]


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llms.extensions.providers.generators.fireworks_images._PAUSES", (0.0,))


async def test_fireworks_kontext_is_asked_until_it_is_ready(
    asking: Any, png: str, with_image: Any, no_pauses: None
) -> None:
    fireworks = asking(FireworksImages)
    fireworks.answers({"request_id": "task-1"})
    fireworks.answers({"id": "task-1", "status": "Task not found"})
    fireworks.answers({"id": "task-1", "status": "Pending"})
    fireworks.answers({"id": "task-1", "status": "Ready", "result": {"sample": "https://example.com/cat.jpg"}})
    completion = await fireworks(with_image, model="flux-kontext-pro")
    assert urls(completion) == ["https://example.com/cat.jpg"]
    begun, *_, last = fireworks.vendor.requests
    assert begun.path == "/v1/workflows/accounts/fireworks/models/flux-kontext-pro"
    assert begun.body == {"prompt": "Make it blue", "input_image": png}
    assert (last.path, last.body) == (f"{begun.path}/get_result", {"id": "task-1"})


async def test_fireworks_kontext_is_not_asked_for_ever(asking: Any, no_pauses: None) -> None:
    fireworks = asking(FireworksImages)
    fireworks.maker.http.limits = Limits(client_timeout=0.3)
    fireworks.answers({"request_id": "task-1"})
    for _ in range(5000):
        fireworks.answers({"status": "Pending"})
    with pytest.raises(ProviderTimeout, match=r"within 0.3 s\. Raise `limits.client_timeout`"):
        await fireworks(model="flux-kontext-pro")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"status": "Request Moderated"}, "refused"),
        ({"status": "Content Moderated"}, "refused"),
        ({"status": "Error", "details": "out of paint"}, "out of paint"),
        ({"status": "Ready", "result": None}, "cannot be read"),
        ({"status": "Ready", "result": {}}, "cannot be read"),
        ([], "cannot be read"),
    ],
)
async def test_a_kontext_task_that_failed_says_why(asking: Any, answer: Any, told: str) -> None:
    fireworks = asking(FireworksImages)
    fireworks.answers({"request_id": "task-1"})
    fireworks.answers(answer)
    with pytest.raises(ProviderError, match=told):
        await fireworks(model="flux-kontext-max")


async def test_a_kontext_task_that_never_began_is_an_error(asking: Any) -> None:
    fireworks = asking(FireworksImages)
    fireworks.answers({"id": 1})
    with pytest.raises(ProviderError, match="began no task"):
        await fireworks(model="flux-kontext-max")


# -- Gemini ----------------------------------------------------------------------------------------------------


def candidate(*parts: Any, **more: Any) -> Any:
    return {"candidates": [{"content": {"role": "model", "parts": [*parts]}, "finishReason": "STOP", **more}]}


async def test_gemini_makes_images_and_says_something_about_them(asking: Any, png: str, with_image: Any) -> None:
    gemini = asking(GeminiImages, safety_settings=[{"category": "X", "threshold": "OFF"}])
    inline = {"inlineData": {"mimeType": "image/png", "data": png}}
    usage = {"promptTokenCount": 4, "candidatesTokenCount": 6, "thoughtsTokenCount": 2, "totalTokenCount": 12}
    answer = candidate({"text": "Hm", "thought": True}, {"text": "A blue cat"}, inline)
    gemini.answers({**answer, "usageMetadata": usage})
    completion = await gemini(
        with_image, model="gemini-2.5-flash-image", image_config={"aspect_ratio": "16:9", "image_size": "2K"}
    )
    assert gemini.path == "/v1/models/gemini-2.5-flash-image:generateContent"
    assert gemini.vendor.requests[0].headers["x-goog-api-key"] == "key-0123456789"
    assert "Authorization" not in gemini.vendor.requests[0].headers
    assert gemini.sent == {
        "contents": [{"role": "user", "parts": [inline, {"text": "Make it blue"}]}],
        "generationConfig": {
            "responseModalities": ["TEXT", "IMAGE"],
            "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"},
        },
        "safetySettings": [{"category": "X", "threshold": "OFF"}],
    }
    assert completion["choices"][0]["message"]["content"] == "A blue cat"
    assert urls(completion) == [f"data:image/png;base64,{png}"]
    assert completion["usage"]["completion_tokens"] == 8


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"promptFeedback": {"blockReason": "SAFETY"}}, r"blocked the prompt \(SAFETY\)"),
        (candidate(finishReason="IMAGE_SAFETY"), "stopped for IMAGE_SAFETY"),
        ({"candidates": [{"finishReason": "NO_IMAGE"}]}, "stopped for NO_IMAGE"),
        (candidate(), "made nothing"),
        (candidate("odd"), "cannot be read"),
    ],
)
async def test_what_gemini_refuses_is_an_error(asking: Any, answer: Any, told: str) -> None:
    gemini = asking(GeminiImages)
    gemini.answers(answer)
    with pytest.raises(ProviderError, match=told):
        await gemini()


async def test_imagen_is_asked_in_its_own_way(asking: Any, png: str) -> None:
    imagen = asking(GeminiImages)
    imagen.answers({"predictions": [{"bytesBase64Encoded": png, "mimeType": "image/png"}]})
    completion = await imagen(model="imagen-4.0-generate-001", image_config={"aspect_ratio": "4:3"})
    assert imagen.path == "/v1/models/imagen-4.0-generate-001:predict"
    parameters = {"sampleCount": 1, "aspectRatio": "4:3"}
    assert imagen.sent == {"instances": [{"prompt": "A cat"}], "parameters": parameters}
    assert urls(completion) == [f"data:image/png;base64,{png}"]
    for answer, told in (({}, "its filter"), ({"predictions": [{"raiFilteredReason": "Too odd."}]}, "Too odd")):
        imagen.answers(answer)
        with pytest.raises(ProviderError, match=told):
            await imagen(model="imagen-4.0-generate-001")


def test_gemini_models_are_left_to_a_dialect_of_their_own() -> None:
    assert ImagenImages().serves("imagen-4.0-generate-001", None)
    assert not ImagenImages().serves("gemini-2.5-flash-image", None)
    assert GeminiImages().serves("gemini-2.5-flash-image", None)

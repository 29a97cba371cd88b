"""Every recorded exchange about images and audio, replayed through the generator of its vendor.

The recordings lie beside the checkout and are not part of it; without them there is nothing to replay.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from llms.extensions.providers.generators import openai_images, openai_speech, transcription
from llms.kernel.errors import ProviderError
from llms.providers.generator import GeneratorBase
from llms.providers.http import HttpClient
from llms.testing import FakeUpstream

from .records import FOLDER, body, files, records
from .table import Table

FILES = [*files("images"), *files("audio")]

pytestmark = pytest.mark.skipif(not FILES, reason=f"no recorded traffic at {FOLDER.parent.name}/{FOLDER.name}")
every_vendor = pytest.mark.parametrize("file", FILES, ids=lambda path: path.name.removesuffix(".jsonl"))

CLASSES: Any = {
    ("openai", "images"): openai_images.OpenAiImages,
    ("xai", "images"): openai_images.XaiImages,
    ("openai", "speech"): openai_speech.OpenAiSpeech,
    ("openrouter", "speech"): openai_speech.OpenRouterSpeech,
    ("mistral", "speech"): openai_speech.MistralSpeech,
    ("openai", "transcriptions"): transcription.OpenAiTranscriptions,
    ("mistral", "transcriptions"): transcription.MistralTranscriptions,
    ("cohere", "transcriptions"): transcription.CohereTranscriptions,
}
# Records that are not replayed, or whose request is not sent as recorded, and why that is right. May only shrink.
NOT_REPLAYED = {
    "audio.openai.52d7ed3f8e89": "a streamed transcript: we never ask for one, since generators answer whole",
}
SENT_OTHERWISE = {
    "images.openai.fc3418d0a943": "names no model, which we always do",
    "images.openai.1d1ef41a37f0": "an image as a link: we ask for the image itself, and say that it is one",
    "images.xai.f74b289cbba1": "an image as a link: we ask for the image itself, and say that it is one",
    "audio.openai.951ca165094c": "leaves the format to the vendor, which we always tell",
    "audio.openai.724e0860ab17": "leaves the format to the vendor, which we always tell",
    "audio.mistral.fed347f28a73": "leaves the format to the vendor, which we always tell",
}


def kind(record: Any) -> str:
    """The room of the vendor's API that was asked."""
    return next(room for room in ("images", "speech", "transcriptions") if room in record["request"]["path"])


def chat(record: Any) -> Any:
    """What a client would have asked to send the recorded request."""
    if kind(record) == "transcriptions":
        sound = {"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}}
        return {"model": "m", "messages": [{"role": "user", "content": [sound]}]}
    asked = dict(record["request"]["body"])
    content: Any = [{"type": "text", "text": asked.pop("prompt", None) or asked.pop("input", None)}]
    content += [{"type": "image_url", "image_url": {"url": one["image_url"]}} for one in asked.pop("images", ())]
    voice = {"voice": asked.pop("voice", None), "format": asked.pop("response_format", None)}
    audio = {"audio": voice} if kind(record) == "speech" else {}
    return {"model": "m", **asked, **audio, "messages": [{"role": "user", "content": content}]}


def generator(record: Any, http: HttpClient, vendor: FakeUpstream) -> GeneratorBase:
    made: GeneratorBase = CLASSES[record["provider"], kind(record)](id="acme", name="Acme", api=vendor.url, api_key="k")
    made.http = http
    return made


def differences(record: Any, completion: Any) -> list[str]:
    """What `completion` does not say as it is expected."""
    expected, message = record["expected"], completion["choices"][0]["message"]
    told: Any = {}
    if "images_count" in expected:
        urls = [part["image_url"]["url"] for part in message["images"]]
        kinds = ["b64_json" if url.startswith("data:image/") else "url" for url in urls]
        told = {"images_count": len(urls), "kinds": kinds}
    elif kind(record) == "transcriptions":
        told = {"text": message["content"]}
    elif "audio_bytes" in expected:
        told = {"audio_bytes": len(sound(message)) - (44 if sound(message).startswith(b"RIFF") else 0)}
    else:  # Mistral's sound, in JSON
        (part,) = message["audios"]
        expected = {"audio": base64.b64decode(json.loads(body(record))["audio_data"])}
        told = {"audio": sound({"audios": [part]})}
    return [
        f"{key}: {str(told[key])[:99]}, not {str(expected[key])[:99]}" for key in told if told[key] != expected[key]
    ]


def sound(message: Any) -> bytes:
    (part,) = message["audios"]
    return base64.b64decode(part["audio_url"]["url"].partition(",")[2])


async def replayed(record: Any, http: HttpClient, vendor: FakeUpstream, pieces: int) -> list[str]:
    """What is read otherwise than expected, the answer coming in so many pieces."""
    response, data = record["response"], body(record)
    size = max(1, len(data) // pieces)
    cut = [data[i : i + size] for i in range(0, len(data), size)]
    vendor.enqueue(*cut, status=response["status"], headers=response["headers"])
    try:
        completion = await generator(record, http, vendor).chat(chat(record))
    except ProviderError as error:
        wanted = record["expected"].get("error") or {"status": 0, "message": "no error"}
        as_expected = error.upstream_status == wanted["status"] and wanted["message"] in str(error)
        return [] if as_expected else [f"refused: {error}"]
    return differences(record, completion)


@every_vendor
@pytest.mark.parametrize(("column", "pieces"), [("whole", 1), ("cut anywhere", 23)])
async def test_recorded_answers_read_as_expected(
    file: Path, *, column: str, pieces: int, http: HttpClient, fake_upstream: FakeUpstream, table: Table
) -> None:
    found = {}
    for record in records(file):
        if record["id"] in NOT_REPLAYED:
            found[record["id"]] = [NOT_REPLAYED[record["id"]]]
        elif told := await replayed(record, http, fake_upstream, pieces):
            found[record["id"]] = told
    table.add(file.name.partition(".")[0], column, file, found)
    assert {id: told for id, told in found.items() if id not in NOT_REPLAYED} == {}


@every_vendor
async def test_recorded_requests_are_sent_as_they_were(
    file: Path, http: HttpClient, fake_upstream: FakeUpstream, table: Table
) -> None:
    found = {}
    for record in records(file):
        if record["id"] in NOT_REPLAYED:
            found[record["id"]] = NOT_REPLAYED[record["id"]]
            continue
        await replayed(record, http, fake_upstream, 1)
        sent = fake_upstream.requests[-1]
        assert record["request"]["path"].endswith(sent.path.removeprefix("/v1")), record["id"]
        if kind(record) == "transcriptions":  # the form was not recorded
            assert sent.headers["Content-Type"].startswith("multipart/form-data; boundary="), record["id"]
        elif meaning(sent.body) != meaning(record["request"]["body"]):
            found[record["id"]] = f"{sent.body}"
    table.add(file.name.partition(".")[0], "sent", file, found)
    assert {id: told for id, told in found.items() if id not in {*NOT_REPLAYED, *SENT_OTHERWISE}} == {}
    assert {id for id in SENT_OTHERWISE if id.startswith(file.name.removesuffix("jsonl"))} <= found.keys()


def meaning(request: Any) -> Any:
    """`request` without what says nothing: one image is what is made anyway."""
    return {key: value for key, value in request.items() if (key, value) != ("n", 1)}

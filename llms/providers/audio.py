"""Audio as one vendor wants it."""

from typing import Any

from llms.kernel.types import Json, Message


def with_audio_as_data_uris(messages: list[Message]) -> list[Any]:
    """`messages` with data URIs where base64 stood as audio. Copies only what it changes."""
    return [
        {**message, "content": [_as_data_uri(part) for part in content]}
        if isinstance(content := message.get("content"), list)
        else message
        for message in messages
    ]


def _as_data_uri(part: Any) -> Any:
    audio = part.get("input_audio") if isinstance(part, dict) else None
    if not isinstance(audio, dict) or not isinstance(data := audio.get("data"), str):
        return part
    if data.startswith(("data:", "http://", "https://")):
        return part
    uri: Json = {**audio, "data": f"data:audio/{audio.get('format') or 'wav'};base64,{data}"}
    return {**part, "input_audio": uri}

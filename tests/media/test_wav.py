"""Bare numbers as a file that can be played."""

import io
import wave

import pytest

from llms.media.wav import wav_of


@pytest.mark.parametrize(("rate", "channels", "bits"), [(24_000, 1, 16), (44_100, 2, 16), (8_000, 1, 8)])
def test_what_is_written_is_read_back(rate: int, channels: int, bits: int) -> None:
    pcm = bytes(range(96))
    with wave.open(io.BytesIO(wav_of(pcm, rate=rate, channels=channels, bits=bits))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth() * 8) == (rate, channels, bits)
        assert file.readframes(file.getnframes()) == pcm


def test_silence_is_a_file_too() -> None:
    assert len(wav_of(b"")) == 44

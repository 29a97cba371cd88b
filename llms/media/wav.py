"""Sound as numbers alone, put into a file that every player knows."""

import struct


def wav_of(pcm: bytes, *, rate: int = 24_000, channels: int = 1, bits: int = 16) -> bytes:
    """A WAV file of `pcm`: whole numbers of `bits` bits, little-endian, `rate` of them a second for each channel.

    The defaults are what OpenAI and Google speak in. http://soundfile.sapp.org/doc/WaveFormat/
    """
    frame = channels * bits // 8
    about = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * frame, frame, bits)
    data = struct.pack("<4sI", b"data", len(pcm)) + pcm
    return struct.pack("<4sI4s", b"RIFF", 4 + len(about) + len(data), b"WAVE") + about + data

"""Recordings from files, in: WAV, MP3, M4A and others. Prompts to files, out: WAV, raw G.711."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Iterator
from pathlib import Path

import babycat
import numpy as np
from numpy.typing import NDArray

from providers.audio.g711 import RATE, Samples, encode
from providers.audio.prompt import Prepared, prepare

MOST_BYTES = 100 * 1024 * 1024
#: What can be written: 8 kHz mono WAV of 16 bits, or bare bytes of a telephone codec.
FORMATS = ("wav", "ulaw", "alaw")
_CODECS = {"ulaw": "PCMU", "alaw": "PCMA"}
#: MPEG-4 audio sampling rates, in the order of their index (ISO/IEC 14496-3, table 1.18).
_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)


class UnreadableSound(Exception):
    """No recording that can be read; the text says which and what to do."""


def read(path: Path) -> Prepared:
    """A recording, prepared as a prompt. Raises :class:`UnreadableSound`."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise UnreadableSound(f"{path}: 大きすぎます / too large: {size} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableSound(f"{path}: 読めません / cannot be read: {error.strerror}") from error
    try:
        return read_bytes(content)
    except UnreadableSound as error:
        raise UnreadableSound(f"{path}: {error}") from None


def read_bytes(content: bytes) -> Prepared:
    """The content of a file, prepared as a prompt. Raises :class:`UnreadableSound`."""
    samples, rate = decoded(content)
    return prepare(samples, rate)


def decoded(content: bytes) -> tuple[NDArray[np.float64], int]:
    """Mono samples (full scale 1.0) and their rate. Raises :class:`UnreadableSound`."""
    if content[4:8] == b"ftyp":
        content = _adts_of_mp4(content)
    try:
        waveform = babycat.Waveform.from_encoded_bytes(content)
    except babycat.exceptions.BabycatError as error:
        raise UnreadableSound(
            "WAV・MP3・M4A（AAC）のどれでもありません / "
            f"neither WAV, MP3 nor M4A (AAC): {type(error).__name__}"
        ) from None
    channels = np.asarray(waveform.to_numpy(), dtype=np.float64)
    if channels.ndim == 2:
        channels = channels.mean(axis=1)
    if not len(channels) or not waveform.frame_rate_hz:
        raise UnreadableSound("音が入っていません / there is no sound in it")
    return channels, int(waveform.frame_rate_hz)


def written(samples: Samples, form: str) -> bytes:
    """A prompt as the content of a file of one of :data:`FORMATS`."""
    if form in _CODECS:
        return encode(samples, _CODECS[form])
    if form != "wav":
        raise ValueError(f"no such format: {form}")
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return target.getvalue()


def _adts_of_mp4(content: bytes) -> bytes:
    """The AAC packets of an MPEG-4 file (ISO/IEC 14496-12), each behind an ADTS header.

    The decoder reads AAC, but not this container without a declared channel layout.
    """
    try:
        boxes = dict(_sound_table(content))
        profile, rate_index, channels = _configuration(boxes[b"stsd"])
        sizes = _sizes(boxes[b"stsz"])
        offsets = _offsets(boxes)
        per_chunk = _per_chunk(boxes[b"stsc"], len(offsets))
    except (KeyError, IndexError, ValueError, struct.error) as error:
        raise UnreadableSound(
            "M4A ですが AAC の音が見つかりません / an M4A file without AAC sound"
        ) from error
    result, number = bytearray(), 0
    for offset, count in zip(offsets, per_chunk, strict=True):
        for size in sizes[number : number + count]:
            result += _adts_header(size + 7, profile, rate_index, channels)
            result += content[offset : offset + size]
            offset += size
        number += count
    return bytes(result)


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        start = at + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", content, start)
            start += 8
        end = at + size if size else len(content)
        if end < start:
            raise ValueError("a box that ends before it begins")
        yield kind, content[start:end]
        at = end


def _sound_table(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The sample table of the first track of sound."""
    movie = dict(_boxes(content))[b"moov"]
    for kind, track in _boxes(movie):
        if kind != b"trak":
            continue
        media = dict(_boxes(dict(_boxes(track))[b"mdia"]))
        if media[b"hdlr"][8:12] == b"soun":
            yield from _boxes(dict(_boxes(media[b"minf"]))[b"stbl"])
            return
    raise ValueError("no sound")


def _configuration(described: bytes) -> tuple[int, int, int]:
    """Profile, index of the rate, channels, from the AudioSpecificConfig."""
    at = described.index(b"mp4a")
    inside = described[described.index(b"esds", at) + 8 :]
    while inside[0] != 5:  # DecoderSpecificInfo lies in the two descriptors before it
        skipped = {3: 3, 4: 13}[inside[0]]
        inside = inside[1 + _length_of_length(inside) + skipped :]
    config = inside[1 + _length_of_length(inside) :]
    kind, rate_index = config[0] >> 3, (config[0] & 7) << 1 | config[1] >> 7
    if kind not in (1, 2, 3, 4) or rate_index >= len(_RATES):
        raise ValueError("no AAC that ADTS can carry")
    return kind - 1, rate_index, config[1] >> 3 & 15


def _length_of_length(descriptor: bytes) -> int:
    length = 1
    while descriptor[length] & 0x80:
        length += 1
    return length


def _sizes(table: bytes) -> list[int]:
    fixed, count = struct.unpack_from(">II", table, 4)
    if fixed:
        return [fixed] * int(count)
    return list(struct.unpack_from(f">{count}I", table, 12))


def _offsets(boxes: dict[bytes, bytes]) -> list[int]:
    if b"stco" in boxes:
        (count,) = struct.unpack_from(">I", boxes[b"stco"], 4)
        return list(struct.unpack_from(f">{count}I", boxes[b"stco"], 8))
    (count,) = struct.unpack_from(">I", boxes[b"co64"], 4)
    return list(struct.unpack_from(f">{count}Q", boxes[b"co64"], 8))


def _per_chunk(table: bytes, chunks: int) -> list[int]:
    (count,) = struct.unpack_from(">I", table, 4)
    runs = [struct.unpack_from(">III", table, 8 + 12 * number) for number in range(count)]
    ends = [first for first, _, _ in runs[1:]] + [chunks + 1]
    return [
        many for (first, many, _), end in zip(runs, ends, strict=True) for _ in range(first, end)
    ]


def _adts_header(length: int, profile: int, rate_index: int, channels: int) -> bytes:
    """ISO/IEC 13818-7, 6.2, without a checksum."""
    return bytes(
        (
            0xFF,
            0xF1,
            profile << 6 | rate_index << 2 | channels >> 2,
            (channels & 3) << 6 | length >> 11,
            length >> 3 & 0xFF,
            (length & 7) << 5 | 0x1F,
            0xFC,
        )
    )

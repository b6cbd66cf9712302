"""Recordings in, prompts out: formats, rate, silence, loudness, faults; speech without network."""

from __future__ import annotations

import io
import json
import socket
import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyloudnorm
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from contact_service.cli.audio import app
from providers.audio.files import FORMATS, UnreadableSound, decoded, read_bytes, written
from providers.audio.g711 import decode, encode
from providers.audio.prompt import RATE, TARGET_LUFS, Fault, prepare
from providers.audio.speech import speak


def sine(seconds: float, rate: int = 44100, level: float = 0.3) -> NDArray[np.float64]:
    at = np.arange(int(seconds * rate)) / rate
    return np.asarray(level * np.sin(2 * np.pi * 440 * at), dtype=np.float64)


def encoded(samples: NDArray[np.float64], form: str, rate: int = 44100) -> bytes:
    """A file as a telephone or a studio would make it, by FFmpeg."""
    codec = {"mp3": "mp3", "mp4": "aac", "wav": "pcm_s16le"}[form]
    target = io.BytesIO()
    with av.open(target, "w", format=form) as container:
        stream: Any = container.add_stream(codec, rate=rate, layout="mono")
        whole = (samples * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(whole, format="s16", layout="mono")
        frame.sample_rate = rate
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return target.getvalue()


@pytest.mark.parametrize("form", ["wav", "mp3", "mp4"])
def test_formats_in(form: str) -> None:
    samples, rate = decoded(encoded(sine(2.0), form))
    assert rate == 44100
    assert abs(len(samples) / rate - 2.0) < 0.12
    prepared = read_bytes(encoded(np.concatenate((np.zeros(44100), sine(2.0))), form))
    assert prepared.faults == ()
    assert abs(prepared.seconds - 2.1) < 0.15, "a second of silence before is trimmed to a breath"
    spectrum = np.abs(np.fft.rfft(prepared.samples.astype(float)))
    loudest = float(np.argmax(spectrum)) / len(prepared.samples) * RATE
    assert abs(loudest - 440) < 2, "the tone keeps its pitch"


@pytest.mark.parametrize("rubbish", [b"", b"RIFF", b"\0" * 5000, b"\0\0\0\x18ftypM4A \0\0\0\0"])
def test_rubbish_is_refused_in_both_languages(rubbish: bytes) -> None:
    with pytest.raises(UnreadableSound, match=" / "):
        read_bytes(rubbish)


@pytest.mark.parametrize("level", [0.08, 0.2, 0.5])
def test_all_prompts_are_equally_loud(level: float) -> None:
    noise = np.random.default_rng(1).normal(0, level / 4, 3 * 44100)
    prepared = prepare(noise, 44100)
    found = pyloudnorm.Meter(RATE).integrated_loudness(prepared.samples / 32768)
    assert abs(found - TARGET_LUFS) < 0.5
    assert np.abs(prepared.samples).max() <= 32767 * 10 ** (-3 / 20) + 1


@pytest.mark.parametrize(
    ("recorded", "fault"),
    [
        (np.zeros(44100), Fault.SILENT),
        (np.zeros(0), Fault.SILENT),
        (sine(0.02), Fault.TOO_SHORT),
        (sine(61.0, level=0.2), Fault.TOO_LONG),
        (np.clip(sine(2.0, level=3.0), -1, 1), Fault.CLIPPED),
        (sine(2.0, level=0.008), Fault.TOO_QUIET),
    ],
)
def test_faults_are_named(recorded: NDArray[np.float64], fault: Fault) -> None:
    assert fault in prepare(recorded, 44100).faults


def test_a_loud_recording_is_not_taken_for_a_clipped_one() -> None:
    assert prepare(sine(2.0, level=0.99), 44100).faults == ()


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_g711(codec: str) -> None:
    every = np.arange(256, dtype=np.uint8).tobytes()
    assert (
        decode(encode(decode(every, codec), codec), codec).tolist() == decode(every, codec).tolist()
    )
    samples = np.arange(-32000, 32000, 7, dtype=np.int16)
    error = np.abs(decode(encode(samples, codec), codec).astype(int) - samples)
    assert np.all(error <= np.maximum(16, np.abs(samples.astype(int)) // 16 + 1))
    # ITU-T G.191: known values
    known = {"PCMU": (-32124, 0xFF), "PCMA": (-5504, 0xD5)}[codec]
    assert decode(b"\x00", codec)[0] == known[0]
    assert encode(np.zeros(1, dtype=np.int16), codec)[0] in (known[1], known[1] ^ 0x80)


def test_commands(tmp_path: Path) -> None:
    run = CliRunner().invoke
    good, bad = tmp_path / "good.mp3", tmp_path / "bad.wav"
    good.write_bytes(encoded(sine(2.0), "mp3"))
    bad.write_bytes(encoded(np.zeros(44100), "wav"))
    assert run(app, ["check", str(good)]).exit_code == 0
    told = run(app, ["check", str(good), str(bad), "--json"])
    assert told.exit_code == 1
    assert [row["faults"] for row in json.loads(told.stdout)] == [[], ["silent"]]
    target = tmp_path / "prompt.wav"
    assert run(app, ["convert", str(good), str(target)]).exit_code == 0
    with wave.open(str(target)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
    refused = run(app, ["convert", str(bad), str(tmp_path / "never.wav")])
    assert refused.exit_code == 2
    assert not (tmp_path / "never.wav").exists()
    assert run(app, ["check", str(tmp_path / "absent.wav")]).exit_code == 1
    assert run(app, ["convert", str(good), str(target), "--format", "ogg"]).exit_code == 2
    assert set(FORMATS) == {"wav", "ulaw", "alaw"}
    assert len(written(np.zeros(160, dtype=np.int16), "ulaw")) == 160


def test_speech_is_made_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object, **__: object) -> None:
        raise AssertionError("speech asked the network")

    monkeypatch.setattr(socket, "socket", nothing)
    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    target = tmp_path / "said.wav"
    text = "区役所です。お電話は、03-5432-1111まで。"
    told = CliRunner().invoke(app, ["speak", text, str(target), "--json"])
    assert told.exit_code == 0, told.output
    row = json.loads(told.stdout)
    assert row["faults"] == []
    assert "CC BY 3.0" in row["voice"]
    assert 4 < row["seconds"] < 10
    assert read_bytes(target.read_bytes()).faults == ()


def test_loud_words_of_the_engine_are_not_called_clipped() -> None:
    said = speak("お電話ください。")  # its numbers go a sixth beyond full scale
    assert said.faults == ()
    assert said.peak_db < 0

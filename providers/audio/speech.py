"""Japanese speech from text, offline: dictionary and voice lie inside the installed packages.

Voice: "Mei (normal)", © 2009-2018 Nagoya Institute of Technology, Department of Computer
Science, CC BY 3.0 (https://creativecommons.org/licenses/by/3.0/). Whoever publishes what it says
names it (docs/decisions/0026-offline-speech.md).
"""

from __future__ import annotations

import logging
import sys
from contextlib import redirect_stdout
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from providers.audio.files import written
from providers.audio.prompt import Prepared, prepare
from providers.audio.readings import spoken

VOICE = "Mei (normal), © Nagoya Institute of Technology, CC BY 3.0"
ENGINE_RATE = 48000
_ENGINE = "pyopenjtalk"


class CannotSpeak(Exception):
    """There is no speech on this installation, or nothing that could be said."""


#: The loudest sample of synthesised speech, full scale being 1.0.
MOST = 0.99


def installed() -> bool:
    """Whether speech can be made here."""
    return find_spec(_ENGINE) is not None


def speak(text: str, speed: float = 1.0) -> Prepared:
    """``text`` as a prompt at telephone rate. Raises :class:`CannotSpeak`."""
    words = spoken(text).strip()
    if not words:
        raise CannotSpeak("読み上げる文がありません / there is no text to speak")
    if not installed():
        raise CannotSpeak(
            "音声合成が入っていません。pyopenjtalk-plus を入れてください / "
            "speech is not installed: install pyopenjtalk-plus"
        )
    return prepare(_synthesised(words, speed), ENGINE_RATE)


def _synthesised(words: str, speed: float) -> NDArray[np.float64]:
    logging.getLogger(_ENGINE).setLevel(logging.ERROR)
    with redirect_stdout(StringIO()):  # it prints what optional parts it lacks
        engine = import_module(_ENGINE)
    samples, rate = engine.tts(words, speed=speed)
    assert rate == ENGINE_RATE
    result: NDArray[np.float64] = np.asarray(samples, dtype=np.float64) / 32768.0
    # the engine's numbers may go beyond full scale, but nothing has cut them off
    return result / max(1.0, float(np.max(np.abs(result), initial=0.0)) / MOST)


def _main() -> None:
    """A process of its own for one sentence: text on standard input, WAV into the file named."""
    target = Path(sys.argv[1])
    target.write_bytes(written(speak(sys.stdin.buffer.read().decode("utf-8")).samples, "wav"))


if __name__ == "__main__":
    _main()

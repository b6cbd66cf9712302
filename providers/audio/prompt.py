"""From a recording to a prompt: telephone rate, silence trimmed, loudness set, faults named."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import soxr
from numpy.typing import NDArray

from providers.audio.g711 import RATE, Samples

#: Integrated loudness (ITU-R BS.1770) that all prompts get, so that none startles after another.
TARGET_LUFS = -20.0
#: No sample gets louder than this: telephone codecs clip hard.
MOST_PEAK_DB = -3.0
#: Below this, relative to full scale, nothing is said.
SILENCE_DB = -45.0
#: What is left before the first and after the last word, in seconds.
LEAD_SECONDS, TAIL_SECONDS = 0.1, 0.2
SHORTEST_SECONDS, LONGEST_SECONDS = 0.3, 60.0
#: So many samples at full scale in a row were cut off when the recording was made.
CLIPPED_RUN = 3
#: Seconds: BS.1770 measures blocks of 0.4.
_BLOCK = 0.4


class Fault(StrEnum):
    """What is wrong with a recording."""

    SILENT = "silent"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    CLIPPED = "clipped"
    TOO_QUIET = "too_quiet"


#: In words: Japanese / English, with what to do.
WORDS = {
    Fault.SILENT: "音が入っていません。録音し直してください / "
    "nothing can be heard: record it again",
    Fault.TOO_SHORT: f"{SHORTEST_SECONDS} 秒より短く、聞き取れません / "
    f"shorter than {SHORTEST_SECONDS} s: nobody will understand it",
    Fault.TOO_LONG: f"{LONGEST_SECONDS:.0f} 秒より長く、最後まで聞かれません。分けてください / "
    f"longer than {LONGEST_SECONDS:.0f} s: nobody listens to the end; divide it",
    Fault.CLIPPED: "音が割れています。録音の音量を下げてください / "
    "clipped: record it again with less gain",
    Fault.TOO_QUIET: "録音が小さく、雑音が目立ちます。マイクに近づいてください / "
    "recorded too quietly: noise is raised with the voice; come closer to the microphone",
}
#: What makes a recording useless; the rest are warnings.
FATAL = frozenset({Fault.SILENT, Fault.TOO_SHORT})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prompt, and what was measured of the recording it was made from."""

    samples: Samples
    """Mono, 16 bit, 8 kHz."""
    seconds: float
    """Length of the prompt."""
    recorded_seconds: float
    loudness: float
    """Of the recording, in LUFS; -inf for silence."""
    peak_db: float
    """Of the recording, relative to full scale."""
    clipped: int
    """Runs of samples at full scale in the recording."""
    faults: tuple[Fault, ...]


def prepare(recorded: NDArray[np.float64], rate: int) -> Prepared:
    """A mono recording (floats, full scale 1.0) as a prompt."""
    recorded = np.nan_to_num(np.asarray(recorded, dtype=np.float64))
    seconds = len(recorded) / rate
    peak = float(np.max(np.abs(recorded))) if len(recorded) else 0.0
    clipped = _clipped(recorded)
    said = _trimmed(soxr.resample(recorded, rate, RATE) if len(recorded) else recorded)
    loudness = _loudness(said)
    if len(said) and np.isfinite(loudness):
        gain = 10 ** ((TARGET_LUFS - loudness) / 20)
        most = 10 ** (MOST_PEAK_DB / 20)
        loudest = float(np.max(np.abs(said)))
        said = said * min(gain, most / loudest)
    samples = np.clip(np.round(said * 32767), -32768, 32767).astype(np.int16)
    length = len(samples) / RATE
    return Prepared(
        samples=samples,
        seconds=length,
        recorded_seconds=seconds,
        loudness=loudness,
        peak_db=20 * float(np.log10(peak)) if peak > 0 else float("-inf"),
        clipped=clipped,
        faults=_faults(said, length, loudness, clipped),
    )


def _faults(
    said: NDArray[np.float64], seconds: float, loudness: float, clipped: int
) -> tuple[Fault, ...]:
    if not len(said) or not np.isfinite(loudness):
        return (Fault.SILENT,)
    found = []
    if seconds < SHORTEST_SECONDS:
        found.append(Fault.TOO_SHORT)
    if seconds > LONGEST_SECONDS:
        found.append(Fault.TOO_LONG)
    if clipped:
        found.append(Fault.CLIPPED)
    if loudness < TARGET_LUFS - 20:
        found.append(Fault.TOO_QUIET)
    return tuple(found)


def _clipped(recorded: NDArray[np.float64]) -> int:
    """How many runs of at least :data:`CLIPPED_RUN` samples stand at full scale."""
    full = np.concatenate(([False], np.abs(recorded) >= 0.999, [False]))
    edges = np.flatnonzero(full[1:] != full[:-1])
    return int(np.count_nonzero(edges[1::2] - edges[::2] >= CLIPPED_RUN))


def _trimmed(said: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without silence at both ends, but for a breath."""
    size = RATE // 50
    frames = len(said) // size
    if not frames:
        return said[:0]
    power = np.mean(np.square(said[: frames * size].reshape(frames, size)), axis=1)
    loud = np.flatnonzero(power > 10 ** (SILENCE_DB / 10))
    if not len(loud):
        return said[:0]
    first = max(0, int(loud[0]) * size - int(LEAD_SECONDS * RATE))
    last = min(len(said), (int(loud[-1]) + 1) * size + int(TAIL_SECONDS * RATE))
    return said[first:last]


def _loudness(said: NDArray[np.float64]) -> float:
    # it loads scipy.signal, three quarters of the start of a process that plays what is prepared
    import pyloudnorm

    if not len(said):
        return float("-inf")
    least = int(_BLOCK * RATE) + 1
    if len(said) < least:  # shorter than one block: measured as if it went on
        said = np.resize(said, least)
    return float(pyloudnorm.Meter(RATE).integrated_loudness(said))

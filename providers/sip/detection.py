"""Who picked up: a person or a machine, by the length of the greeting and the silence after.

A person says a word or two and waits; a machine recites. Both are measured on what is heard
after the call was answered, frame by frame, and a verdict comes as soon as it is certain. What
fits neither is ``unknown`` and stays so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from providers.audio.g711 import Samples

FRAME_SECONDS = 0.02


class AnsweredBy(StrEnum):
    """Who picked up, as far as one can hear."""

    HUMAN = "human"
    MACHINE = "machine"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Seconds, and loudness in decibels below full scale.

    The defaults are those in use with Asterisk's detector; tests/providers/sip/test_detection.py
    measures what they make of greetings.
    """

    initial_silence: float = 2.5
    """Nothing said for so long: nobody can tell."""
    greeting: float = 1.5
    """Speech longer than this, pauses within it included, is a machine's."""
    silence_after: float = 0.8
    """Quiet for so long after a short greeting: a person waits for us."""
    total: float = 5.0
    """No verdict after this is ``unknown``."""
    loudness: float = -42.0
    """Louder than this is speech."""
    end_of_message: float = 1.2
    """A machine that is quiet for so long has finished: the recording begins."""
    longest_message: float = 30.0


def loudness(samples: Samples) -> float:
    """Root mean square of a frame in decibels relative to full scale; -100 for silence."""
    if not len(samples):
        return -100.0
    power = float(np.mean(np.square(samples.astype(np.float64)))) / 32768.0**2
    return 10 * float(np.log10(power)) if power > 1e-10 else -100.0


class Detector:
    """Fed with frames of 20 ms, in order, from the moment of the answer."""

    def __init__(self, thresholds: Thresholds | None = None) -> None:
        self.limits = thresholds or Thresholds()
        self._heard = 0.0
        self._speech_from: float | None = None
        self._speech_until = 0.0
        self.verdict: AnsweredBy | None = None
        """``None`` while it is open."""
        self.finished = False
        """A machine has finished its message, so that one may speak after it."""

    def feed(self, samples: Samples) -> AnsweredBy | None:
        """One frame more. Returns the verdict, once there is one."""
        return self.feed_loudness(loudness(samples))

    def feed_loudness(self, level: float) -> AnsweredBy | None:
        """One frame more, of which the loudness is known."""
        limits = self.limits
        now = self._heard = self._heard + FRAME_SECONDS
        if level > limits.loudness:
            if self._speech_from is None:
                self._speech_from = now - FRAME_SECONDS
            self._speech_until = now
        quiet = now - self._speech_until
        if self.verdict is AnsweredBy.MACHINE:
            self.finished = quiet >= limits.end_of_message or now >= limits.longest_message
        elif self.verdict is None:
            self.verdict = self._judge(now, quiet)
        return self.verdict

    def _judge(self, now: float, quiet: float) -> AnsweredBy | None:
        limits = self.limits
        if self._speech_from is None:
            return AnsweredBy.UNKNOWN if now >= limits.initial_silence else None
        said = self._speech_until - self._speech_from
        if said > limits.greeting:
            return AnsweredBy.MACHINE
        if quiet >= limits.silence_after:
            return AnsweredBy.HUMAN
        return AnsweredBy.UNKNOWN if now >= limits.total else None

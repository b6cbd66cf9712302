"""What happens at the far end of a telephone line."""

from __future__ import annotations

from datetime import datetime

from contact_service.clock import TOKYO
from contact_service.simulation.carrier.messages import FILTERED
from contact_service.simulation.carrier.numbers import is_mobile
from contact_service.simulation.carrier.subscribers import MessageFate, Pickup, Reaction
from contact_service.simulation.draws import Draws
from contact_service.simulation.residents.parameters import Keys, Telephone

UNREACHABLE, UNKNOWN_DESTINATION, LANDLINE = 30003, 30005, 30006
#: Mean seconds to a delivery report, and how long a carrier tries a handset that is off.
REPORT_SECONDS, REPORT_SIGMA = 6.0, 0.7
TRYING_SECONDS = (600.0, 1800.0)
_WEEKEND = 5


class Telephones:
    """Decides by number, hour and count; the same question has the same answer."""

    def __init__(self, parameters: Telephone, keys: Keys, draws: Draws, kinds: dict[str, str]):
        self._p = parameters
        self._keys = keys
        self._draws = draws
        self._kinds = kinds

    def in_use(self, number: str) -> bool:
        """Whether anybody has this number."""
        return not self._draws.happens(self._p.not_in_use, "not in use", number)

    def right_person(self, number: str) -> bool:
        """Whether it is still the debtor's."""
        return not self._draws.happens(self._p.wrong_person, "wrong person", number)

    def unsubscribes(self, number: str) -> bool:
        """Whether its owner unsubscribes at the carrier after the first message."""
        return self._draws.happens(self._p.unsubscribed, "unsubscribes", number)

    def message_fate(self, number: str, count: int) -> MessageFate:
        """Decide on the ``count``-th message."""
        quick = self._draws.lognormal(REPORT_SECONDS, REPORT_SIGMA, "report", number, count)
        if self._draws.happens(self._p.filtered, "filtered", number, count):
            return MessageFate(0.0, FILTERED)
        if not self.in_use(number):
            return MessageFate(quick, UNKNOWN_DESTINATION)
        if not self._is_mobile(number):
            return MessageFate(quick, LANDLINE)
        if self._draws.happens(self._p.switched_off, "off", "sms", number, count):
            return MessageFate(
                self._draws.between(*TRYING_SECONDS, "trying", number, count), UNREACHABLE
            )
        return MessageFate(quick)

    def pick_up(self, number: str, count: int, at: datetime, caller: str) -> Reaction:
        """Decide on the ``count``-th call by ``caller`` (carrier or operator)."""
        draws, subject = self._draws, (caller, number, count)
        mobile = self._is_mobile(number)
        if not self.in_use(number):
            return Reaction(Pickup.NOT_IN_USE)
        if mobile and draws.happens(self._p.switched_off, "off", *subject):
            return Reaction(Pickup.UNREACHABLE)
        busy = self._p.busy_mobile if mobile else self._p.busy_fixed
        if draws.happens(busy, "busy", *subject):
            return Reaction(Pickup.BUSY)
        if draws.happens(self._answers(at), "answers", *subject):
            ringing = draws.between(*self._p.ring_seconds, "ringing", *subject)
            return self._person(number, ringing, subject)
        machine = self._p.machine_mobile if mobile else self._p.machine_fixed
        # A telephone has a machine or has none: drawn for the number, not for the call.
        if draws.happens(machine, "machine", number):
            ringing = draws.between(*self._p.machine_seconds, "machine rings", number)
            return Reaction(Pickup.MACHINE, ringing)
        return Reaction(Pickup.NO_ANSWER)

    def _answers(self, at: datetime) -> float:
        local = at.astimezone(TOKYO)
        share = self._p.answers_by_hour.get(local.hour, self._p.answers_otherwise)
        return share + (self._p.weekend_bonus if local.weekday() >= _WEEKEND else 0.0)

    def _person(self, number: str, ringing: float, subject: tuple[object, ...]) -> Reaction:
        keys, draws = self._keys, self._draws
        if not self.right_person(number):
            return Reaction(Pickup.PERSON, ringing, (keys.wrong_person,))
        mood = draws.uniform("mood", *subject)
        if mood < keys.stops:
            return Reaction(Pickup.PERSON, ringing, (keys.stop,))
        if mood < keys.stops + keys.confirms:
            connects = draws.happens(keys.connects, "connects", *subject)
            pressed = (keys.confirm, keys.centre) if connects else (keys.confirm,)
            return Reaction(Pickup.PERSON, ringing, pressed)
        hangs_up = draws.happens(keys.hangs_up, "hangs up", *subject)
        return Reaction(Pickup.PERSON, ringing, hangs_up=hangs_up)

    def _is_mobile(self, number: str) -> bool:
        kind = self._kinds.get(number)
        return is_mobile(number) if kind is None else kind == "mobile"

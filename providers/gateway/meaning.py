"""What answers and reports mean, by the tables of a declaration."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from providers.base import (
    Accepted,
    Cause,
    Channel,
    Listed,
    Outcome,
    Receipt,
    Refused,
    Result,
    Throttled,
    Unknown,
)
from providers.gateway.declaration import Declaration, Meaning, Report, Verdict
from providers.gateway.wire import Unreadable, dig, word
from providers.words import identifier

_JAPAN = timezone(timedelta(hours=9), "JST")
_USUAL: Mapping[Cause, Outcome] = {
    Cause.NEVER_THIS_NUMBER: Outcome.INVALID_NUMBER,
    Cause.NEVER_THIS_CONTENT: Outcome.BLOCKED,
}
#: Without a code of the carrier's the answer may be from a proxy or a wrong address.
_OURS = frozenset({401, 403, 404, 405, 407})
_UNHEARD_OF = Meaning(outcome=Outcome.OTHER, final=False)


def by_verdict(verdict: Verdict, code: str, pause: timedelta) -> Result:
    """The result that a code of the carrier stands for."""
    match verdict.cause:
        case Cause.TRY_LATER:
            return Throttled(pause, code)
        case Cause.THEIR_FAULT | Cause.UNKNOWN:
            return Unknown(code, verdict.cause)
        case cause:
            return Refused(cause, verdict.outcome or _USUAL.get(cause, Outcome.OTHER), code)


def accepted(declaration: Declaration, item: Any, parts: int, pause: timedelta) -> Result:
    """What an answer with a success status, or one item of it, says of one contact."""
    submit = declaration.submit
    code = word(dig(item, submit.code)) if submit.code else None
    if code is not None and code in submit.codes:
        return by_verdict(submit.codes[code], code, pause)
    if submit.accepted_codes and code not in submit.accepted_codes:
        return Unknown(f"code {code!r}")  # said nowhere to be a refusal
    ref = identifier(word(dig(item, submit.ref)))
    if ref is None:
        return Unknown("an answer without an identifier")
    return Accepted(ref, integer(dig(item, submit.parts)) or parts)


def refused(declaration: Declaration, status: int, said: Any, pause: timedelta) -> Result:
    """What a 4xx answer says of all that was handed over with it. The carrier's own words stay
    out of the result: they may quote the number."""
    submit = declaration.submit
    code = word(dig(said, submit.code)) if submit.code else None
    if code is not None and code in submit.codes:
        return by_verdict(submit.codes[code], code, pause)
    cause = Cause.OUR_CREDENTIALS if status in _OURS else Cause.UNKNOWN
    return Refused(cause, Outcome.OTHER, code or str(status), f"HTTP {status}")


def receipt(
    declaration: Declaration, report: Report, item: Any, *, reference: str | None
) -> Receipt:
    """One record as a receipt. Raises :class:`Unreadable`."""
    ref = identifier(word(dig(item, report.ref)))
    words = [word(dig(item, path)) for path in report.status]
    if ref is None or words[0] is None:
        raise Unreadable("no identifier or no status")
    status = "/".join(one for one in words if one)
    meaning = report.statuses.get(status, _UNHEARD_OF)
    kept = {report.ref: ref, "status": status}
    for path in report.keep:
        value = word(dig(item, path))
        if value is not None:
            kept[path] = value
    return Receipt(
        channel=declaration.channel,
        provider_ref=ref,
        status=status,
        outcome=meaning.outcome,
        final=not meaning.under_way,
        occurred_at=instant(dig(item, report.at), report.time),
        reference=(word(dig(item, report.reference)) if report.reference else None) or reference,
        talk_seconds=integer(dig(item, report.talk_seconds)),
        parts=integer(dig(item, report.parts)),
        raw=kept,
    )


def listed(declaration: Declaration, item: Any) -> Listed:
    """One record of a listing. Raises :class:`Unreadable`."""
    report = declaration.report
    said = receipt(declaration, report, item, reference=None)
    to, created = word(dig(item, report.to)), instant(dig(item, report.created), report.time)
    if to is None or created is None:
        raise Unreadable("no number or no date")
    body = word(dig(item, report.body)) if report.body else None
    if declaration.channel is Channel.AUTO_CALL:
        body = None
    return Listed(said.provider_ref, international(to), body, created, said)


def dialled(declaration: Declaration, number: str) -> str:
    """``number`` (E.164) in the declared form. Raises ``ValueError`` where it has none."""
    return number if declaration.numbers == "e164" else national(number)


def national(number: str) -> str:
    """``+819012345678`` as it is dialled in Japan. Raises ``ValueError`` for other countries."""
    if not number.startswith("+81"):
        raise ValueError("not a number in Japan")
    return "0" + number[3:]


def international(number: str) -> str:
    """E.164 of a number in either form; what is neither stays as it is."""
    digits = number.replace("-", "")
    return "+81" + digits[1:] if digits.startswith("0") else digits


def integer(value: Any) -> int | None:
    """A count as carriers write it (number or digits), ``None`` for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < 1_000_000_000 else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9:
        return int(value)
    return None


def instant(value: Any, form: str) -> datetime | None:
    """An instant in the declared form; ``None`` for anything else."""
    try:
        if form == "unix":
            seconds = float(value)
            return datetime.fromtimestamp(seconds, UTC)
        if not isinstance(value, str):
            return None
        at = datetime.fromisoformat(value) if form == "iso" else datetime.strptime(value, form)  # noqa: DTZ007
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=_JAPAN)

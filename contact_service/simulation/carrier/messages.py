"""The life of a message: queued → sending → sent → delivered | undelivered, or failed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from contact_service.simulation.carrier.callbacks import Callback, Callbacks
from contact_service.simulation.carrier.errors import Refusal
from contact_service.simulation.carrier.ledger import Ledger
from contact_service.simulation.carrier.numbers import is_dialable, is_mobile
from contact_service.simulation.carrier.outgoing import is_address
from contact_service.simulation.carrier.records import API_VERSION, MessageRecord
from contact_service.simulation.carrier.segments import segments
from contact_service.simulation.carrier.store import Records
from contact_service.simulation.carrier.subscribers import MessageFate, Subscribers
from contact_service.simulation.draws import Draws
from contact_service.simulation.timeline import Timeline

LONGEST_BODY = 1600
#: The carrier's own filter: the message is not even sent.
FILTERED = 30007

ERROR_MESSAGES: Mapping[int, str] = {
    30003: "Unreachable destination handset",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
}


class Messages:
    """Takes messages and lets them live."""

    def __init__(
        self,
        account: str,
        ledger: Ledger,
        timeline: Timeline,
        callbacks: Callbacks,
        subscribers: Subscribers,
        draws: Draws,
    ) -> None:
        self.records: Records[MessageRecord] = Records()
        self._account = account
        self._ledger = ledger
        self._timeline = timeline
        self._callbacks = callbacks
        self._subscribers = subscribers
        self._draws = draws

    def create(self, form: Mapping[str, str], at: datetime) -> MessageRecord:
        """Take a message. Raises :class:`Refusal`; then nothing was taken."""
        to, body = form.get("To", ""), form.get("Body", "")
        self._check(to, body, form)
        status_callback = form.get("StatusCallback") or None
        digest = hashlib.sha256(body.encode()).hexdigest()
        record = MessageRecord(
            sid=self._ledger.accept("message", to, {"body_sha256": digest}, status_callback, at),
            account=self._account,
            to=to,
            sender=form.get("From"),
            service=form.get("MessagingServiceSid"),
            body=body,
            parts=segments(body),
            status_callback=status_callback,
            created_at=at,
            count=self.records.count_to(to) + 1,
        )
        self.records.add(record)
        fate = self._subscribers.message_fate(to, record.count)
        start = at + timedelta(seconds=self._draws.between(0.3, 1.5, "sending", record.sid))
        if fate.error_code == FILTERED:
            self._timeline.at(start, lambda t: self._move(record, "failed", t, FILTERED))
        else:
            self._timeline.at(start, lambda t: self._sending(record, fate, t))
        return record

    def _check(self, to: str, body: str, form: Mapping[str, str]) -> None:
        sender = form.get("From", "")
        callback = form.get("StatusCallback", "")
        checks = (
            (not to, 21604),
            (not is_dialable(to), 21211),
            (not sender and not form.get("MessagingServiceSid"), 21603),
            (bool(sender) and not is_dialable(sender), 21606),
            (not body, 21602),
            (len(body) > LONGEST_BODY, 21617),
            (bool(callback) and not is_address(callback), 21205),
            (not is_mobile(to), 21614),
            (not self._subscribers.accepts_messages(to), 21610),
        )
        for wrong, code in checks:
            if wrong:
                raise Refusal(code)

    def _sending(self, record: MessageRecord, fate: MessageFate, at: datetime) -> None:
        self._move(record, "sending", at)
        sent = at + timedelta(seconds=self._draws.between(0.3, 2.0, "sent", record.sid))
        self._timeline.at(sent, lambda t: self._sent(record, fate, t))

    def _sent(self, record: MessageRecord, fate: MessageFate, at: datetime) -> None:
        record.sent_at = at
        self._move(record, "sent", at)
        final = at + timedelta(seconds=fate.seconds)
        self._timeline.at(final, lambda t: self._arrived(record, fate, t))

    def _arrived(self, record: MessageRecord, fate: MessageFate, at: datetime) -> None:
        if fate.error_code is None:
            self._move(record, "delivered", at)
            self._subscribers.message_delivered(record.to, record.count, at)
        else:
            self._move(record, "undelivered", at, fate.error_code)

    def _move(
        self, record: MessageRecord, status: str, at: datetime, error_code: int | None = None
    ) -> None:
        record.status = status
        record.updated_at = at
        if error_code:
            record.error_code, record.error_message = error_code, ERROR_MESSAGES[error_code]
        if record.status_callback is None:
            return
        final = status in ("delivered", "undelivered", "failed")
        form = {
            "AccountSid": record.account,
            "ApiVersion": API_VERSION,
            "MessageSid": record.sid,
            "MessageStatus": status,
            "SmsSid": record.sid,
            "SmsStatus": status,
            "To": record.to,
        }
        if record.sender:
            form["From"] = record.sender
        if record.service:
            form["MessagingServiceSid"] = record.service
        if error_code:
            form["ErrorCode"] = str(error_code)
        if status in ("delivered", "undelivered"):
            form["RawDlrDoneDate"] = f"{at.astimezone(UTC):%y%m%d%H%M}"
        self._callbacks.report(Callback(record.sid, record.status_callback, form, final), at)

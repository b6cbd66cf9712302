"""Messages and calls as the API shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

API_VERSION = "2010-04-01"
#: Yen a part of a message and a begun minute of a call cost.
YEN_PER_PART = 12
YEN_PER_MINUTE = 15


def rfc2822(at: datetime | None) -> str | None:
    """An instant as the API and its callbacks write it, in UTC."""
    return None if at is None else format_datetime(at.astimezone(UTC))


@dataclass(slots=True)
class MessageRecord:
    """One accepted message."""

    sid: str
    account: str
    to: str
    sender: str | None
    service: str | None
    body: str
    parts: int
    status_callback: str | None
    created_at: datetime
    count: int
    """The how-manieth message to this number."""
    status: str = "queued"
    updated_at: datetime | None = None
    sent_at: datetime | None = None
    error_code: int | None = None
    error_message: str | None = None

    @property
    def listed_at(self) -> datetime:
        """By which date filters judge it: when sent, until then when created."""
        return self.sent_at or self.created_at

    def resource(self) -> dict[str, object]:
        """The JSON resource."""
        uri = f"/{API_VERSION}/Accounts/{self.account}/Messages/{self.sid}"
        charged = self.sent_at is not None
        return {
            "sid": self.sid,
            "account_sid": self.account,
            "api_version": API_VERSION,
            "body": self.body,
            "date_created": rfc2822(self.created_at),
            "date_updated": rfc2822(self.updated_at or self.created_at),
            "date_sent": rfc2822(self.sent_at),
            "direction": "outbound-api",
            "error_code": self.error_code,
            "error_message": self.error_message,
            "from": self.sender,
            "messaging_service_sid": self.service,
            "num_media": "0",
            "num_segments": str(self.parts),
            "price": f"-{self.parts * YEN_PER_PART}.00000" if charged else None,
            "price_unit": "JPY",
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self.to,
            "uri": f"{uri}.json",
        }


@dataclass(slots=True)
class CallRecord:
    """One accepted call."""

    sid: str
    account: str
    to: str
    sender: str
    url: str
    method: str
    status_callback: str | None
    events: frozenset[str]
    """Which of initiated, ringing, answered, completed are reported."""
    timeout: int
    """Seconds it may ring."""
    machine_detection: bool
    created_at: datetime
    count: int
    status: str = "queued"
    updated_at: datetime | None = None
    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    answered_by: str | None = None
    sip_code: int | None = None
    sequence: int = 0

    @property
    def listed_at(self) -> datetime:
        """By which date filters judge it: when it started, until then when created."""
        return self.started_at or self.created_at

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.ended_at is not None

    @property
    def duration(self) -> int:
        """Whole seconds from being picked up to the end."""
        if self.answered_at is None or self.ended_at is None:
            return 0
        return round((self.ended_at - self.answered_at).total_seconds())

    def resource(self) -> dict[str, object]:
        """The JSON resource."""
        uri = f"/{API_VERSION}/Accounts/{self.account}/Calls/{self.sid}"
        minutes = -(-self.duration // 60)
        return {
            "sid": self.sid,
            "account_sid": self.account,
            "answered_by": self.answered_by,
            "api_version": API_VERSION,
            "caller_name": None,
            "date_created": rfc2822(self.created_at),
            "date_updated": rfc2822(self.updated_at or self.created_at),
            "direction": "outbound-api",
            "duration": str(self.duration) if self.over else None,
            "end_time": rfc2822(self.ended_at),
            "forwarded_from": None,
            "from": self.sender,
            "from_formatted": self.sender,
            "group_sid": None,
            "parent_call_sid": None,
            "phone_number_sid": None,
            "price": f"-{minutes * YEN_PER_MINUTE}.00000" if self.over else None,
            "price_unit": "JPY",
            "queue_time": "0",
            "start_time": rfc2822(self.started_at),
            "status": self.status,
            "subresource_uris": {"events": f"{uri}/Events.json"},
            "to": self.to,
            "to_formatted": self.to,
            "trunk_sid": None,
            "uri": f"{uri}.json",
        }

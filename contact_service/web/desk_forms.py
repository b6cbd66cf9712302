"""What came of a call, as it is filled in: at the desk, and where a supervisor corrects it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field

from contact_service.callcentre.dispositions import (
    CallBack,
    Conversation,
    Incomplete,
    PromisedPayment,
)
from contact_service.domain.states import DispositionKind


class Said(BaseModel):
    """The form's fields, as typed."""

    kind: DispositionKind
    sub_reason: str = Field("", max_length=100)
    note: str = Field("", max_length=2000)
    promised_on: str = Field("", max_length=10)
    promised_yen: str = Field("", max_length=12)
    promised_method: str = Field("", max_length=20)
    promised_parts: str = Field("", max_length=3)
    call_back_at: str = Field("", max_length=40)
    only_me: bool = False
    support_desk: str = Field("", max_length=100)
    answers: list[str] = []
    text_support: bool = False
    why: str = Field("", max_length=500)
    """Of a correction."""

    def conversation(
        self, conversation_id: UUID, now: datetime, slots: Sequence[datetime]
    ) -> Conversation:
        """The same as the call centre takes it: what does not belong to the result is left out.
        Raises :class:`Incomplete`."""
        hardship = self.kind is DispositionKind.HARDSHIP
        return Conversation(
            attempt_id=conversation_id,
            kind=self.kind,
            started_at=now,
            talk_seconds=0,
            wrap_seconds=0,
            promise=self._promise() if self.kind is DispositionKind.PROMISED else None,
            note=self.note.strip() or None,
            sub_reason=self._sub_reason(),
            call_back=CallBack(self._slot(slots), self.only_me)
            if self.kind is DispositionKind.CALLBACK and self.call_back_at
            else None,
            support_desk=self.support_desk or None if hardship else None,
            answers=self.answers if hardship else (),
            text_support=self.text_support and hardship,
        )

    def _sub_reason(self) -> str | None:
        """Of ``kind:reason``, the reason, if it belongs to the result that was chosen."""
        of, _, reason = self.sub_reason.partition(":")
        return reason if of == self.kind and reason else None

    def _slot(self, slots: Sequence[datetime]) -> datetime:
        for slot in slots:
            if slot.isoformat() == self.call_back_at:
                return slot
        raise Incomplete(
            "その日時は選べなくなりました。選び直してください / that time cannot be chosen any more"
        )

    def _promise(self) -> PromisedPayment:
        try:
            return PromisedPayment(
                date.fromisoformat(self.promised_on),
                int(self.promised_yen.replace(",", "").removesuffix("円")),
                self.promised_method or None,
                int(self.promised_parts) if self.promised_parts else None,
            )
        except ValueError:
            raise Incomplete(
                "納付約束には、日（例 2026-11-30）と金額（例 12000）が要ります / "
                "a promise needs its day (2026-11-30) and its sum (12000)"
            ) from None

"""A small ledger for tests, written straight into the tables."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, select, text

from campaigns.definition import Definition
from contact_service.store.crypto import Vault
from contact_service.store.tables import ledger as t

_codes = itertools.count(10_000_000)


@dataclass
class Owed:
    """One claim."""

    yen: int = 10_000
    kind: str = "health_insurance"
    legal_class: str = "compulsory_public"
    year: int = 2026
    due_on: date = date(2026, 8, 31)


@dataclass
class Ledger:
    """Writes people and what they owe."""

    engine: Engine
    vault: Vault
    training: bool = True
    file_id: int = field(init=False)

    def __post_init__(self) -> None:
        with self.engine.begin() as connection:
            self.file_id = connection.execute(
                insert(t.source_file)
                .values(
                    kind="claims", layout="test", name="test", sha256="0", size_bytes=0,
                    training=self.training, rows=0, accepted=0, updated=0, unchanged=0,
                    rejected=0, skipped=0, imported_at=datetime.now(UTC), imported_by="test",
                )
                .returning(t.source_file.c.id)
            ).scalar_one()  # fmt: skip

    def person(
        self,
        phones: Sequence[str] = (),
        owes: Sequence[Owed] = (Owed(),),
        household: str | None = None,
    ) -> int:
        """A person with numbers (E.164) and claims; returns their debtor id."""
        with self.engine.begin() as connection:
            code = str(next(_codes))
            home = self._one(connection, t.household, {"code": household or f"h{code}"}, "code")
            debtor_id = connection.execute(
                insert(t.debtor)
                .values(
                    code=code,
                    household_id=home,
                    name=self.vault.seal("debtor.name", "世田谷太郎"),
                    training=self.training,
                    source_file_id=self.file_id,
                )
                .returning(t.debtor.c.id)
            ).scalar_one()
            for rank, number in enumerate(phones, 1):
                phone_id = self._phone(connection, number)
                connection.execute(
                    insert(t.debtor_phone).values(debtor_id=debtor_id, phone_id=phone_id, rank=rank)
                )
            for place, owed in enumerate(owes, 1):
                connection.execute(
                    insert(t.claim).values(
                        debtor_id=debtor_id, kind=owed.kind, legal_class=owed.legal_class,
                        assessed_year=owed.year, attributed_year=owed.year, instalment=place,
                        notice_number=f"{code}{place}", due_on=owed.due_on,
                        assessed_yen=owed.yen, collected_yen=0, outstanding_yen=owed.yen,
                        filed_outstanding_yen=owed.yen, filed_as_of=date(2026, 9, 30),
                        source_file_id=self.file_id, source_line=place,
                    )
                )  # fmt: skip
            return int(debtor_id)

    def restrict(
        self, kind: str, *, debtor_id: int | None = None, phone: str | None = None
    ) -> None:
        """A restriction in force since 2020."""
        with self.engine.begin() as connection:
            connection.execute(
                insert(t.restriction).values(
                    kind=kind,
                    debtor_id=debtor_id,
                    debtor_code=str(debtor_id) if debtor_id else None,
                    phone_id=self._phone(connection, phone) if phone else None,
                    starts_on=date(2020, 1, 1),
                    origin="file",
                )
            )

    def pays(self, debtor_id: int) -> None:
        """Everything this person owes is paid."""
        self.run("UPDATE claim SET outstanding_yen = 0 WHERE debtor_id = :id", id=debtor_id)

    def run(self, statement: str, **values: object) -> int:
        """One statement in a transaction of its own; how many rows it touched."""
        with self.engine.begin() as connection:
            return connection.execute(text(statement), values).rowcount

    def empty(self, *tables: str) -> None:
        """Tables that nothing may take a row from, emptied between two examples of a test."""
        with self.engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text(f"TRUNCATE {', '.join(tables)} CASCADE"))

    def rows(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        """The rows of a query."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]

    def one(self, statement: str, **values: object) -> object:
        """The single value of a query."""
        with self.engine.connect() as connection:
            return connection.scalar(text(statement), values)

    def _phone(self, connection: Connection, number: str) -> int:
        kind = "mobile" if number[3:5] in ("60", "70", "80", "90") else "fixed"
        return self._one(
            connection,
            t.phone,
            {
                "number_index": self.vault.indexes("phone", number)[0],
                "number": self.vault.seal("phone.number", number),
                "kind": kind,
            },
            "number_index",
        )

    @staticmethod
    def _one(connection: Connection, table, values: dict[str, object], key: str) -> int:  # type: ignore[no-untyped-def]
        known = connection.scalar(select(table.c.id).where(table.c[key] == values[key]))
        if known is None:
            known = connection.execute(insert(table).values(values).returning(table.c.id)).scalar()
        return int(known)


def mobile(n: int) -> str:
    """The n-th mobile number."""
    return f"+8190{10_000_000 + n}"


def definition(**changes: object) -> Definition:
    """A valid two-arm definition: holdout, and SMS then auto-call then operators."""
    weekdays = ("monday", "tuesday", "wednesday", "thursday", "friday")
    office_hours = [{"opens": "09:00", "closes": "17:00"}]
    base: dict[str, object] = {
        "campaign": "test",
        "title": "試験",
        "select": {},
        "hours": dict.fromkeys(weekdays, office_hours),
        "caps": {"per_7_days": 7, "per_30_days": 30},
        "arms": [{"name": "holdout", "holdout": True}, {"name": "contact"}],
        "allocation": {"seed": "s"},
        "steps": [
            {
                "name": "sms-1", "channel": "sms", "message": "m",
                "retries": [{"on": "undelivered", "after": "2 h", "most": 1}],
            },
            {
                "name": "call-1", "channel": "auto_call", "script": "s",
                "start": {"after_days": 7},
                "retries": [
                    {"on": "busy", "after": "5 min", "most": 2},
                    {"on": "no_answer", "after": "2 h", "most": 2},
                ],
            },
            {
                "name": "operators", "channel": "operator", "start": {"after_days": 14},
                "expires_after_days": 14, "unless": ["confirmed", "transferred"],
            },
        ],
        "messages": {"m": "{office}です。お電話ください。{centre_phone}"},
        "scripts": {
            "s": {
                "start": "greeting",
                "nodes": {
                    "greeting": {
                        "say": "{office}です。ご本人は1を、違う方は3を、今後不要の方は9を。",
                        "then": "keys",
                        "keys": {"1": "message", "3": "wrong", "9": "stop"},
                        "otherwise": "goodbye",
                    },
                    "message": {"say": "お電話ください。", "outcome": "confirmed"},
                    "wrong": {"say": "失礼しました。", "outcome": "wrong_person"},
                    "stop": {"say": "承知しました。", "outcome": "opted_out"},
                    "goodbye": {"say": "失礼します。"},
                },
            }
        },
    }  # fmt: skip
    return Definition.model_validate(base | changes)


def state_counts(ledger: Ledger, run_id: UUID) -> dict[str, int]:
    """How many attempts are in which state."""
    return {
        str(state): int(str(n))
        for state, n in ledger.rows(
            "SELECT state, count(*) FROM attempt WHERE run_id = :r GROUP BY 1", r=run_id
        )
    }

"""A service on the test's own database, and small files to feed it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from contact_service.bootstrap import Service
from contact_service.clock import FixedClock
from contact_service.domain.actors import Actor, Role
from contact_service.intake.importing import Report, import_file
from contact_service.settings import Settings
from contact_service.store.crypto import Vault

STAFF = Actor("鈴木", Role.STAFF)

CLAIM = {
    "宛名番号": "10000001",
    "世帯番号": "2000001",
    "氏名": "山﨑　健",
    "氏名カナ": "ﾔﾏｻﾞｷ ｹﾝ",
    "生年月日": "昭和40年7月10日",
    "電話番号１": "090-1234-5678",
    "電話番号２": "",
    "科目": "国民健康保険料",
    "債権区分": "強制徴収公債権",
    "調定年度": "2026",
    "相当年度": "2026",
    "期別": "3",
    "通知書番号": "26010000001",
    "納期限": "R8.8.31",
    "調定額": "10,000円",
    "収入済額": "0",
    "未納額": "10,000円",
    "督促発送日": "",
    "備考": "",
}
PAYMENT = {
    "宛名番号": "10000001",
    "科目": "国民健康保険料",
    "通知書番号": "26010000001",
    "期別": "3",
    "収納日": "R8.10.5",
    "収納額": "4,000",
    "収納方法": "コンビニ",
}
RESTRICTION = {
    "宛名番号": "10000001",
    "通知書番号": "",
    "区分": "分納誓約",
    "開始日": "令和8年8月1日",
    "終了日": "令和9年3月31日",
    "備考": "",
}
CALL = {
    "日時": "2026/09/01 09:10:57",
    "方向": "架電",
    "相手番号": "090-1234-5678",
    "内線": "201",
    "結果": "通話",
    "通話秒数": "95",
    "後処理秒数": "30",
    "メモ": "",
}

Rows = Sequence[dict[str, str]]
Import = Callable[..., Report]
Query = Callable[[str], list[tuple[Any, ...]]]


def write_csv(path: Path, rows: Rows, encoding: str = "cp932") -> Path:
    """``rows`` as a CSV file with the headings of the first."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def service(settings: Settings, engine: Engine, vault: Vault, clock: FixedClock) -> Service:
    return Service(settings, engine, vault, clock)


@pytest.fixture
def take(service: Service) -> Import:
    """Import a file as a member of staff."""

    def run(kind: str, path: Path, **options: Any) -> Report:
        return import_file(service, STAFF, kind, path, **options)

    return run


@pytest.fixture
def query(engine: Engine) -> Query:
    """The rows of one SQL query."""

    def run(sql: str) -> list[tuple[Any, ...]]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]

    return run


LEDGER = ("household", "debtor", "phone", "debtor_phone", "claim", "payment", "restriction", "call")


@pytest.fixture
def ledger_hash(query: Query) -> Callable[[], list[str]]:
    """Every row of the ledger, sealed values included, as one hash a table."""

    def run() -> list[str]:
        return [
            query(f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) "
                  f"FROM {table} t")[0][0]
            for table in LEDGER
        ]  # fmt: skip

    return run

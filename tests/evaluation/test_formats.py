"""The same report as PDF, Excel and JSON: whole, typed, and telling no more than the page."""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import Engine
from typer.testing import CliRunner

from campaigns.definition import Definition
from contact_service.bootstrap import Service
from contact_service.cli import report as cli
from contact_service.domain.actors import Actor
from contact_service.evaluation.chapters.voice import voice_of
from contact_service.evaluation.document import pdf, xlsx
from contact_service.evaluation.document.model import (
    Answers,
    Column,
    Document,
    Interval,
    Kind,
    Label,
    Section,
    Table,
    Words,
)
from contact_service.evaluation.forms import Format
from contact_service.evaluation.report import run_report, written
from contact_service.evaluation.wording import Lang
from tests.evaluation.world import DEFINITION, QUIET, RUN, Report, build

Reports = Callable[[str], Report]
AT = datetime.fromisoformat("2026-10-26T10:00:00+09:00")


def streams(content: bytes) -> bytes:
    """Everything that a PDF holds compressed, unpacked."""
    found = []
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        try:
            found.append(zlib.decompress(packed))
        except zlib.error:
            found.append(packed)
    return b"\n".join([content, *found])


def sheets(content: bytes) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_a_pdf_brings_its_japanese_typeface(report: Reports) -> None:
    made = report("ja")
    content = made.content(Format.PDF)
    inside = streams(content)
    assert content.startswith(b"%PDF-")
    assert re.search(rb"/BaseFont ?/\w+\+NotoSansJP", inside)
    assert b"/FontFile" in inside
    assert b"/StructTreeRoot" in inside  # tagged: a screen reader finds its way
    assert content == written(
        made.document, made.figures, Format.PDF
    )  # the same figures, the same file


def test_a_pdf_takes_any_words() -> None:
    """Nothing that staff write is read as markup."""
    odd = 'a "b" #eval(1) *c* $x$ \\ <d> `e` {{ f }} 𠮷 ﾊﾝｶｸ'
    table = Table(odd, [Column(odd), Column(odd, Kind.YEN)], [[Label(odd, "#0072b2"), 1]])
    document = Document(odd, odd, odd, odd, [Section("s", odd, [Words([odd]), table], [odd])], "ja")
    assert pdf.pdf(document, AT).startswith(b"%PDF-")


def test_a_workbook_counts(report: Reports) -> None:
    made = report("ja")
    found = sheets(made.content(Format.XLSX))
    assert len(found) == len(made.document.sections) + 1
    payment = found["納付"]
    levels = [row for row in payment if row[0] == "SMS" and 70 in row]
    assert levels
    assert levels[0][1:4] == [70, 56, 0.8]
    days = {cell for row in payment for cell in row if isinstance(cell, date)}
    assert date(2026, 9, 7) in {d.date() if isinstance(d, datetime) else d for d in days}
    said = " ".join(str(cell) for row in found["1分でわかる要約"] for cell in row)
    assert "訓練データによる報告書です" in said


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_a_workbook_leads_from_figures_to_how_they_were_counted(
    report: Reports, lang: Lang
) -> None:
    made = report(lang)
    content = made.content(Format.XLSX)
    found = sheets(content)
    annex = list(found)[-1]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [
            archive.read(f"xl/worksheets/sheet{n}.xml").decode() for n in range(1, len(found) + 1)
        ]
    link = re.compile(r"""<hyperlink ref="([A-Z])(\d+)" location="'([^"]+)'!A(\d+)\"""")
    for section, part, rows in zip(made.document.sections, parts, found.values(), strict=False):
        links = [
            (rows[int(row) - 1][ord(column) - ord("A")], found[sheet][int(to) - 1][0], sheet)
            for column, row, sheet, to in link.findall(part)
        ]
        to_annex = [said for said, there, sheet in links if sheet == annex and said == there]
        assert to_annex == list(section.counted_by)
        asked = [
            answer.question
            for block in section.blocks
            if isinstance(block, Answers)
            for answer in block.answers
            if answer.section
        ]
        assert [said for said, _, sheet in links if sheet != annex] == asked
    assert any(section.counted_by for section in made.document.sections)


def test_names_of_sheets_are_whole(report: Reports) -> None:
    """None is cut within a word, and none has what Excel does not allow."""
    names = list(sheets(report("en").content(Format.XLSX)))
    assert names[-1] == "Annex – sources of the figures"
    assert names[:-1] == [section.title for section in report("en").document.sections]
    long = "A section whose title is a good deal longer than a sheet's name: may be"
    document = Document("t", "k", "", "", [Section(str(n), long, []) for n in range(3)], "en")
    cut = list(sheets(xlsx.workbook(document, AT)))
    assert cut == ["A section whose title is a good", "A section whose title is a 2",
                   "A section whose title is a 3"]  # fmt: skip


def test_a_workbook_runs_nothing() -> None:
    odd = ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("//x")', "{=1}", "http://example.invalid"]
    table = Table(odd[0], [Column(odd[1]), Column("n", Kind.COUNT), Column("i", Kind.SHARE)],
                  [[said, 3, Interval(0.1, 0.2)] for said in odd])  # fmt: skip
    section = Section(odd[0], odd[0], [Words(odd), table], odd, odd[0])
    content = xlsx.workbook(Document(odd[0], odd[0], odd[0], "", [section], "en"), AT)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert not any("<f>" in part or "<hyperlink" in part for part in parts.values())
    (rows,) = sheets(content).values()
    assert [row[0] for row in rows if row[1] == 3.0] == odd
    assert [row[2:4] for row in rows if row[1] == 3.0] == [[0.1, 0.2]] * len(odd)


def test_english_speaks_no_japanese(report: Reports) -> None:
    """Arms and strata have names in English, though staff wrote Japanese."""
    page = report("en").content(Format.HTML).decode()
    said = re.sub(r"<(style|pre)>.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    voice = voice_of(Definition.model_validate(DEFINITION), "en")
    assert voice.stratum("resident_tax/current/b:2-5万/mobile") == (
        "residents' tax · current year · ¥20,000–49,999 · mobile number"
    )
    assert not re.findall(r"[ぁ-んァ-ヶ一-龠]+", said)
    assert "SMS + auto-call + call by an operator" in page


def test_no_format_tells_more_than_another(
    service: Service, evaluator: Actor, engine: Engine
) -> None:
    """A small arm's counts are in no format: 3 of 121 who paid."""
    world = replace(QUIET, arms={"holdout": (118, 60), "sms": (121, 3), "sms_call": (119, 70)})
    with engine.begin() as connection:
        build(connection, world)
    document, figures = run_report(service, evaluator, RUN, "en")
    page = written(document, figures, Format.HTML).decode()
    assert "too few households paid, or did not" in page
    held = json.loads(written(document, figures, Format.JSON))
    sms = next(row for row in held["payment"]["arms"] if row["arm"] == "sms")
    assert (sms["paid_something"]["clusters"], sms["paid_something"]["estimate"]) == ("x", None)
    for rows in sheets(written(document, figures, Format.XLSX)).values():
        for row in rows:
            assert not (121 in row and 3 in row), row


@pytest.mark.parametrize("form", Format)
def test_report_trial_from_a_shell(
    nobody: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Format
) -> None:
    @contextmanager
    def ours() -> Iterator[Service]:
        yield nobody

    monkeypatch.setattr(cli, "service", ours)
    file = tmp_path / "new" / f"trial.{form}"
    done = CliRunner().invoke(
        cli.app, ["trial", "latest", "--format", form, "--lang", "en", "--output", str(file)]
    )
    assert (done.exit_code, done.stdout.strip()) == (0, str(file))
    start = {"html": b"<!DOCTYPE", "pdf": b"%PDF-", "xlsx": b"PK", "json": b"{"}[form]
    assert file.read_bytes().startswith(start)

"""The files that are written: whole, self-contained, for those who may read them."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from contact_service.bootstrap import Service
from contact_service.cli import report as cli
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.evaluation.chapters.whole import run_document
from contact_service.evaluation.document import html
from contact_service.evaluation.document.model import Answers
from contact_service.evaluation.facts import NoSuchRun
from contact_service.evaluation.forms import Format
from contact_service.evaluation.report import (
    NoCalls,
    latest_run,
    run_figures,
    run_report,
    write_load_report,
    write_run_report,
)
from contact_service.evaluation.rows_counted import Figure, rows_counted
from contact_service.evaluation.withholding import withhold
from contact_service.evaluation.wording import texts
from contact_service.store.tables.admin import audit_log
from tests.conftest import NOW
from tests.evaluation.test_formats import streams
from tests.evaluation.world import CALLS_FROM, CALLS_TO, NOBODY, QUIET, RUN, START, Report, build


class Page(HTMLParser):
    """What a page consists of."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for key, value in attrs if key == "id" and value]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def page_of(report: Report) -> Page:
    return Page(report.content(Format.HTML).decode())


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_the_page_needs_nothing_but_itself(report: Callable[[str], Report], lang: str) -> None:
    page = page_of(report(lang))
    assert not re.search(r"https?:|//[a-z]|@import|\burl\((?!#)", page.source)
    assert {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object"} == set()
    assert len(page.ids) == len(set(page.ids))
    wanted = [a["href"] for tag, a in page.tags if tag == "a" and a.get("href")]
    assert wanted
    assert {str(href).removeprefix("#") for href in wanted} <= set(page.ids)
    clips = set(re.findall(r"url\(#([^)]+)\)", page.source))
    assert clips <= set(page.ids)
    pictures = [a for tag, a in page.tags if tag == "svg"]
    assert len(pictures) == 7
    assert all(picture["role"] == "img" and picture["aria-label"] for picture in pictures)


def test_every_figure_leads_to_how_it_was_counted(report: Callable[[str], Report]) -> None:
    """Page one to the sections, these to the SQL in the annex and to the rows it counts."""
    made = report("ja")
    sections = {section.id: section for section in made.document.sections}
    (answers,) = [block for block in sections["summary"].blocks if isinstance(block, Answers)]
    assert [answer.section for answer in answers.answers] == [
        "flow", "payment", "payment", "cost", "load", "cost",
    ]  # fmt: skip
    counted = {name: one for name, one in sections.items() if name not in ("summary", "methods")}
    assert {answer.section for answer in answers.answers} <= set(counted)
    page = page_of(made)
    links = [a["href"] for tag, a in page.tags if tag == "a"]
    for section in counted.values():
        assert section.counted_by
        assert set(section.counted_by) <= set(made.document.sources)
        assert {f"#sql-{name}" for name in section.counted_by} <= set(links)
        assert section.rows or section.id == "load"
    pdf = streams(made.content(Format.PDF))
    assert pdf.count(b"/Link") >= len(links)


def test_what_a_councillor_reads(report: Callable[[str], Report]) -> None:
    page = page_of(report("ja"))
    assert "訓練データによる報告書です" in page.text
    assert "「SMS」80.0%（70世帯中56世帯）" in page.text
    assert "+20.0ポイント（95％信頼区間 +5.2～+33.4）" in page.text
    assert "令和8年9月7日からの28日間" in page.text
    assert "追加収納額あたりの費用には上限がなく" in page.text
    assert "前後の比較であり、催告だけの影響とは限りません" in page.text
    assert "「SMS」が対照群より多く集めたとは言えない" in page.text


def test_an_imbalance_is_said_in_words(report: Callable[[str], Report]) -> None:
    made = report("ja")
    (note,) = [one for one in made.figures["analysis"]["notes"] if one["key"] == "imbalance"]
    assert note["factor"] in note["ja"]
    (said,) = [line for line in page_of(made).words if "の偏りがあります" in line]
    assert note["factor"] not in said
    assert f"（{texts()['factor_' + note['factor']]['ja']}" in said


def test_real_data_carries_no_banner(
    service: Service, evaluator: Actor, nobody: Service, tmp_path: Path
) -> None:
    with service.engine.begin() as connection:
        build(connection, replace(NOBODY, training=False))
    for found, said in ((service, False), (nobody, True)):
        write_run_report(found, evaluator, RUN, tmp_path, "en")
        page = (tmp_path / "report.html").read_text(encoding="utf-8")
        assert ("Training data" in Page(page).text) is said


def test_the_json_holds_the_figures_of_the_page(report: Callable[[str], Report]) -> None:
    made = report("en")
    stored = json.loads(made.content(Format.JSON))
    assert stored["payment"]["comparisons"] == made.figures["payment"]["comparisons"]
    assert stored["run"]["id"] == str(RUN)
    page = page_of(made)
    for name in stored["sources"]:
        assert f"sql-{name}" in page.ids
    for lines in stored["summary"].values():
        assert all(line in page.text for line in lines)


def test_titles_are_escaped(blank: Engine) -> None:
    with blank.connect() as connection:
        build(connection, QUIET)
        connection.exec_driver_sql(
            "UPDATE campaign_version SET definition = jsonb_set(jsonb_set(definition, '{title}',"
            """ '"<script>x</script>"'), '{arms,1,title}', '"<b>\\"&"')"""
        )
        facts, figures = run_figures(connection, RUN, NOW)
    page = Page(html.page(run_document(facts, withhold(figures, 5), "ja")))
    assert {tag for tag, _ in page.tags} & {"script"} == set()
    assert '<b>"&' in page.text


def test_a_run_of_nobody_and_no_calls(nobody: Service, evaluator: Actor, tmp_path: Path) -> None:
    figures = write_run_report(nobody, evaluator, RUN, tmp_path, "ja")
    assert figures["load"] is None
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "report.json"]
    text = Page((tmp_path / "report.html").read_text(encoding="utf-8")).text
    assert "通話記録がないため" in text
    assert "収納データがまだ取り込まれていない" in text


def test_reading_is_recorded(nobody: Service, shared: Service) -> None:
    reader = Actor("reader", Role.EVALUATOR)
    run_report(nobody, reader, RUN, "ja")
    write_load_report(shared, reader, None, None, None, None, "ja")
    for read, action in ((nobody, "report.run"), (shared, "report.load")):
        with read.engine.connect() as connection:
            found = connection.execute(
                select(audit_log.c.action).where(audit_log.c.actor == "reader")
            ).scalars()
            assert list(found) == [action]


def test_operators_read_no_reports(shared: Service, tmp_path: Path) -> None:
    operator = Actor("201", Role.OPERATOR)
    with pytest.raises(NotAllowed):
        write_run_report(shared, operator, RUN, tmp_path, "ja")
    with pytest.raises(NotAllowed):
        write_load_report(shared, operator, None, None, None, None, "ja")
    with pytest.raises(NotAllowed):
        latest_run(shared, operator)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there(service: Service, evaluator: Actor, tmp_path: Path) -> None:
    with pytest.raises(NoSuchRun, match="no run"):
        write_run_report(service, evaluator, RUN, tmp_path, "ja")
    with pytest.raises(NoSuchRun, match="no run yet"):
        latest_run(service, evaluator)
    with pytest.raises(NoCalls, match="通話記録がありません"):
        write_load_report(service, evaluator, None, None, None, None, "ja")
    with pytest.raises(ValueError, match="language"):
        write_run_report(service, evaluator, RUN, tmp_path, "fr")


def test_load_report_finds_its_days(shared: Service, evaluator: Actor, tmp_path: Path) -> None:
    file = tmp_path / "out" / "load.html"
    figures = write_load_report(shared, evaluator, None, None, None, file, "en")
    load = figures["load"]
    assert (load["from"], load["change"], load["to"]) == (
        CALLS_FROM.isoformat(), START.isoformat(), CALLS_TO.isoformat(),
    )  # fmt: skip
    page = Page(file.read_text(encoding="utf-8"))
    assert sum(tag == "svg" for tag, _ in page.tags) == 2
    assert not re.search(r"https?:", page.source)
    alone = write_load_report(
        shared, evaluator, date(2026, 7, 13), None, date(2026, 7, 17), None, "en"
    )
    assert alone["load"]["change"] is None


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Callable[[Service], CliRunner]:
    def over(service: Service) -> CliRunner:
        @contextmanager
        def ours() -> Iterator[Service]:
            yield service

        monkeypatch.setattr(cli, "service", ours)
        return CliRunner()

    return over


Shell = Callable[[Service], CliRunner]


def test_report_run_from_a_shell(shell: Shell, nobody: Service, tmp_path: Path) -> None:
    done = shell(nobody).invoke(
        cli.app, ["run", "latest", "--output", str(tmp_path), "--lang", "en"]
    )
    assert (done.exit_code, done.stdout.strip()) == (0, str(tmp_path / "report.html"))
    assert 'lang="en"' in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "nonsense", "--output", "x"], 2, "no run identifier"),
        (["run", "00000000-0000-5000-8000-000000000009", "--output", "x"], 1, "no run"),
        (["load", "--from", "2026-09-10", "--to", "2026-09-01"], 2, "--from ≦ --change"),
    ],
)
def test_faults_are_said_in_words(
    shell: Shell, shared: Service, arguments: list[str], code: int, said: str
) -> None:
    done = shell(shared).invoke(cli.app, arguments)
    assert done.exit_code == code
    assert said in done.output


def test_a_folder_that_cannot_be_written(shell: Shell, nobody: Service, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = shell(nobody).invoke(cli.app, ["run", "--output", str(tmp_path / "file" / "out")])
    assert done.exit_code == 1
    assert "書けません" in done.output


def test_report_load_from_a_shell(shell: Shell, shared: Service) -> None:
    done = shell(shared).invoke(cli.app, ["load", "--change", "2026-09-07", "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["load"]["change"] == "2026-09-07"
    words = shell(shared).invoke(cli.app, ["load"])
    assert "受電件数は1稼働日平均" in words.output


def test_the_rows_behind_a_figure(shell: Shell, shared: Service) -> None:
    run = shell(shared)
    for figure, wanted in (("households", 225), ("excluded", 49)):
        done = run.invoke(cli.app, ["rows", "latest", figure])
        assert done.exit_code == 0, done.output
        assert len(done.stdout.splitlines()) == 1 + wanted
    for figure in ("claims", "payments", "attempts", "calls"):
        assert len(run.invoke(cli.app, ["rows", str(RUN), figure]).stdout.splitlines()) > 1
    with pytest.raises(NotAllowed):
        list(rows_counted(shared, Actor("o", Role.OPERATOR), RUN, Figure.EXCLUDED))


def test_whoever_has_seen_enough_ends_it_quietly(
    shell: Shell, shared: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in ``report rows … | head``: the pipe is closed before the rows are through."""
    shell(shared)
    reader, writer = os.pipe()
    os.close(reader)
    pipe = os.fdopen(writer, "w", encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", pipe)
        patched.setattr(sys, "stderr", said := io.StringIO())
        with pytest.raises(SystemExit) as ended:
            cli.app(["rows", "latest", "attempts"])
    with suppress(BrokenPipeError):
        pipe.close()
    assert (ended.value.code, said.getvalue()) == (1, "")

"""The files that are written: whole, self-contained, for those who may read them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from contact_service.bootstrap import Service
from contact_service.cli import report as cli
from contact_service.domain.actors import Actor, NotAllowed, Role
from contact_service.evaluation.facts import NoSuchRun
from contact_service.evaluation.report import (
    NoCalls,
    latest_run,
    write_load_report,
    write_run_report,
)
from contact_service.evaluation.rows_counted import Figure, rows_counted
from contact_service.store.tables.admin import audit_log
from tests.evaluation.world import CALLS_FROM, CALLS_TO, RUN, START, World, build


@pytest.fixture
def run(engine: Engine) -> UUID:
    with engine.begin() as connection:
        return build(connection, World())


class Page(HTMLParser):
    """What a page consists of."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
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


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_the_page_needs_nothing_but_itself(
    service: Service, evaluator: Actor, run: UUID, tmp_path: Path, lang: str
) -> None:
    write_run_report(service, evaluator, run, tmp_path, lang)
    page = Page(tmp_path / "report.html")
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
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_what_a_councillor_reads(
    service: Service, evaluator: Actor, run: UUID, tmp_path: Path
) -> None:
    write_run_report(service, evaluator, run, tmp_path, "ja")
    page = Page(tmp_path / "report.html")
    assert "訓練データによる報告書です" in page.text
    assert "「SMS」80.0%（70世帯中56世帯）" in page.text
    assert "+20.0ポイント（95％信頼区間 +5.2～+33.4）" in page.text
    assert "令和8年9月7日からの28日間" in page.text
    assert "追加収納額あたりの費用は示せません" in page.text
    assert "前後の比較であり、催告だけの影響とは限りません" in page.text


def test_real_data_carries_no_banner(
    service: Service, evaluator: Actor, engine: Engine, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        build(connection, World(training=False))
    write_run_report(service, evaluator, RUN, tmp_path, "en")
    assert "Training data" not in Page(tmp_path / "report.html").text


def test_the_json_holds_the_figures_of_the_page(
    service: Service, evaluator: Actor, run: UUID, tmp_path: Path
) -> None:
    returned = write_run_report(service, evaluator, run, tmp_path, "en")
    stored = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert stored["payment"]["comparisons"] == returned["payment"]["comparisons"]
    assert stored["run"]["id"] == str(RUN)
    page = Page(tmp_path / "report.html")
    for name in stored["sources"]:
        assert f"sql-{name}" in page.ids
    for lines in stored["summary"].values():
        assert all(line in page.text for line in lines)


def test_titles_are_escaped(
    service: Service, evaluator: Actor, run: UUID, engine: Engine, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE campaign_version SET definition = jsonb_set(jsonb_set(definition, '{title}',"
            """ '"<script>x</script>"'), '{arms,1,title}', '"<b>\\"&"')"""
        )
    write_run_report(service, evaluator, run, tmp_path, "ja")
    page = Page(tmp_path / "report.html")
    assert {tag for tag, _ in page.tags} & {"script"} == set()
    assert '<b>"&' in page.text


def test_a_run_of_nobody_and_no_calls(
    service: Service, evaluator: Actor, engine: Engine, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        build(connection, World(arms={}, known_until=None, calls_per_half_hour=-9))
    figures = write_run_report(service, evaluator, RUN, tmp_path, "ja")
    assert figures["load"] is None
    text = Page(tmp_path / "report.html").text
    assert "通話記録がないため" in text
    assert "収納データがまだ取り込まれていない" in text


def test_reading_is_recorded(
    service: Service, evaluator: Actor, run: UUID, engine: Engine, tmp_path: Path
) -> None:
    write_run_report(service, evaluator, run, tmp_path, "ja")
    write_load_report(service, evaluator, None, None, None, None, "ja")
    with engine.connect() as connection:
        found = connection.execute(select(audit_log.c.action, audit_log.c.actor)).all()
    assert found == [("report.run", "evaluator"), ("report.load", "evaluator")]


def test_operators_read_no_reports(service: Service, run: UUID, tmp_path: Path) -> None:
    operator = Actor("201", Role.OPERATOR)
    with pytest.raises(NotAllowed):
        write_run_report(service, operator, run, tmp_path, "ja")
    with pytest.raises(NotAllowed):
        write_load_report(service, operator, None, None, None, None, "ja")
    with pytest.raises(NotAllowed):
        latest_run(service, operator)
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


def test_load_report_finds_its_days(
    service: Service, evaluator: Actor, run: UUID, tmp_path: Path
) -> None:
    file = tmp_path / "out" / "load.html"
    figures = write_load_report(service, evaluator, None, None, None, file, "en")
    load = figures["load"]
    assert (load["from"], load["change"], load["to"]) == (
        CALLS_FROM.isoformat(), START.isoformat(), CALLS_TO.isoformat(),
    )  # fmt: skip
    page = Page(file)
    assert sum(tag == "svg" for tag, _ in page.tags) == 2
    assert not re.search(r"https?:", page.source)
    alone = write_load_report(
        service, evaluator, date(2026, 7, 13), None, date(2026, 7, 17), None, "en"
    )
    assert alone["load"]["change"] is None


@pytest.fixture
def shell(service: Service, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    @contextmanager
    def ours() -> Iterator[Service]:
        yield service

    monkeypatch.setattr(cli, "service", ours)
    return CliRunner()


def test_report_run_from_a_shell(shell: CliRunner, run: UUID, tmp_path: Path) -> None:
    done = shell.invoke(cli.app, ["run", "latest", "--output", str(tmp_path), "--lang", "en"])
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
    shell: CliRunner, run: UUID, arguments: list[str], code: int, said: str
) -> None:
    done = shell.invoke(cli.app, arguments)
    assert done.exit_code == code
    assert said in done.output


def test_a_folder_that_cannot_be_written(shell: CliRunner, run: UUID, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = shell.invoke(cli.app, ["run", "--output", str(tmp_path / "file" / "out")])
    assert done.exit_code == 1
    assert "書けません" in done.output


def test_report_load_from_a_shell(shell: CliRunner, run: UUID) -> None:
    done = shell.invoke(cli.app, ["load", "--change", "2026-09-07", "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["load"]["change"] == "2026-09-07"
    words = shell.invoke(cli.app, ["load"])
    assert "受電件数は1稼働日平均" in words.output


def test_the_rows_behind_a_figure(shell: CliRunner, run: UUID, service: Service) -> None:
    for figure, wanted in (("households", 225), ("excluded", 49)):
        done = shell.invoke(cli.app, ["rows", "latest", figure])
        assert done.exit_code == 0, done.output
        assert len(done.stdout.splitlines()) == 1 + wanted
    for figure in ("claims", "payments", "attempts", "calls"):
        assert len(shell.invoke(cli.app, ["rows", str(run), figure]).stdout.splitlines()) > 1
    with pytest.raises(NotAllowed):
        list(rows_counted(service, Actor("o", Role.OPERATOR), run, Figure.EXCLUDED))

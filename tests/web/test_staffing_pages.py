"""The pages of the centre's load and of its shift to inbound, their files, and the JSON API."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from contact_service.domain.actors import Role
from contact_service.web import beside
from tests.dispatch.conftest import Floor, floor
from tests.evaluation.world import CALLS_FROM, CALLS_TO, RUN, World, build
from tests.identity.conftest import _quick_hashes
from tests.system.ward import until
from tests.web.api import Api
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings

__all__ = ["_quick_hashes", "door", "door_settings", "floor"]

PERIOD = "from=2026-11-02&to=2026-11-06"


def a_week_of_calls(floor: Floor) -> None:
    """Every working day at ten: 20 calls in, one of them abandoned, and 12 calls out."""
    for day in range(5):
        for origin, direction, many in (("resident", "inbound", 20), ("operator", "outbound", 12)):
            floor.ledger.run(
                "INSERT INTO call (origin, direction, started_at, wait_seconds, talk_seconds, "
                "wrap_seconds, result, deduplication_key) SELECT :origin, :direction, "
                "CAST('2026-11-02T10:00+09' AS timestamptz) + make_interval(days => :day, "
                "secs => n), 10, CASE WHEN n = 1 AND :lost THEN 0 ELSE 120 END, "
                "60, CASE WHEN n = 1 AND :lost THEN 'abandoned' ELSE 'talked' "
                "END, :key || n FROM generate_series(1, :many) n",
                origin=origin, direction=direction, lost=direction == "inbound", day=day, many=many, key=f"{origin}:{day}:",
            )  # fmt: skip


def cells(page: str, row: str) -> list[str]:
    found = re.search(rf'<th scope="row"(?: class="name")?>{row}</th>(.*?)</tr>', page, re.S)
    assert found, page
    return re.findall(r"<td[^>]*>(.*?)</td>", found[1])


def test_the_load_and_what_becomes_of_it_are_counted_and_kept(floor: Floor, door: Door) -> None:
    reader = signed_in(floor, door, "kato", Role.EVALUATOR)
    assert reader.open("/centre/load").status == 200 and "通話記録がありません" in reader.page
    assert 'class="fault"' not in reader.page, "nobody has done anything wrong"
    assert reader.open("/centre/shift").status == 200 and "通話記録がありません" in reader.page
    assert 'class="fault"' not in reader.page
    assert reader.open(f"/centre/shift?{PERIOD}").status == 422 and 'class="fault"' in reader.page
    a_week_of_calls(floor)
    at_ten = cells(reader.open(f"/centre/load?{PERIOD}").page, "10:00")
    assert at_ten[:3] == ["100", "95", "5"] and at_ten[6] == "60", at_ten
    assert at_ten[8:11] == ["2.0", "1.0", "3.0"], "talk, after-call, agent-hours"
    for by, row in (("weekday", "月"), ("day", "11月2日（月）"), ("week", "11月2日（月）"),
                    ("campaign", "計画なし"), ("kind", "不明")):  # fmt: skip
        reader.open(f"/centre/load?{PERIOD}&by={by}")
        assert cells(reader.page, row)[0] in ("20", "100"), by
        assert f'value="{by}" selected' in reader.page
    assert "令和8年11月2日 – 令和8年11月6日</h2>" in reader.page
    assert reader.open(f"/centre/load?{PERIOD}&by=moon").status == 200
    assert cells(reader.page, "合計")[:3] == ["100", "95", "5"]
    backwards = reader.open("/centre/load?from=2026-11-06&to=2026-11-02")
    assert backwards.status == 422 and "初日は最終日より前" in backwards.page
    assert reader.open("/centre/load?from=yesterday").status == 422

    shift = f"/centre/shift?{PERIOD}&level=80&within=20&trial=none"
    reader.open(shift)
    assert [cells(reader.page, cut)[0] for cut in ("現在", "25%", "100%")] == ["12.0", "9.0", "0.0"]
    few, more = (reader.open(f"{shift}&shrinkage={share}").page for share in ("0", "50"))
    assert int(cells(more, "現在")[5]) == 2 * int(cells(few, "現在")[5])
    assert "何秒" in few and reader.open(f"{shift}&patience=0").status == 422
    # two forms of each: what the forms hold, the evaluation's own tests say
    for what, form, begins in (("load", "html", b"<!doctype"), ("load", "xlsx", b"pk"),
                               ("shift", "pdf", b"%pdf"), ("shift", "json", b"{")):  # fmt: skip
        address = f"/centre/{what}/page.{form}?{PERIOD}&trial=none"
        status, content = reader.fetch(address)
        assert status == 200 and content[:9].lower().startswith(begins), address


def test_what_takes_the_place_is_chosen_and_told_with_its_uncertainty(
    floor: Floor, door: Door
) -> None:
    with floor.service.engine.begin() as connection:
        build(connection, World())
    asked = f"from={CALLS_FROM}&to={CALLS_TO}"
    reader = signed_in(floor, door, "kato", Role.EVALUATOR)
    page = reader.open(f"/centre/shift?{asked}").page
    assert "「SMS＋オートコール」75世帯と「対照群（連絡しない）」の比較" in page
    assert "訓練データ" in page
    for cut in ("25%", "50%", "75%", "100%"):  # each in a sentence, with its interval
        assert re.search(rf"<li>架電を{cut}減らし、.*95％区間 [−+].*～[−+].*配置は.*人です。", page)
    reader.open(f"/centre/load?{asked}")
    assert re.search(r'<th scope="row">SMS</th>(<td class="n">\d+／\d+（[\d.]+）</td>){3}',
                     reader.page)  # fmt: skip
    # of the trial offered, the other arm
    other = re.search(rf'<option value="({RUN}:sms)"', page)
    assert other, page
    chosen = f"{asked}&trial={other[1]}&inbound_change=50"
    page = reader.open(f"/centre/shift?{chosen}").page
    assert f'<option value="{RUN}:sms" selected' in page
    assert "「SMS」70世帯" in page and "ほかの受電の変化（仮定）: +50.0%" in page
    found = re.search(r'href="(/centre/shift/page\.json[^"]*)"', page)
    assert found
    kept = json.loads(reader.fetch(unescape(found[1]))[1])
    assert kept["replacement"]["arm"] == "sms" and kept["assumptions"]["inbound_change"] == 0.5
    meeting = reader.open(f"/centre/shift/page.html?{chosen}").page
    assert "「SMS」70世帯" in meeting and "+50.0%" in meeting

    api = Api(floor, door, Role.EVALUATOR)
    status, told = api.ask(
        "GET", f"/api/centre/shift?{asked}&trial={RUN}&arm=sms&inbound_change=50"
    )
    assert status == 200 and told["scenarios"] == kept["scenarios"]
    for wrong in (f"trial={RUN}&arm=letters", "trial=none&arm=sms", "trial=autumn"):
        assert api.ask("GET", f"/api/centre/shift?{asked}&{wrong}")[0] == 422, wrong
    # an office that has no trial is offered none, and told so
    nursery = signed_in(floor, door, "nanase", Role.EVALUATOR, "保育担当課")
    page = nursery.open(f"/centre/shift?{asked}").page
    assert nursery.status == 200 and "比べられる試行がない" in page and str(RUN) not in page
    assert nursery.open(f"/centre/shift?{chosen}").status == 403


def test_other_systems_read_the_same_figures(floor: Floor, door: Door) -> None:
    a_week_of_calls(floor)
    api = Api(floor, door, Role.EVALUATOR)
    status, load = api.ask("GET", f"/api/centre/load?{PERIOD}")
    assert status == 200 and load["total"]["inbound"]["offered"] == 100
    status, shift = api.ask("GET", f"/api/centre/shift?{PERIOD}&trial=none")
    assert status == 200
    assert [one["outbound_cut"] for one in shift["scenarios"]] == [0, 0.25, 0.5, 0.75, 1]
    status, said = api.ask("GET", "/api/centre/load?from=2026-11-06&to=2026-11-02")
    assert status == 422 and "first day" in json.dumps(said)
    # ten centuries of half-hours, and a day after which there is none
    for days in ("from=0001-01-01", "to=9999-12-31", "from=9999-12-31&to=9999-12-31"):
        for what in ("load", "shift"):
            status, said = api.ask("GET", f"/api/centre/{what}?{days}")
            assert (status, "5 years at most" in json.dumps(said)) == (422, True), (what, days)
    assert api.ask("GET", "/api/centre/shift?from=2021-12-01&to=2026-11-06&trial=none")[0] == 200


def test_a_large_call_log_is_counted_beside_and_once(
    floor: Floor, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_week_of_calls(floor)
    monkeypatch.setattr(beside, "MANY", -2)  # as if there were more calls than can be waited for
    reader = signed_in(floor, door, "kato", Role.EVALUATOR)
    page = f"/centre/load?{PERIOD}"
    assert "計算しています" in reader.open(page).page and "10:00" not in reader.page
    until(lambda: "計算しています" not in reader.open(page).page)
    assert cells(reader.page, "10:00")[:3] == ["100", "95", "5"]
    seen = "SELECT count(*) FROM audit_log WHERE action = 'centre.load'"
    other = signed_in(
        floor, door, "ueda", Role.EVALUATOR, "納税担当課"
    )  # what others asked is theirs
    assert "計算しています" in other.open(page).page and "10:00" not in other.page
    until(lambda: "計算しています" not in other.open(page).page)
    told = int(str(floor.ledger.one(seen)))
    floor.ledger.run("DELETE FROM call")  # what was counted is shown for half an hour
    assert cells(reader.open(page).page, "10:00")[:3] == ["100", "95", "5"]
    api = Api(floor, door, Role.EVALUATOR)
    assert api.ask("GET", f"/api{page}")[1]["total"]["inbound"]["offered"] == 100
    assert floor.ledger.one(seen) == told + 2  # that it was read is known each time
    assert api.ask("GET", "/api/centre/load?from=2026-12-01&to=2026-12-01")[0] == 422
    wrong = reader.open("/centre/load?from=2026-11-06&to=2026-11-02")
    assert (wrong.status, "初日は最終日より前" in wrong.page) == (422, True)


def today(page: str) -> list[list[str]]:
    """The board's rows of what was to be expected today, and what came."""
    found = page.partition('id="forecast"')[2].partition("</section>")[0]
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", found)
    return [re.findall(r"<t[hd][^>]*>([^<]*)", row) for row in rows]


def test_a_large_call_log_is_not_counted_while_the_board_waits_and_its_figures_are_the_same(
    floor: Floor, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Monday, 2026-11-09, at eleven. What came today is told at once, and calls of past weeks
    that are imported later are in the next figures."""
    a_week_of_calls(floor)
    mori = signed_in(floor, door, "mori", Role.SUPERVISOR)
    at_once = today(mori.open("/centre").page)
    assert [(row[0], row[1], row[4]) for row in at_once] == [("10:00–", "20.0", "0")]
    monkeypatch.setattr(beside, "MANY", -2)
    assert "数えています" in mori.open("/centre").page

    def settled(other: str = "") -> list[list[str]]:
        def there() -> bool:
            rows = today(mori.open("/centre").page)
            return bool(rows) and rows[0][1] != other

        until(there)
        return today(mori.page)

    assert settled() == at_once
    more = (
        "INSERT INTO call (origin, direction, started_at, talk_seconds, wrap_seconds, result, "
        "deduplication_key) SELECT 'resident', 'inbound', CAST(:at AS timestamptz) "
        "+ make_interval(secs => n), 60, 0, 'talked', :key || n FROM generate_series(1, 4) n"
    )
    floor.ledger.run(more, at="2026-11-09T10:01+09", key="later:2026-11-09T10:01+09:")
    assert [row[4] for row in today(mori.open("/centre").page)] == ["4"], "at once"
    floor.ledger.run(more, at="2026-11-02T10:01+09", key="later:2026-11-02T10:01+09:")
    counted = settled(other="20.0")
    monkeypatch.undo()
    assert counted == today(mori.open("/centre").page) and counted[0][1] == "24.0"

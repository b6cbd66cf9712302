"""The pages of the centre's load and of its shift to inbound, their files, and the JSON API."""

from __future__ import annotations

import json
import re

from contact_service.domain.actors import Role
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import _quick_hashes
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
    found = re.search(rf'<th scope="row">{row}</th>(.*?)</tr>', page, re.S)
    assert found, page
    return re.findall(r"<td[^>]*>(.*?)</td>", found[1])


def test_the_load_and_what_becomes_of_it_are_counted_and_kept(floor: Floor, door: Door) -> None:
    reader = signed_in(floor, door, "kato", Role.EVALUATOR)
    assert reader.open("/centre/load").status == 200 and "通話記録がありません" in reader.page
    a_week_of_calls(floor)
    at_ten = cells(reader.open(f"/centre/load?{PERIOD}").page, "10:00")
    assert at_ten[:3] == ["100", "95", "5"] and at_ten[7] == "60", at_ten
    assert cells(reader.page, "合計")[:3] == ["100", "95", "5"]
    backwards = reader.open("/centre/load?from=2026-11-06&to=2026-11-02")
    assert backwards.status == 422 and "初日は最終日より前" in backwards.page
    assert reader.open("/centre/load?from=yesterday").status == 422

    shift = f"/centre/shift?{PERIOD}&level=80&within=20&trial=false"
    reader.open(shift)
    assert [cells(reader.page, cut)[0] for cut in ("0%", "25%", "100%")] == ["12.0", "9.0", "0.0"]
    few, more = (reader.open(f"{shift}&shrinkage={share}").page for share in ("0", "50"))
    assert int(cells(more, "0%")[5]) == 2 * int(cells(few, "0%")[5])
    assert "何秒" in few and reader.open(f"{shift}&patience=0").status == 422
    for what in ("load", "shift"):
        for form, begins in (("pdf", b"%pdf"), ("xlsx", b"pk"), ("html", b"<!doctype"),
                             ("json", b"{")):  # fmt: skip
            address = f"/centre/{what}/page.{form}?{PERIOD}&trial=false"
            status, content = reader.fetch(address)
            assert status == 200 and content[:9].lower().startswith(begins), address


def test_other_systems_read_the_same_figures(floor: Floor, door: Door) -> None:
    a_week_of_calls(floor)
    api = Api(floor, door, Role.EVALUATOR)
    status, load = api.ask("GET", f"/api/centre/load?{PERIOD}")
    assert status == 200 and load["total"]["inbound"]["offered"] == 100
    status, shift = api.ask("GET", f"/api/centre/shift?{PERIOD}&trial=false")
    assert status == 200
    assert [one["outbound_cut"] for one in shift["scenarios"]] == [0, 0.25, 0.5, 0.75, 1]
    status, said = api.ask("GET", "/api/centre/load?from=2026-11-06&to=2026-11-02")
    assert status == 422 and "first day" in json.dumps(said)

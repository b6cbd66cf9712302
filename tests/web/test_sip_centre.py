"""The telephone centre on a SIP line of the office's own: real calls with real sound, the web
application, the desk, and the ledger."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from contact_service.bootstrap import Service
from contact_service.callcentre import incoming
from contact_service.callcentre.house_rules import USUAL, house_rules
from contact_service.clock import FileClock
from contact_service.domain.states import OperatorState
from contact_service.settings import Settings
from contact_service.web import queue
from providers.audio.files import written
from providers.base import Say
from providers.sip.options import SipOptions
from tests.dispatch.conftest import Floor, floor
from tests.ledger import Owed, mobile
from tests.providers.sip.service import (
    SECRET,
    Far,
    far_end,
    free_port,
    loud_seconds,
    options,
    tone,
    tone_seconds,
)
from tests.providers.sip.test_crash import process_of
from tests.system.ward import until
from tests.web.test_desk import at, attempt_on, operator
from tests.web.test_doors import Door, door, door_settings
from tests.web.test_incoming_calls import conversation, take

__all__ = ["door", "door_settings", "floor"]


@dataclass
class Exchange:
    """The office's exchange, where its telephones and the residents are."""

    port: int
    chosen: SipOptions
    folder: Path


@pytest.fixture(autouse=True)
def exchange(door_settings: Settings, tmp_path: Path) -> Iterator[Exchange]:
    """An office with a line to its own exchange, whose callers wait on that line."""
    stated = yaml.safe_load(USUAL.read_text(encoding="utf-8"))
    stated["incoming"]["queue"] = True
    # making and saying whole sentences takes most of such a test
    stated["incoming"]["announcements"] |= {
        "welcome": "はい。", "waiting": "待って。", "offer": "一番を。", "call_back": "はい。",
        "goodbye": "では。", "closed": "夜間です。", "full": "満員です。",
    }  # fmt: skip
    stated["incoming"]["most_waiting"] = 1
    door_settings.desk_file = tmp_path / "desk.yaml"
    door_settings.desk_file.write_text(yaml.safe_dump(stated, allow_unicode=True), encoding="utf-8")
    port = free_port()
    chosen = options(
        tmp_path / "trunk", port, local_port=free_port(), extensions=True, transfer_seconds=5,
        media_url=f"http://127.0.0.1:{free_port()}",
    )  # fmt: skip
    given = json.loads(chosen.model_dump_json(exclude_none=True)) | {"secret": SECRET}
    line = {
        "name": "line", "adapter": "sip", "live": False, "per_second": {"auto_call": 1},
        "options": given,
    }  # fmt: skip
    door_settings.providers_file = tmp_path / "providers.yaml"
    door_settings.providers_file.write_text(yaml.safe_dump({"providers": [line]}), encoding="utf-8")
    yield Exchange(port, chosen, tmp_path)
    house_rules.cache_clear()


def rings(far: Far, call: int) -> str:
    """Somebody's telephone rings; which."""
    until(lambda: bool(far.events("incoming", call)))
    return str(far.events("incoming", call)[0]["dialled"])


def test_a_resident_calls_waits_and_speaks_with_whoever_takes_the_call(
    floor: Floor, door: Door, exchange: Exchange
) -> None:
    floor.ledger.person([mobile(1)], [Owed(yen=32_000)])
    sato = operator(floor, door)
    assert "内線番号でも可" in sato.page
    sato.send("/desk/telephone", number="110")
    assert "内線番号（2～6けた" in sato.page, "an emergency number is no extension"
    sato.open("/desk").send("/desk/telephone", number="内線２３０１")
    assert 'value="2301"' in sato.page
    speech = exchange.folder / "operator.wav"
    speech.write_bytes(written(tone(30.0, 700), "wav"))
    chosen = exchange.chosen.model_copy(
        update={"inbound_url": f"{door.stack.settings.public_url}/webhooks/line/inbound"}
    )
    plan = [{}, {"ring": 0.3, "listens": True, "say": str(speech)}]
    caller = f"0{mobile(1)[3:]}"
    with far_end(plan, exchange.folder, exchange.port, caller) as far, process_of(chosen):
        far.command(dial=f"sip:0354321111@127.0.0.1:{chosen.local_port}", tone=700)
        until(lambda: "電話がかかっています" in sato.open("/desk/calls").page)
        assert "世＊＊" in sato.page
        at(door, seconds=2)
        take(sato.open("/desk"))
        assert "通話中" in sato.page and "32,000円" in sato.page
        assert rings(far, 1) == "2301", "the operator's own telephone, by its extension"
        until(lambda: bool(far.events("tone", 0)))
        far.command(ends=1)
        until(lambda: floor.ledger.one("SELECT count(*) FROM call") == 1)
        until(lambda: bool(far.events("recorded", 0) and far.events("recorded", 1)))
        assert loud_seconds(far.heard(1)) > 0.3, "the operator was told that a caller comes"
        assert tone_seconds(far.heard(0), 700) > 0.5, "the caller hears the operator"
    assert floor.ledger.rows("SELECT direction, result, wait_seconds, extension FROM call") == [
        ("inbound", "talked", 2, None)
    ]
    sato.send(f"/desk/{conversation(sato)}/result", kind="paid_already")
    assert "受付中" in sato.page
    assert floor.ledger.rows("SELECT state, number FROM inbound_call") == [("closed", None)]


def test_who_presses_one_while_waiting_is_called_back_by_click(
    floor: Floor, door: Door, exchange: Exchange
) -> None:
    floor.ledger.person([mobile(1)])
    sato = operator(floor, door)
    sato.send("/desk/telephone", number="2301")
    chosen = exchange.chosen.model_copy(
        update={"inbound_url": f"{door.stack.settings.public_url}/webhooks/line/inbound"}
    )
    caller = f"0{mobile(1)[3:]}"
    plan = [{}, {"ring": 0.2}, {"ring": 0.2, "hang_up": 1.0}]
    with far_end(plan, exchange.folder, exchange.port, caller) as far, process_of(chosen):
        keys = [[0.5, "1"]] * 20  # while the greeting is spoken a key means nothing
        far.command(dial=f"sip:0354321111@127.0.0.1:{chosen.local_port}", keys=keys)
        waiting = "SELECT count(*) FROM inbound_call WHERE state = 'call_back' AND asked"
        until(lambda: floor.ledger.one(waiting) == 1)
        until(lambda: floor.ledger.one("SELECT count(*) FROM call") == 1)
        at(door, minutes=31)
        take(sato.open("/desk"))
        talk = attempt_on(sato)
        press = re.search(r'name="press" value="([0-9a-f-]{36})"', sato.page)
        assert press, "a call by click is offered"
        for _ in range(2):
            sato.send(f"/desk/{talk}/place", press=press[1])
        assert "通話中" in sato.page
        assert rings(far, 1) == "2301"
        assert rings(far, 2) == caller, "and then the resident"
        until(lambda: bool(far.events("closed", 1)))
        assert not far.events("incoming", 3), "pressed twice, called once"
    assert floor.ledger.rows("SELECT result FROM placed_call") == [("accepted",)]
    period = "SELECT state FROM operator_period WHERE ended_at IS NULL"
    assert floor.ledger.rows(period) == [(OperatorState.TALKING.value,)]


def logged(floor: Floor) -> list[tuple[object, ...]]:
    return floor.ledger.rows("SELECT direction, result FROM call ORDER BY id")


def test_who_waits_when_the_trunk_dies_has_hung_up_as_soon_as_it_is_back(
    floor: Floor, door: Door, exchange: Exchange
) -> None:
    floor.ledger.person([mobile(1)])
    sato = operator(floor, door)
    chosen = exchange.chosen.model_copy(
        update={"inbound_url": f"{door.stack.settings.public_url}/webhooks/line/inbound"}
    )
    caller = f"0{mobile(1)[3:]}"
    with (
        far_end([{}], exchange.folder, exchange.port, caller) as far,
        process_of(chosen) as process,
    ):
        far.command(dial=f"sip:0354321111@127.0.0.1:{chosen.local_port}")
        until(lambda: "電話がかかっています" in sato.open("/desk/calls").page)
        process.kill()
        process.wait()
    assert floor.ledger.rows("SELECT state FROM inbound_call") == [("waiting",)]
    with process_of(chosen):
        until(lambda: logged(floor) == [("inbound", "abandoned")])
    sato.open("/desk")
    assert "電話がかかっています" not in sato.page and "かけ直し：出られなかった電話" in sato.page
    # by whom, though the trunk keeps no numbers
    whose = "SELECT c.phone_id = p.id FROM call c CROSS JOIN phone p"
    assert floor.ledger.rows(whose) == [(True,)]


@pytest.mark.parametrize("why", ["closed", "full"])
def test_callers_hear_that_nobody_can_be_reached_and_may_be_called_back(
    floor: Floor, door: Door, exchange: Exchange, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """Out of hours, and when more wait than the office lets."""
    chosen = exchange.chosen.model_copy(
        update={"inbound_url": f"{door.stack.settings.public_url}/webhooks/line/inbound"}
    )
    told: list[str] = []

    def said(service: Service, name: str, **more: str) -> Say:
        told.append(name)
        return really(service, name, **more)

    really = queue.said
    monkeypatch.setattr(queue, "said", said)
    floor.ledger.person([mobile(1)])
    now = FileClock(door.stack.settings.state_dir / "clock.json").now()
    if why == "closed":
        at(door, hours=9)
    else:
        incoming.arrived(floor.service, "line", "another", None, now)
    plan, caller = [{"listens": True}], f"0{mobile(1)[3:]}"
    with far_end(plan, exchange.folder, exchange.port, caller) as far, process_of(chosen):
        dial = f"sip:0354321111@127.0.0.1:{chosen.local_port}"
        # a key cuts short what is being said: not at once
        far.command(dial=dial, listens=True, keys=[[1.0, "1"]])
        until(lambda: len(logged(floor)) == 1)
        until(lambda: bool(far.events("recorded", 0)))
    assert told == [why, "offer", "call_back"]
    assert loud_seconds(far.heard(0)) > 0.3, "and it is heard"
    # who asked for a call back has not given up
    assert logged(floor) == [("inbound", "other")]
    came = "SELECT state, asked FROM inbound_call WHERE provider_ref <> 'another'"
    assert floor.ledger.rows(came) == [("call_back", True)]

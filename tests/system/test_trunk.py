"""Auto-calls over a trunk, from the ledger to a telephone and back, through every process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from contact_service.embedded.process import free_port
from contact_service.settings import Settings
from providers.audio.files import written
from tests.ledger import Ledger, definition, mobile
from tests.providers.sip.service import far_end, loud_seconds, tone
from tests.providers.sip.service import free_port as free_for_all
from tests.system.ward import until, ward

#: Whoever answers presses 1 as soon as they are spoken to; the next one rejects the call.
RESIDENTS: Sequence[dict[str, Any]] = (
    {"listens": True, "keys": [[0.2, "1"]]},
    {"reject": True},
)
CALL_STEP = {
    "name": "call", "channel": "auto_call", "script": "s",
    "retries": [{"on": "busy", "after": "5 min", "most": 2}],
}  # fmt: skip
CALLER = 7


def trunk_file(folder: Path, sip_port: int, far_port: int, web_port: int) -> Path:
    """A providers file that names one trunk."""
    line = {
        "name": "line",
        "adapter": "sip",
        "live": False,  # it reaches the tests' own telephones, and training data
        "per_second": {"auto_call": 5},
        "options": {
            "secret": "shared by worker, trunk and web",
            "media_url": f"http://127.0.0.1:{free_port()}",
            "folder": str(folder / "trunk"),
            "trunk": f"127.0.0.1:{far_port}",
            "caller": "0354321111",
            "local_address": "127.0.0.1",
            "local_port": sip_port,
            "rtp_ports": [30_000, 32_000],
            "calls_per_second": 5,
            "inbound_url": f"http://127.0.0.1:{web_port}/webhooks/line/inbound",
        },
    }
    path = folder / "providers.yaml"
    path.write_text(yaml.safe_dump({"providers": [line]}), encoding="utf-8")
    return path


def recordings(folder: Path) -> Path:
    """The prompts of the script, two seconds and one."""
    audio = folder / "audio"
    audio.mkdir()
    (audio / "greeting.wav").write_bytes(written(tone(2.0), "wav"))
    (audio / "thanks.wav").write_bytes(written(tone(1.0, 880), "wav"))
    return audio


def script() -> dict[str, Any]:
    """The tests' script, from recordings."""
    spec = json.loads(definition().scripts["s"].model_dump_json(exclude_defaults=True))
    for name, node in spec["nodes"].items():
        node["audio"] = "greeting.wav" if name == "greeting" else "thanks.wav"
    return dict(spec)


def callers_menu(folder: Path) -> Path:
    """A definition whose script for callers offers not to be called any more."""
    text = (
        "{office}です。お電話ください。{centre_phone} すでにお手続きがお済みの場合は、"
        "行き違いですのでご容赦ください。送信専用です。"
    )
    spec = definition(scripts={"s": script(), "inbound": script()}, messages={"m": text})
    content = json.loads(spec.model_dump_json(exclude_defaults=True))
    path = folder / "callers.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def add_people(ledger: Ledger) -> None:
    for n, _ in enumerate(RESIDENTS):
        ledger.person([mobile(n)])
    ledger.person([mobile(CALLER)], owes=())


def test_a_run_calls_telephones_and_a_telephone_calls_the_ward(
    settings: Settings, tmp_path: Path
) -> None:
    sip_port, far_port, web_port = free_for_all(), free_for_all(), free_port()
    chosen = settings.model_copy(
        update={
            "providers_file": trunk_file(tmp_path, sip_port, far_port, web_port),
            "inbound_definition": callers_menu(tmp_path),
            "audio_dir": recordings(tmp_path),
        }
    )
    national = "0" + mobile(CALLER)[3:]
    with (
        far_end(list(RESIDENTS), tmp_path, far_port, national) as far,
        ward(chosen, tmp_path, add_people, workers=1, trunks=["line"], web_port=web_port) as here,
    ):
        here.launch(steps=[CALL_STEP], scripts={"s": script()})
        finished = "SELECT count(*) FROM attempt WHERE state = 'finished'"
        until(lambda: here.ledger.one(finished) == len(RESIDENTS))
        assert here.ledger.rows(
            "SELECT a.outcome, count(e.id) FILTER (WHERE e.via = 'keypad'), "
            "count(e.id) FILTER (WHERE e.via = 'webhook') > 0 "
            "FROM attempt a JOIN event e ON e.attempt_id = a.id "
            "WHERE a.state = 'finished' GROUP BY a.id ORDER BY a.outcome"
        ) == [("busy", 0, True), ("confirmed", 1, True)]
        assert here.ledger.one("SELECT count(*) FROM attempt WHERE state = 'planned'") == 1, (
            "who was busy is called again"
        )
        assert here.ledger.rows(
            "SELECT origin, direction, result, count(*) FROM call GROUP BY 1, 2, 3 ORDER BY 3"
        ) == [("auto_call", "outbound", "busy", 1), ("auto_call", "outbound", "talked", 1)]
        until(lambda: bool([one for one in far.told if one["event"] == "recorded"]))
        (recorded,) = [one for one in far.told if one["event"] == "recorded"]
        # the key cut the greeting short, and what followed was heard whole
        assert 1.0 < loud_seconds(far.heard(recorded["call"])) < 2.8

        far.command(dial=f"sip:0354321111@127.0.0.1:{sip_port}", listens=True, keys=[[0.2, "9"]])
        inbound = "SELECT count(*) FROM call WHERE origin = 'resident'"
        until(lambda: here.ledger.one(inbound) == 1)
        assert here.ledger.rows(
            "SELECT direction, origin, phone_id = "
            "(SELECT id FROM phone WHERE number_index = :i) FROM call WHERE origin = 'resident'",
            i=here.ledger.vault.indexes("phone", mobile(CALLER))[0],
        ) == [("inbound", "resident", True)]
        assert here.ledger.rows("SELECT kind, origin FROM restriction WHERE lifted_at IS NULL") == [
            ("opted_out", "resident")
        ]
        assert "ERROR" not in here.logs()

"""The examples of the API's reference, run as they are written."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from contact_service.domain.actors import Role
from tests.conftest import ROOT
from tests.dispatch.conftest import Floor, floor
from tests.identity.conftest import _quick_hashes
from tests.providers.audio.test_prompts import encoded, sine
from tests.web.api import Api
from tests.web.test_doors import Door, door, door_settings

__all__ = ["_quick_hashes", "door", "door_settings", "floor"]

REFERENCE = ROOT / "docs" / "reference" / "api.md"
HOLDERS = {
    "TOKEN": Role.OPERATOR, "STAFF": Role.STAFF, "APPROVER": Role.APPROVER,
    "AUDITOR": Role.AUDITOR,
}  # fmt: skip
#: What each call answers, in the order of the page; ``-s`` is read by the example itself.
STATUSES = "200 204 403 200 201 201 200 200 201 201 200 200 201"


def test_every_example_does_what_the_reference_says(
    floor: Floor, door: Door, tmp_path: Path
) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", REFERENCE.read_text(encoding="utf-8"), re.M | re.S)
    shell = [block for block in blocks if "curl" in block]
    tokens = {name: Api(floor, door, role).token for name, role in HOLDERS.items()}
    # after the page's own line, which has another machine's address and no token
    given = "\n".join(f"{k}={v}" for k, v in (tokens | {"SERVICE": door.stack.web_url}).items())
    shell[0] = re.sub(r"^export .*$", given, shell[0], flags=re.M)
    (tmp_path / "greeting.m4a").write_bytes(encoded(sine(2.0), "mp4"))
    counted = """set -eu
curl() { case "$1" in -s) command curl "$@";; *) command curl -sS -w '\\n=%{http_code}\\n' "$@";; esac; }
"""
    done = subprocess.run(
        ["bash", "-c", counted + "\n".join(shell)],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert " ".join(re.findall(r"^=(\d+)$", said, re.M)) == STATUSES, said
    assert "application/problem+json" in said and '"instance":"/api/audit"' in said
    assert said.lower().count("idempotency-replayed: true") == 1
    assert floor.ledger.one("SELECT count(*) FROM restriction") == 1
    pages = re.findall(r'^{"items":\[{"id":(\d+)', said, re.M)
    assert len(set(pages)) == len(pages) == 2, pages

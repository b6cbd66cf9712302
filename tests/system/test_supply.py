"""The bill of materials names exactly what the lock installs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def test_the_bill_of_materials_is_made_of_the_lock(tmp_path: Path) -> None:
    """By the command of ``make sbom``, without asking anybody."""
    (command,) = re.findall(
        r"^sbom:.*\n\t@\$\(BIN\)/python (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    words = command.replace("$(SBOM)", str(tmp_path / "sbom.cdx.json")).split()
    subprocess.run([sys.executable, *words], check=True, cwd=ROOT, capture_output=True)
    bill = json.loads((tmp_path / "sbom.cdx.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    lock = (ROOT / "requirements.lock").read_text()
    locked = re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", lock, re.MULTILINE)
    named = {(item["name"], item["version"]) for item in bill["components"]}
    assert named == set(locked) and len(named) > 60
    assert bill["metadata"]["component"]["name"] == "contact-service"
    for item in bill["components"]:
        assert item["purl"].startswith("pkg:pypi/")
        digests = [h for link in item.get("externalReferences", []) for h in link.get("hashes", [])]
        assert digests or item.get("hashes"), item["name"]

"""The image and the deployment as an auditor reads them: no root, nothing to write on, no shell."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

#: Each instruction a line, without comments.
DOCKERFILE = re.sub(
    r"^\s*#.*\n|\\\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE
)
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(
    (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
)["services"]
#: Redis takes its password from no variable and no file: a shell hands it over, once, at its start.
BY_SHELL = {"redis"}


def _said(word: str) -> list[str]:
    return re.findall(rf"^{word} (.+)$", DOCKERFILE, re.MULTILINE)


def test_the_image_is_made_of_what_is_locked_and_of_ours_alone() -> None:
    installs = [line for line in _said("RUN") if "install" in line and "pip" in line]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0] and "--only-binary :all:" in installs[0]
    assert not re.search(r"curl|wget|apt|apk|git |https?://", DOCKERFILE)
    assert _said("ADD") == [] and _said("ARG") == []
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    copied = [line.split() for line in re.findall(r"^COPY (.+)$", last, re.MULTILINE)]
    assert [words[:2] for words in copied] == [["--from=build", "/venv"], ["--from=build", "/app"]]
    ours = [line.split()[0] for line in _said("COPY") if not line.startswith("--from")]
    assert ours == ["requirements.lock", "campaigns", "providers", "contact_service"]


def test_the_image_runs_as_a_user_who_owns_nothing_of_the_program() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    (user,) = re.findall(r"^USER (\S+)$", last, re.MULTILINE)
    assert user not in {"root", "0", "0:0"}
    # who wrote the program's files is root: they were copied before, and given to nobody
    assert last.index("COPY --from") < last.index(f"\nUSER {user}")
    assert "--chown" not in DOCKERFILE and not re.search(r"chmod [0-7]*[2367]\b|chmod \+s", last)
    owned = set(re.findall(rf"-o {user} -g {user} -m \d+ ([^&\n]+)", last))
    assert {path for paths in owned for path in paths.split()} == {
        "/var/lib/contact-service", "/tls/web", "/tls/trunk",
    }  # fmt: skip
    (command,) = _said("CMD")
    assert command.startswith("["), "no shell"
    assert not re.search(r"PASSWORD|SECRET|TOKEN|KEY", DOCKERFILE)


@pytest.mark.parametrize("name", SERVICES)
def test_no_part_of_the_deployment_may_do_more_than_its_work(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"] and "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "pid", "ipc", "devices", "userns_mode"} & set(service)
    assert service.get("network_mode") in (None, "none")
    user = str(service.get("user", "" if "build" in service else "root"))
    assert user.split(":")[0] not in {"root", "0"}, "an image of somebody else says who it runs as"
    for volume in service.get("volumes", []):
        source, target, *mode = volume.split(":")
        assert not source.startswith("/"), "nothing of the host"
        if source == "./secrets" or (target.startswith("/tls/") and "certificate" not in name):
            assert mode == ["ro"], volume


def test_the_owner_of_the_tables_is_used_by_whoever_makes_them_alone() -> None:
    def told(name: str) -> str:
        return str(SERVICES[name].get("environment", {}))

    assert {name for name in SERVICES if "POSTGRES_PASSWORD" in told(name)} == {
        "postgres", "migrate",
    }  # fmt: skip
    others = [name for name in SERVICES if "CONTACT_DATABASE_URL" in told(name)]
    assert {"web", "worker", "beat", "trunk"} <= set(others)
    for name in set(others) - {"migrate"}:
        assert "postgresql://contact_app:" in told(name), name
        assert "CONTACT_DATABASE_ROLE" not in told(name), name


@pytest.mark.parametrize("name", sorted(set(SERVICES) - BY_SHELL))
def test_no_shell_stands_between_and_no_secret_in_a_list_of_processes(name: str) -> None:
    service = SERVICES[name]
    check = service["healthcheck"]
    for words in (service["command"], check.get("test", ["CMD"])):
        assert isinstance(words, list), "a line would be read by a shell"
        assert not {"sh", "bash", "CMD-SHELL"} & set(words)
        assert not re.search(r"PASSWORD|SECRET|_URL\}|\$\$", " ".join(words))

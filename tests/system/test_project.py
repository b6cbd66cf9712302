"""Rules of the house that no single test of a room would notice being broken."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("contact_service", "campaigns", "providers")
MOST_LINES = 400

#: The service's rooms, lowest floor first: a room imports from lower floors only.
FLOORS = (
    {"__version__", "domain"},
    {"certificates", "clock", "generated", "logs", "settings"},
    {"embedded", "offices", "store"},
    {"bootstrap", "supervision"},
    {"identity", "intake", "planning", "retention"},
    {"dispatch", "people"},
    {"receipts"},
    {"callcentre", "evaluation"},
    {"doctor", "simulation", "stack", "web", "worker"},
    {"demo"},
    {"cli"},
)
#: Rooms that must know even less than their floor allows.
ONLY = {
    "domain": set[str](),
    "simulation": {"__version__", "clock", "domain", "logs", "settings"},
    "stack": {"embedded", "generated", "settings", "supervision"},
}
#: What the two packages beside the service may know of each other: carriers know nothing.
BESIDE = {"campaigns": {"campaigns", "providers"}, "providers": {"providers"}}

#: Namespaces of XML are names, not addresses: nothing is fetched from them.
NAMESPACE = "http://www.w3.org/"


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _of_ours(path: Path) -> Iterator[tuple[str, list[str]]]:
    for name in _imported(path):
        parts = name.split(".")
        if parts[0] in PACKAGES:
            yield name, parts


def _room(path: Path) -> str:
    return path.relative_to(ROOT / "contact_service").with_suffix("").parts[0]


def test_the_packages_beside_the_service_do_not_know_it() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for package, allowed in BESIDE.items()
        for path in (ROOT / package).rglob("*.py")
        for name, parts in _of_ours(path)
        if parts[0] not in allowed
    ]
    assert wrong == []


def test_arrows_point_down_only() -> None:
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    wrong = []
    for path in (ROOT / "contact_service").rglob("*.py"):
        room = _room(path)
        if room == "__init__":
            continue
        assert room in floor, f"{room} has no floor: give it one in FLOORS"
        for name, parts in _of_ours(path):
            if parts[0] != "contact_service" or parts[1] == room:
                continue
            down = floor[parts[1]] < floor[room]
            if not down or parts[1] not in ONLY.get(room, floor):
                wrong.append(f"{path.relative_to(ROOT)}: {name}")
    assert wrong == []


def test_no_file_is_so_long_that_its_name_no_longer_says_what_is_in_it() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in _sources()
        if "migrations" not in path.parts
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert long == {}


def test_only_the_clock_asks_for_the_time() -> None:
    wrong = []
    for path in _sources():
        if path == ROOT / "contact_service" / "clock.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(
                        value=ast.Name(id="datetime" | "date")
                        | ast.Attribute(attr="datetime" | "date"),
                        attr="now" | "utcnow" | "today",
                    )
                ):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []


def test_pages_and_reports_fetch_nothing_from_outside() -> None:
    wrong, seen = [], 0
    for room in ("web", "evaluation"):
        for path in (ROOT / "contact_service" / room).rglob("*"):
            if path.suffix not in {".html", ".css", ".js", ".svg"}:
                continue
            seen += 1
            content = path.read_text(encoding="utf-8").replace(NAMESPACE, "")
            for found in re.findall(
                r"""https?://\S+|(?:src|href)=["']//\S+|url\(["']?//""", content
            ):
                wrong.append(f"{path.relative_to(ROOT)}: {found}")
    assert seen > 0
    assert wrong == []


def test_every_data_file_is_packaged() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    patterns = setuptools["package-data"]["*"]
    # folders without a module count as packages too, unless namespaces are turned off
    assert setuptools["packages"]["find"].get("namespaces", True)
    missing = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file()
        and path.suffix not in {".py", ".pyc"}
        and not any(path.match(pattern) for pattern in patterns)
    ]
    assert missing == []


def _locked(name: str) -> dict[str, str]:
    """Package → version of a lock; every entry must have a digest."""
    content = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in content, f"{name} names an address"
    entries = re.split(r"\n(?=\S)", content.strip())
    found = {}
    for entry in entries:
        match = re.match(r"([a-z0-9._-]+)(?:\[[^]]*])?==([^\s;]+)", entry)
        assert match, f"{name}: not an exact version: {entry[:60]}"
        assert "--hash=sha256:" in entry, f"{name}: no digest: {match[1]}"
        found[match[1]] = match[2]
    return found


def _key(requirement: Requirement) -> str:
    return re.sub(r"[-_.]+", "-", requirement.name).lower()


def test_the_locks_hold_what_the_project_asks_for() -> None:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime, development = _locked("requirements.lock"), _locked("requirements-dev.lock")
    asked = [Requirement(text) for text in content["project"]["dependencies"]]
    for requirement in asked:
        assert requirement.specifier.contains(runtime[_key(requirement)]), requirement
    for requirement in map(Requirement, content["dependency-groups"]["dev"]):
        assert requirement.specifier.contains(development[_key(requirement)]), requirement
    assert runtime.items() <= development.items()


def _compose() -> dict[str, dict[str, dict[str, object]]]:
    found: dict[str, dict[str, dict[str, object]]] = yaml.safe_load(
        (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    )
    return found


@pytest.mark.parametrize("name", ["postgres", "redis", "web", "proxy", "worker", "beat", "trunk"])
def test_each_service_of_the_deployment_is_watched_and_restarted(name: str) -> None:
    service = _compose()["services"][name]
    check = service["healthcheck"]
    assert isinstance(check, dict)
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["restart"] == "unless-stopped"
    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cap_drop"] == ["ALL"]


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    compose = _compose()
    published = [name for name, service in compose["services"].items() if "ports" in service]
    assert published == ["proxy", "trunk"]
    ports = compose["services"]["trunk"]["ports"]
    assert isinstance(ports, list)
    assert all(port.endswith("/udp") for port in ports), "SIP and sound; its HTTP door stays inside"
    assert compose["services"]["trunk"]["profiles"] == ["trunk"], "only where there is a trunk"
    assert compose["networks"]["inside"]["internal"] is True


def test_a_deployment_has_one_beat_and_any_number_of_workers() -> None:
    services = _compose()["services"]
    assert all("container_name" not in service for service in services.values())
    assert services["beat"]["deploy"] == {"replicas": 1}
    assert services["worker"]["deploy"] == {"replicas": "${WORKERS:-2}"}


def test_the_trunk_of_the_deployment_can_be_reached_as_its_how_to_says() -> None:
    """The options that the how-to shows for it fit its ports, and a stop lets calls end."""
    from contact_service.stack import TRUNK_STOP_SECONDS

    trunk = _compose()["services"]["trunk"]
    text = (ROOT / "docs/how-to/connect-a-sip-trunk.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```yaml\n(      media_url: .+?)```", text, re.DOTALL)
    options = yaml.safe_load(shown)
    ports = trunk["ports"]
    assert isinstance(ports, list)
    first, last = options["rtp_ports"]
    sip = options["local_port"]
    assert [port.partition("}:")[2] for port in ports] == [
        f"{sip}:{sip}/udp", f"{first}-{last}:{first}-{last}/udp",
    ]  # fmt: skip
    check = trunk["healthcheck"]
    assert isinstance(check, dict)
    host, _, port = options["media_url"].removeprefix("https://").partition(":")
    assert f"('{host}', {port}" in check["test"][-1]
    assert float(str(trunk["stop_grace_period"]).removesuffix("s")) > TRUNK_STOP_SECONDS
    web = _compose()["services"]["web"]
    assert isinstance(trunk["networks"], list)
    assert isinstance(web["networks"], list)
    assert set(trunk["networks"]) < set(web["networks"])
    assert trunk["deploy"] == {"replicas": 1}


#: What a caller shows and what it must be: a comparison that ends at the first wrong character
#: tells how many were right.
SHOWN_TO_US = re.compile(
    r"(^|_)(token|signature|secret|mac|password|given|presented|hmac|authorization|nonce)$"
)


def _names(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name.lower()
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            yield name.lower()
        case ast.Call(func=func, args=args):
            yield from _names(func)
            for each in args:
                yield from _names(each)


def test_what_a_caller_shows_is_compared_in_constant_time() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare)
        and isinstance(node.ops[0], ast.Eq | ast.NotEq)
        and not any(isinstance(side, ast.Constant) for side in node.comparators)
        for side in (node.left, *node.comparators)
        if any(SHOWN_TO_US.search(name) for name in _names(side))
    ]
    assert wrong == []


def test_no_page_shows_what_it_was_not_made_to_escape_but_a_picture_of_ours() -> None:
    """Templates come from files of ours, and escape; one picture, drawn here, is put in as it is."""
    raw = [
        f"{path.name}: {found}"
        for path in sorted((ROOT / "contact_service").rglob("*.html"))
        for found in re.findall(
            r"\{\{[^}]*\|\s*safe[^}]*\}\}|autoescape\s+false", path.read_text(encoding="utf-8")
        )
    ]
    assert raw == ["second_factor.html: {{ picture|safe }}"]
    # texts that are filled in are ours: no template and no format comes from anybody else
    calls = {"from_string", "Template", "eval", "exec", "system", "format_map"}
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and (
            _last(node.func) in calls
            or any(word.arg == "shell" for word in node.keywords)
            or any(
                word.arg == "autoescape" and ast.unparse(word.value) == "False"
                for word in node.keywords
            )
        )
    ]
    assert wrong == []


def _last(node: ast.expr) -> str:
    """``b`` of ``a.b``, and ``b`` itself."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def test_images_are_pinned_and_do_not_run_as_root() -> None:
    images = [str(s["image"]) for s in _compose()["services"].values() if "build" not in s]
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    images += re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert len(images) >= 3
    for image in images:
        assert re.search(r":\d+\.\d+", image), image
    assert re.findall(r"^USER (\S+)", dockerfile, re.MULTILINE)[-1] not in {"root", "0"}
    assert "--require-hashes" in dockerfile


def test_the_workers_of_the_deployment_run_as_those_of_the_stack() -> None:
    from contact_service.stack import WORKER

    command = _compose()["services"]["worker"]["command"]
    assert isinstance(command, list)
    assert tuple(command[: len(WORKER) + 1]) == ("celery", *WORKER)

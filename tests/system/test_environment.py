"""The commands a newcomer types: what they install, and what they say when they cannot."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that needs no packages, in a folder with a space in its name."""
    project = tmp_path / "a project"
    package = project / "contact_service"
    package.mkdir(parents=True)
    (package / "cli.py").write_text("def main():\n    import sys\n    print(sys.argv)\n")
    shutil.copytree(ROOT / ".ci", project / ".ci")
    shutil.copy(ROOT / "Makefile", project)
    for lock in LOCKS:
        (project / lock).write_text("")
    return project


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter whose environments are copies of one that was made: many, and soon there."""
    folder = tmp_path_factory.mktemp("copies")
    made = folder / "made"
    subprocess.run([sys.executable, "-m", "venv", made], check=True)
    python = folder / "python"
    python.write_text(
        "#!/bin/sh\n"
        f'[ "$1 $2" = "-m venv" ] && exec cp -a "{made}" "$3"\n'
        f'exec "{sys.executable}" "$@"\n'
    )
    python.chmod(0o755)
    return str(python)


def _install(
    project: Path, lock: str = LOCKS[0], python: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(project / ".ci" / "environment"), lock],
        env={"PATH": "/usr/bin:/bin", "HOME": str(project), "PYTHON": python},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _stand_in(project: Path, body: str) -> str:
    path = project / "some-python"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return f"./{path.name}"


def test_the_command_runs_from_the_folder_and_a_second_time_does_nothing(project: Path) -> None:
    first = _install(project)
    assert (first.returncode, first.stdout) == (0, ""), first.stderr
    assert "making the environment" in first.stderr
    command = project / ".venv" / "bin" / "contact-service"
    said = subprocess.run(
        [command, "up", "now"], cwd="/", capture_output=True, text=True, check=True
    ).stdout
    assert said == f"{[str(command), 'up', 'now']}\n"
    again = _install(project)
    assert (again.returncode, again.stderr) == (0, "")


def test_what_is_out_of_date_or_half_made_is_made_anew(
    project: Path, tmp_path: Path, copies: str
) -> None:
    assert _install(project, python=copies).returncode == 0
    venv = project / ".venv"

    def anew() -> bool:
        (venv / "trace").touch()
        assert _install(project, python=copies).returncode == 0
        assert not (venv / "unfinished").exists()
        return not (venv / "trace").exists()

    assert not anew()
    (venv / "unfinished").touch()  # as an interrupted installation leaves it
    assert anew()
    (project / LOCKS[0]).write_text("# changed\n")
    assert anew()
    (venv / "bin" / "python").unlink()
    assert anew()
    moved = tmp_path / "moved"
    project.rename(moved)
    assert "making the environment" in _install(moved, python=copies).stderr


def test_the_development_tools_are_added_to_what_is_there(project: Path, copies: str) -> None:
    assert _install(project, python=copies).returncode == 0
    (project / ".venv" / "trace").touch()
    added = _install(project, LOCKS[1], copies)
    assert (added.returncode, "adding the development tools" in added.stderr) == (0, True)
    assert (project / ".venv" / "trace").exists()
    assert _install(project, python=copies).stderr == ""
    (project / LOCKS[1]).write_text("# changed\n")
    assert _install(project, python=copies).stderr == ""
    assert "adding" in _install(project, LOCKS[1], copies).stderr


def test_a_package_that_cannot_be_had_is_said_and_the_next_run_begins_anew(
    project: Path, copies: str
) -> None:
    (project / LOCKS[0]).write_text("nothing==1.0  # without a digest\n")
    failed = _install(project, python=copies)
    assert failed.returncode == 1
    assert "check the network" in failed.stderr
    (project / LOCKS[0]).write_text("")
    healed = _install(project, python=copies)
    assert (healed.returncode, "making the environment" in healed.stderr) == (0, True)


def test_a_python_that_is_too_old_is_refused_in_both_languages(project: Path) -> None:
    old = _stand_in(project, '[ "$1" = --version ] && echo Python 3.9.18; exit 1')
    refused = _install(project, python=old)
    assert refused.returncode == 1
    assert "Python 3.11 以上が見つかりません" in refused.stderr
    assert "Python 3.9.18" in refused.stderr
    assert "Python 3.11 or newer was not found" in refused.stderr
    assert not (project / ".venv").exists()


def test_a_python_without_venv_is_refused_with_the_remedy(project: Path) -> None:
    bare = _stand_in(project, 'case "$2" in *ensurepip*) exit 1;; esac')
    refused = _install(project, python=bare)
    assert refused.returncode == 1
    assert "python3-venv" in refused.stderr
    assert not (project / ".venv").exists()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("demo", "contact-service demo"),
        ("up", "contact-service up"),
        ("test", "pytest -n auto"),
        ("clean", "contact_service.embedded.clean"),
        ("help", "make demo"),
    ],
)
def test_make_has_the_targets_that_the_readme_names(target: str, words: str) -> None:
    planned = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert words in planned.stdout


def test_the_last_thing_that_make_test_does_is_pytest() -> None:
    planned = subprocess.run(
        ["make", "--dry-run", "test"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "pytest" in planned.stdout.strip().splitlines()[-1]
    assert "make test" in (ROOT / ".ci" / "run").read_text()

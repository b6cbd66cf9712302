"""Embedded servers start, are shared, let only us in, and leave nothing behind."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from contact_service.embedded import home as home_module
from contact_service.embedded import servers as module
from contact_service.embedded.home import Home
from contact_service.embedded.postgres import EmbeddedPostgres
from contact_service.embedded.process import CannotStart, free_port
from contact_service.embedded.servers import remove_state, servers
from contact_service.settings import Settings

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    for name in ("CONTACT_DATABASE_URL", "CONTACT_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    result = Settings(state_dir=tmp_path / "state", _env_file=None)  # type: ignore[call-arg]
    yield result
    remove_state(result.state_dir)


def _homes(settings: Settings) -> list[Home]:
    return [Home(settings.state_dir / name) for name in ("postgres", "valkey")]


def test_data_survive_a_restart_and_a_second_command_shares_the_servers(fresh: Settings) -> None:
    with servers(fresh) as first:
        assert os.environ["CONTACT_DATABASE_URL"] == first.database_url
        with psycopg.connect(str(first.database_url), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (n int)")
        with servers(fresh) as beside:
            assert beside.database_url == first.database_url
            assert redis.Redis.from_url(str(beside.redis_url)).ping()
    assert "CONTACT_DATABASE_URL" not in os.environ
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(str(first.database_url), connect_timeout=2)
    with (
        servers(fresh) as second,
        psycopg.connect(str(second.database_url)) as connection,
    ):
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_configured_servers_are_used_as_they_are(fresh: Settings) -> None:
    configured = fresh.model_copy(
        update={"database_url": "postgresql://a/b", "redis_url": "redis://c/0"}
    )
    with servers(configured) as found:
        assert found == configured
    assert not fresh.state_dir.exists()


def test_who_has_no_password_is_not_let_in_and_cannot_read_it(fresh: Settings) -> None:
    with servers(fresh) as found:
        database, queue = urlsplit(str(found.database_url)), urlsplit(str(found.redis_url))
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://contact@127.0.0.1:{database.port}/contact")
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=queue.port or 0).ping()
        secrets = [fresh.state_dir / "servers.json"]
        for home in _homes(fresh):
            secrets += [path for path in home.folder.iterdir() if path.is_file()]
            assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700
        assert len(secrets) >= 6
        for path in secrets:
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        for home in _homes(fresh):
            if home.user is not None:
                assert home.folder.owner() == (home.folder / "password").owner() == home.user


def test_two_that_start_at_once_share_one_server_and_neither_loses_it(fresh: Settings) -> None:
    """The one that came second keeps its connection until it is done."""
    ready, done = threading.Barrier(2, timeout=60), []

    def use() -> None:
        with servers(fresh) as found, psycopg.connect(str(found.database_url)) as connection:
            ready.wait()
            connection.execute("SELECT 1")
            done.append(found.database_url)

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert len(done) == 2
    assert len(set(done)) == 1


def test_the_owner_waits_for_its_guest(fresh: Settings) -> None:
    arrived, leave, seen = threading.Event(), threading.Event(), []

    def guest() -> None:
        with servers(fresh) as found, psycopg.connect(str(found.database_url)) as connection:
            arrived.set()
            assert leave.wait(60)
            seen.append(connection.execute("SELECT 1").fetchone())

    thread = threading.Thread(target=guest)
    with servers(fresh):
        thread.start()
        assert arrived.wait(60)
        # the guest is let go only once the owner is about to stop
        threading.Timer(0.3, leave.set).start()
    thread.join(60)
    assert seen == [(1,)]


def test_an_address_left_by_a_killed_run_is_not_believed(fresh: Settings) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from contact_service.settings import Settings\n"
        "from contact_service.embedded.servers import servers\n"
        "with servers(Settings(state_dir=Path(sys.argv[1]), _env_file=None)):\n"
        "    print('up', flush=True); sys.stdin.read()\n"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CONTACT_")}
    killed = subprocess.Popen(
        [sys.executable, "-c", script, str(fresh.state_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )
    with killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"up\n"
        stale = (fresh.state_dir / "servers.json").read_text()
        killed.send_signal(signal.SIGKILL)
        killed.wait(60)
    with servers(fresh) as found, psycopg.connect(str(found.database_url)) as connection:
        assert str(found.database_url) not in stale
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_an_interrupted_first_start_is_made_good(fresh: Settings) -> None:
    home = _homes(fresh)[0]
    home.make()
    half_made = home.folder / "data.new"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    with servers(fresh) as found, psycopg.connect(str(found.database_url)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not half_made.exists()


def test_data_survive_a_power_cut(fresh: Settings) -> None:
    server = EmbeddedPostgres(fresh.state_dir / "postgres")
    fresh.state_dir.mkdir()
    with psycopg.connect(server.start(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    server.kill()
    with psycopg.connect(server.start()) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
    server.stop()


def test_a_lost_password_is_explained(fresh: Settings) -> None:
    with servers(fresh):
        pass
    (_homes(fresh)[0].folder / "password").unlink()
    with pytest.raises(CannotStart, match=r"make clean"), servers(fresh):
        pass


def test_a_state_folder_that_cannot_be_made_is_explained(fresh: Settings) -> None:
    fresh.state_dir.write_text("not a folder")
    with pytest.raises(CannotStart, match=r"CONTACT_STATE_DIR"), servers(fresh):
        pass
    fresh.state_dir.unlink()


def test_running_state_is_not_removed_and_stopped_state_goes_altogether(fresh: Settings) -> None:
    with servers(fresh), pytest.raises(CannotStart, match="Ctrl-C"):
        remove_state(fresh.state_dir)
    homes = _homes(fresh)
    assert all(home.folder.exists() for home in homes)
    remove_state(fresh.state_dir)
    assert not any(home.folder.exists() for home in homes)


def test_cleaning_finds_state_folders_inside_the_state_folder(
    fresh: Settings, tmp_path: Path
) -> None:
    inside = fresh.model_copy(update={"state_dir": fresh.state_dir / "demo"})
    with servers(inside):
        pass
    homes = _homes(inside)
    assert all(home.folder.exists() for home in homes)
    environment = {**os.environ, "CONTACT_STATE_DIR": str(fresh.state_dir)}
    command = [sys.executable, "-m", "contact_service.embedded.clean"]
    subprocess.run(command, check=True, cwd=ROOT, env=environment)
    assert not any(home.folder.exists() for home in homes)


def test_servers_that_never_answer_are_given_up(
    fresh: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "JOIN_SECONDS", 0.2)
    fresh.state_dir.mkdir()
    gone = f"127.0.0.1:{free_port()}"
    announced = {"database_url": f"postgresql://{gone}/contact", "redis_url": f"redis://{gone}/0"}
    (fresh.state_dir / "servers.json").write_text(json.dumps(announced))
    with (fresh.state_dir / "servers.lock").open("w") as held:
        assert module._taken(held)
        with pytest.raises(CannotStart, match="another command"), servers(fresh):
            pass


def test_data_that_nobody_could_reach_lie_outside_and_only_in_a_folder_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_module, "unprivileged_user", lambda: "nobody")
    monkeypatch.setattr(home_module, "OUTSIDE", tmp_path)
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    home = Home(private / "postgres")
    assert home.folder.parent == tmp_path
    assert Home(private / "other").folder != home.folder == Home(private / "postgres").folder
    home.folder.symlink_to(private)
    with pytest.raises(CannotStart, match="somebody else"):
        home.make()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700

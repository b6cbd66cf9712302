"""What the doctor reaches for: servers, carriers, and the service's own processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

import redis
from celery import Celery
from kombu.exceptions import OperationalError as QueueError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from contact_service.clock import SystemClock
from contact_service.dispatch import providers
from contact_service.doctor.findings import Finding, Level, words
from contact_service.identity import oidc
from contact_service.offices import unknown
from contact_service.settings import Settings
from contact_service.store.engine import connect
from contact_service.store.migrate import current_revision, newest_revision
from contact_service.store.service_role import owns_the_record

TESTED_POSTGRESQL = 18
MOST_SKEW_SECONDS = 5.0
BUSY_SECONDS = 8.0
"""A worker answers between two tasks; one task may take some seconds."""
BEAT_SECONDS = 400.0
"""Beat saves its table every three minutes: after twice that and a little it hangs."""
_NOT_RUNNING = (
    "動かすには make up、または各プロセスを起動してください / "
    "to run it: make up, or start the process"
)


def database(settings: Settings) -> Iterator[Finding]:
    """PostgreSQL: reached, how fast, which version, which schema, and whose clock is right."""
    engine = connect(settings, pool_size=1)
    try:
        with engine.connect() as connection:
            started = time.monotonic()
            number = connection.execute(
                text("SELECT current_setting('server_version_num')::int")
            ).scalar_one()
            latency = (time.monotonic() - started) * 1000
            their_time = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            skew = abs((their_time - SystemClock().now()).total_seconds())
            current, newest = current_revision(connection), newest_revision()
            owns = current is not None and owns_the_record(connection)
    except SQLAlchemyError as error:
        remedy = (
            "サーバーの稼働と CONTACT_DATABASE_URL を確かめてください / "
            "check that the server runs, and CONTACT_DATABASE_URL"
        )
        yield Finding("PostgreSQL", Level.WRONG, words(error), remedy)
        return
    finally:
        engine.dispose()
    older = number // 10_000 < TESTED_POSTGRESQL
    yield Finding(
        "PostgreSQL",
        Level.NOTE if older else Level.OK,
        f"{number // 10_000}.{number % 10_000}, {latency:.1f} ms",
        f"試験は {TESTED_POSTGRESQL} で行っています / tests run on {TESTED_POSTGRESQL}"
        if older
        else "",
    )
    if current == newest:
        yield Finding("schema", Level.OK, newest)
    else:
        remedy = "実行してください / run: contact-service migrate"
        yield Finding("schema", Level.WRONG, f"{current or '-'}, not {newest}", remedy)
    embedded = (settings.state_dir / "servers.json").exists()
    if owns and not embedded:
        remedy = (
            "サービスには別のロールを使わせてください（docs/how-to/audit.md） / "
            "let the service use a role of its own: docs/how-to/audit.md"
        )
        yield Finding("audit log", Level.NOTE, "could be changed by this role", remedy)
    if skew > MOST_SKEW_SECONDS:
        remedy = (
            "データベースとこの機械の時計がずれています。NTP を確かめてください / "
            "the database's clock and this machine's differ: check NTP"
        )
        yield Finding("machine time", Level.WRONG, f"{skew:.0f} s apart", remedy)


def identity_provider(settings: Settings) -> Iterator[Finding]:
    """The file of who comes in by OpenID Connect: sound, and its offices keep claims."""
    try:
        provider = oidc.configured(settings)
    except (ValueError, OSError) as error:
        remedy = "CONTACT_OIDC_FILE を直してください / mend the file of CONTACT_OIDC_FILE"
        yield Finding("sign-in", Level.WRONG, words(error), remedy)
        return
    for place in provider.config.places if provider else ():
        if wrong := unknown(place.office, place.role, settings):
            yield Finding("sign-in", Level.NOTE, f"{place.group}: {place.office}", wrong)


def queue(settings: Settings) -> Iterator[Finding]:
    """Redis or Valkey: reached, how fast, which version, and whether it forgets when full."""
    try:
        with redis.Redis.from_url(settings.broker_url, socket_timeout=5) as client:
            started = time.monotonic()
            client.ping()
            latency = (time.monotonic() - started) * 1000
            about: dict[str, str] = client.info()
    except (redis.RedisError, ValueError) as error:
        remedy = (
            "サーバーの稼働と CONTACT_REDIS_URL を確かめてください / "
            "check that the server runs, and CONTACT_REDIS_URL"
        )
        yield Finding("Redis", Level.WRONG, words(error), remedy)
        return
    name = "Valkey" if "valkey_version" in about else "Redis"
    number = about.get("valkey_version") or about.get("redis_version", "?")
    policy = about.get("maxmemory_policy", "noeviction")
    evicts = policy != "noeviction"
    yield Finding(
        name,
        Level.NOTE if evicts else Level.OK,
        f"{number}, {latency:.1f} ms" + (f", {policy}" if evicts else ""),
        "maxmemory-policy を noeviction にしてください / set maxmemory-policy to noeviction"
        if evicts
        else "",
    )


def carriers(settings: Settings) -> Iterator[Finding]:
    """Each configured carrier: whether it answers and accepts our account."""
    try:
        configured = providers.configured(settings)
    except providers.BadProvidersFile as error:
        remedy = "CONTACT_PROVIDERS_FILE を直してください / mend CONTACT_PROVIDERS_FILE"
        yield Finding("carriers", Level.WRONG, words(error), remedy)
        return
    for config in configured:
        subject = f"carrier {config.name}"
        try:
            complaint = asyncio.run(_health(config))
        except providers.BadProvidersFile as error:
            complaint = words(error)
        if complaint is None:
            kind = "live" if config.live else "training only"
            yield Finding(subject, Level.OK, f"{config.adapter}, {kind}")
        elif config.live:
            remedy = "事業者の設定と通信を確かめてください / check its options and the network"
            yield Finding(subject, Level.WRONG, complaint, remedy)
        else:
            yield Finding(subject, Level.NOTE, complaint, _NOT_RUNNING)


async def _health(config: providers.ProviderConfig) -> str | None:
    provider = providers.create(config)
    try:
        return await provider.health()
    finally:
        await provider.close()


def web(settings: Settings) -> Iterator[Finding]:
    """Whether the web application answers, and can do its work."""
    url = f"http://{settings.web_host}:{settings.web_port}"
    try:
        with build_opener(ProxyHandler({})).open(f"{url}/healthz", timeout=5):
            yield Finding("web", Level.OK, url)
    except HTTPError as error:
        remedy = "データベースとログを確かめてください / check the database and its log"
        yield Finding("web", Level.WRONG, f"{url}: HTTP {error.code}", remedy)
    except (URLError, OSError) as error:
        yield Finding("web", Level.NOTE, f"{url}: {words(error)}", _NOT_RUNNING)


def workers(settings: Settings) -> Iterator[Finding]:
    """How many workers answer."""
    try:
        with redis.Redis.from_url(settings.broker_url, socket_timeout=5) as client:
            connected = client.pubsub_numpat() > 0  # each listens for questions to all workers
        control = Celery("doctor", broker=settings.broker_url).control
        answers = connected and (control.ping(timeout=1.0) or control.ping(timeout=BUSY_SECONDS))
    except (redis.RedisError, QueueError, ValueError) as error:
        remedy = "CONTACT_REDIS_URL を確かめてください / check CONTACT_REDIS_URL"
        yield Finding("workers", Level.WRONG, words(error), remedy)
        return
    names = sorted(name for answer in answers or () for name in answer)
    if names:
        yield Finding("workers", Level.OK, ", ".join(names))
    else:
        yield Finding("workers", Level.NOTE, "none answers", _NOT_RUNNING)


def beat(settings: Settings) -> Iterator[Finding]:
    """When beat last saved its table (in the state folder)."""
    saved = [path.stat().st_mtime for path in settings.state_dir.glob("beat*") if path.is_file()]
    if not saved:
        yield Finding("beat", Level.NOTE, "has not run here", _NOT_RUNNING)
        return
    seconds = max(0.0, time.time() - max(saved))
    late = seconds > BEAT_SECONDS
    detail = f"saved its table {seconds:.0f} s ago"
    yield Finding("beat", Level.NOTE if late else Level.OK, detail, _NOT_RUNNING if late else "")

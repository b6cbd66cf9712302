"""Celery: named queues and the beat table. Messages wake workers; the database is the truth.

A message names a lane or a chore, never a person, a text or a due time. Losing one or getting
it five times costs nothing. So: short tasks, no results, no countdowns, no late
acknowledgement, one message at a time.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine, Mapping
from functools import cache
from typing import Any, TypeVar

from celery import Celery
from celery.signals import setup_logging, worker_process_shutdown, worker_ready
from kombu import Queue

from campaigns.vocabulary import Channel
from contact_service import logs
from contact_service.bootstrap import Service, wire
from contact_service.callcentre import taking
from contact_service.callcentre.presence import close_silent_desks
from contact_service.callcentre.replies import call_who_asked
from contact_service.dispatch import providers, support_texts, unusable
from contact_service.dispatch.budgets import NoPrice, recount
from contact_service.dispatch.drain import Lane, event_loop, redis_client
from contact_service.dispatch.limits import RateLimit
from contact_service.dispatch.pacing import pacing
from contact_service.dispatch.reconcile import collect_unknown, reconcile
from contact_service.dispatch.watch import watch
from contact_service.domain.actors import SYSTEM
from contact_service.evaluation import report_files
from contact_service.identity import standing
from contact_service.intake import uploads
from contact_service.planning.completion import complete_runs
from contact_service.planning.definitions import definitions_of
from contact_service.planning.starting import start_due
from contact_service.receipts.collect import collect as collect_reports
from contact_service.receipts.poll import poll
from contact_service.receipts.silence import finish_silent
from contact_service.retention.anonymise import forget
from contact_service.retention.periods import periods
from contact_service.settings import settings
from contact_service.store import audit_chain, jobs
from providers.base import Provider

DRAIN_SECONDS = 5.0
#: How often what need not be kept any more is let go.
LET_GO_SECONDS = 86_400.0
#: How often files that nobody needs are looked for, though no work has been done.
TIDY_SECONDS = 600.0
URGENT, DISPATCH, HOUSEKEEPING = "urgent", "dispatch", "housekeeping"
WHOLE = "whole"


log = logs.log(__name__)
T = TypeVar("T")


def _beat_table() -> dict[str, dict[str, Any]]:
    tick = settings().beat_seconds
    table: dict[str, dict[str, Any]] = {
        "collect unknown": _entry("contact.collect", HOUSEKEEPING, tick * 2),
        "jobs": _entry("contact.jobs", HOUSEKEEPING, tick * 2),
        "tidy files": _entry("contact.tidy_files", HOUSEKEEPING, TIDY_SECONDS),
        "start due": _entry("contact.start_due", HOUSEKEEPING, tick * 5),
        "seal the audit log": _entry("contact.seal_audit_log", HOUSEKEEPING, tick * 10),
        "seal all of it": _entry("contact.seal_audit_log", HOUSEKEEPING, 3600.0, WHOLE),
        "recount budgets": _entry("contact.recount", HOUSEKEEPING, max(20.0, tick * 20)),
    }
    if settings().retention_file is not None:  # it cannot be undone: by stated periods
        table["let go"] = _entry("contact.let_go", HOUSEKEEPING, LET_GO_SECONDS)
    for config in providers.configured(settings()):
        for channel in config.per_second:
            lane = (config.name, channel.value)
            table[f"drain {config.name}/{channel}"] = _entry("contact.drain", DISPATCH, tick, *lane)
            if pacing(settings().pacing_file).urgent:
                name = f"urgent {config.name}/{channel}"
                table[name] = _entry("contact.urgent", URGENT, tick, *lane)
        table[f"poll {config.name}"] = _entry("contact.poll", HOUSEKEEPING, tick * 5, config.name)
        if Channel.SMS in config.per_second:
            table[f"support texts {config.name}"] = _entry(
                "contact.support_texts", HOUSEKEEPING, tick * 2, config.name
            )
        table[f"reconcile {config.name}"] = _entry(
            "contact.reconcile", HOUSEKEEPING, tick * 2, config.name
        )
    return table


def _entry(task: str, queue: str, seconds: float, *args: str) -> dict[str, Any]:
    # a wake-up that waited longer than a few ticks says nothing that the next does not say
    options = {"queue": queue, "expires": max(seconds * 3, 3.0)}
    return {"task": task, "schedule": seconds, "args": args, "options": options}


app = Celery("contact")
app.conf.update(
    broker_url=settings().redis_url or "redis://not-configured.invalid/0",
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 3600},
    result_backend=None,
    task_ignore_result=True,
    task_acks_late=False,
    task_queues=[Queue(URGENT), Queue(DISPATCH), Queue(HOUSEKEEPING)],
    task_default_queue=HOUSEKEEPING,
    task_soft_time_limit=None,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    beat_schedule=_beat_table(),
    beat_max_loop_interval=max(settings().beat_seconds, 0.1),
    timezone="Asia/Tokyo",
)


@setup_logging.connect
def _configure_logs(**_: object) -> None:
    logs.configure(settings().log_format)


@worker_ready.connect
def _say_ready(**_: object) -> None:
    log.info("worker.ready")


class Dispatcher:
    """This process's service, event loop, carriers and lanes; made at first use, after any
    fork."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._runner = asyncio.Runner(loop_factory=event_loop)
        self._redis = redis_client(service.settings.broker_url)
        self._providers: dict[str, Provider] = {}
        self.configs = {item.name: item for item in providers.configured(service.settings)}
        self.pacing = pacing(service.settings.pacing_file)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` on this process's one event loop."""
        return self._runner.run(work)

    def provider(self, name: str) -> Provider | None:
        """The adapter of a configured carrier; none while a secret of it is missing here."""
        if name not in self._providers:
            made = unusable.made(self._redis, self.configs[name])
            if made is None:
                return None
            self._providers[name] = made
        return self._providers[name]

    def lane(self, provider: Provider, channel: Channel, *, urgent: bool = False) -> Lane:
        """One carrier and channel, for urgent campaigns or for the others."""
        config = self.configs[provider.name]
        rate = config.per_second[channel]
        limit = RateLimit(self._redis, f"{config.name}/{channel}", rate, config.limits)
        return Lane(self.service, config, provider, channel, limit, self.pacing, urgent)

    def close(self) -> None:
        """Let go of connections."""
        for provider in self._providers.values():
            self._runner.run(provider.close())
        self._runner.close()
        self.service.engine.dispose()


@cache
def dispatcher() -> Dispatcher:
    """The process's dispatcher."""
    made = Dispatcher(wire(settings()))
    # what is there now stays: looked through again and again, it would hold requests up
    gc.collect()
    gc.freeze()
    return made


@worker_process_shutdown.connect
def _close(**_: object) -> None:
    if dispatcher.cache_info().currsize:
        dispatcher().close()


@app.task(name="contact.drain")
def drain(provider: str, channel: str) -> None:
    """Send what is due in one lane, for some seconds at most."""
    _drain(provider, channel, urgent=False)


@app.task(name="contact.urgent")
def drain_urgent(provider: str, channel: str) -> None:
    """Send what is due of urgent campaigns in one lane."""
    _drain(provider, channel, urgent=True)


def _drain(provider: str, channel: str, *, urgent: bool) -> None:
    me = dispatcher()
    if (adapter := me.provider(provider)) is None:
        return
    try:
        me.run(me.lane(adapter, Channel(channel), urgent=urgent).drain(DRAIN_SECONDS))
        # this process's own connection: what came over it meanwhile
        me.run(collect_reports(me.service, me.configs[provider], adapter))
    except NoPrice as missing:
        log.error("budget.no_price", lane=f"{provider}/{channel}", said=str(missing))


@app.task(name="contact.collect")
def collect() -> None:
    """Turn overdue leases into unknowns, put expired and silent attempts aside, complete runs."""
    service = dispatcher().service
    collect_unknown(service)
    with service.engine.begin() as connection:
        close_silent_desks(connection, service.clock.now())
        taking.tidy(connection, service, service.clock.now())
    call_who_asked(service, service.clock.now())
    watch(service, dispatcher().pacing)
    finish_silent(service.engine, service.clock.now())
    complete_runs(service.engine, service.clock.now())


@app.task(name="contact.support_texts")
def send_support_texts(provider: str) -> None:
    """Send people in hardship, who asked for it, where help is."""
    me = dispatcher()
    if (adapter := me.provider(provider)) is not None:
        me.run(support_texts.send(me.service, me.configs[provider], adapter))


@app.task(name="contact.start_due")
def start_scheduled() -> None:
    """Start the runs whose day has come; cancel, with the reason, what went stale."""
    me = dispatcher()
    live = [config.name for config in me.configs.values() if config.live]
    allowance = me.pacing.centre.calls_per_half_hour
    start_due(me.service.engine, me.service.clock.now(), live, allowance)


def job_handlers(service: Service) -> dict[str, jobs.Handler]:
    """Who does which kind of longer work."""
    handlers = {
        uploads.KIND: uploads.handler(service),
        report_files.KIND: report_files.handler(service),
        report_files.KIND_BY: report_files.by_field_handler(service),
    }
    return {kind: _for_who_may(service, handler) for kind, handler in handlers.items()}


def _for_who_may(service: Service, handler: jobs.Handler) -> jobs.Handler:
    """What was asked for is done for whoever may still ask for it."""

    def work(job: jobs.Job, progress: jobs.Progress) -> Mapping[str, Any]:
        standing.check(service, job.actor)
        return handler(job, progress)

    return work


@app.task(name="contact.jobs")
def work_longer() -> None:
    """Do one piece of longer work, if there is any: a file, a report."""
    service = dispatcher().service
    if jobs.run_next(service.engine, job_handlers(service), service.clock.now):
        uploads.tidy(service)


@app.task(name="contact.tidy_files")
def tidy_files() -> None:
    """Remove files that were handed in and nobody needs any more."""
    uploads.tidy(dispatcher().service)


@app.task(name="contact.recount")
def recount_budgets() -> None:
    """Count what budgets have been used up anew: what was provably not taken costs nothing."""
    me = dispatcher()
    configs = {}
    for name, config in me.configs.items():
        if (adapter := me.provider(name)) is None:
            return  # without its prices its budget would be counted as unused
        configs[name] = (config, adapter)
    with me.service.engine.begin() as connection:
        recount(
            connection,
            me.service.clock.now(),
            configs,
            me.pacing,
            lambda runs: definitions_of(connection, runs),
            me.service.settings,
        )


@app.task(name="contact.seal_audit_log")
def seal_audit_log(how_much: str = "") -> None:
    """Put what was written into the audit log at the end of its chain; ``WHOLE``: also what was
    committed long after its neighbours."""
    engine, whole = dispatcher().service.engine, how_much == WHOLE
    audit_chain.seal(engine, whole=whole)
    if whole:  # in the office's log system, a chain that is cut off later is found by it
        with engine.connect() as connection:
            end = audit_chain.last(connection)
        log.info("audit.sealed", end=f"{end.sequence}:{end.digest.hex()}")


@app.task(name="contact.let_go")
def let_go() -> None:
    """Make people nameless and forget notes whose time is over, by the office's periods."""
    service = dispatcher().service
    forget(service, SYSTEM, periods(service.settings.retention_file))


@app.task(name="contact.reconcile")
def ask_about_unknown(provider: str) -> None:
    """Ask a carrier about attempts whose fate is unknown."""
    me = dispatcher()
    if (adapter := me.provider(provider)) is not None:
        me.run(reconcile(me.service, me.configs[provider], adapter))


@app.task(name="contact.poll")
def poll_outcomes(provider: str) -> None:
    """Ask a carrier for outcomes that have not been reported."""
    me = dispatcher()
    if (adapter := me.provider(provider)) is None:
        return
    me.run(collect_reports(me.service, me.configs[provider], adapter))
    me.run(poll(me.service, me.configs[provider], adapter))

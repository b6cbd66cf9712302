"""Structured logs: JSON lines without personal data.

Events are logged with identifiers and counts. As a last line of defence every value is
searched for what looks like a telephone number and masked, whichever library logged it.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_NUMBER = re.compile(r"(?<![0-9A-Za-z.:-])(?:\+|%2B)?(?:81|0)[-\d() ]{8,14}\d(?![0-9A-Za-z-])")
MASK = "[number]"
#: What PostgreSQL adds to an error: the values of a row (``store.engine`` takes it away too).
_ROW = re.compile(r"^(DETAIL|CONTEXT):.*$", re.MULTILINE)


def mask_numbers(text: str) -> str:
    """``text`` with everything that looks like a Japanese telephone number masked."""
    return _NUMBER.sub(MASK, text)


def _mask(value: Any) -> Any:
    if isinstance(value, str):
        return _ROW.sub(r"\1: …", mask_numbers(value))
    if isinstance(value, dict):
        return {key: _mask(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mask(item) for item in value]
    return value


def _mask_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {key: _mask(value) for key, value in event.items()}


def configure(
    log_format: str = "json", level: int = logging.INFO, stream: TextIO | None = None
) -> None:
    """Send our own and every library's log records through one formatter to ``stream``
    (standard error by default)."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _mask_event,
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer()
        if log_format == "console"
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _mask_event,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in (  # an adapter silences what it uses itself: here that would be undone
        "uvicorn.access",
        "celery.worker.strategy",
        "celery.beat",
        "celery.app.trace",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def log(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for the module ``name``."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger

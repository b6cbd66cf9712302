"""The rival: the pipeline that most would write. One Celery task a message, an ORM, Twilio's
client as it comes.

It is written as well as it can be: no re-checks, no limits and no fencing, one narrow table with
no index but its key, one commit a message, connections that are kept open, and Celery's default
pool with a process a core. Other pools and concurrencies were not compared.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from functools import cache
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from sqlalchemy import Engine, create_engine, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from benchmarks.office import ACCOUNT, TOKEN

QUEUE = "classic"
WORKER = (
    "-A", "benchmarks.classic", "worker", "--queues", QUEUE, "--pool", "prefork",
    "--concurrency", "2", "--without-gossip", "--without-mingle", "--without-heartbeat",
)  # fmt: skip

app = Celery("classic")
app.conf.update(
    broker_url=os.environ.get("CONTACT_REDIS_URL"),
    task_ignore_result=True,
    task_default_queue=QUEUE,
    worker_hijack_root_logger=False,
)


@cache
def _engine() -> Engine:
    return create_engine(
        os.environ["CONTACT_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
    )


@setup_logging.connect
def _quiet(**_: object) -> None:
    """No line a task: that would cost the rival a tenth."""


class Base(DeclarativeBase):
    """The rival's own table."""


class Message(Base):
    """One message."""

    __tablename__ = "classic_message"
    id: Mapped[int] = mapped_column(primary_key=True)
    to: Mapped[str]
    body: Mapped[str]
    state: Mapped[str] = mapped_column(default="due")
    sid: Mapped[str | None]
    parts: Mapped[int | None]
    sent_at: Mapped[datetime | None]


class _Loopback(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's own client, which alone finds the stub where Twilio would be."""

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
        url = url.replace("https://api.twilio.com", os.environ["BENCH_CARRIER"])
        return super().request(method, url, *args, **options)


_client = Client(ACCOUNT, TOKEN, http_client=_Loopback())


@app.task(name="classic.send")
def send(message_id: int) -> None:
    """Send one message and write what came of it."""
    with Session(_engine(), expire_on_commit=False) as session:
        message = session.get(Message, message_id)
        if message is None or message.state != "queued":
            return
        sent = _client.messages.create(
            to=message.to,
            from_="+81354321111",
            body=message.body,
            status_callback=f"http://127.0.0.1:8000/receipts/{message.id}",
        )
        message.state, message.sid = "accepted", sent.sid
        message.parts, message.sent_at = int(sent.num_segments), datetime.now(UTC)
        session.commit()


def fill(messages: int) -> None:
    """Make the table and so many due messages."""
    Base.metadata.create_all(_engine())
    with Session(_engine()) as session:
        body = "世田谷区役所納税課です。お伝えしたいことがあります。お電話ください。03-5432-1111"
        session.add_all(Message(to="+819012345678", body=body) for _ in range(messages))
        session.commit()


def publish() -> None:
    """What its scheduler does: a task for each message that is due."""
    with Session(_engine()) as session:
        ids = session.scalars(
            update(Message).where(Message.state == "due").values(state="queued")
            .returning(Message.id)
        ).all()  # fmt: skip
        session.commit()
    for message_id in ids:
        send.delay(message_id)


def left() -> int:
    """Whether any message is not recorded yet."""
    with Session(_engine()) as session:
        found = session.scalar(select(Message.id).where(Message.state != "accepted").limit(1))
        return found or 0


if __name__ == "__main__":
    Base.metadata.create_all(_engine())
    left(), app.connection_for_write().ensure_connection()  # imported, connected: now it waits
    print("ready", flush=True)
    for _ in sys.stdin:
        publish()

"""No test meets what another left: the fixtures that everything rests upon."""

from __future__ import annotations

from contact_service.dispatch.drain import redis_client
from contact_service.settings import Settings
from tests.conftest import queue


def test_every_test_begins_with_an_empty_queue_of_its_own(running_servers: Settings) -> None:
    late = []
    for n in range(40):  # there are fewer parts than that: they come round
        with queue(running_servers) as found:
            client = redis_client(found.broker_url)
            assert client.keys() == []
            client.set("health:sms:simulated", n)
            late.append(client)
            assert len(late) == 1 or late[-2].get("health:sms:simulated") == str(n - 1).encode()
        client.set("written:after", "its end")


def test_two_at_once_do_not_share_it(running_servers: Settings) -> None:
    with queue(running_servers) as one, queue(running_servers) as other:
        redis_client(one.broker_url).set("limit", 1)
        assert redis_client(other.broker_url).keys() == []

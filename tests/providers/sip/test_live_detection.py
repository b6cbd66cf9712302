"""Who picked up, told from real speech in real calls; and what a machine is answered."""

from __future__ import annotations

import asyncio
from pathlib import Path

from providers.audio import speech
from providers.audio.files import written
from providers.base import Outcome
from providers.instructions import HangUp, Play
from providers.sip import reports
from providers.sip.media import Order
from tests.providers.sip.service import (
    TO,
    far_end,
    free_port,
    media_process,
    options,
    placed,
    provider,
    request,
    service,
    tone,
)

GREETINGS = {
    "human": "はい、もしもし",
    "machine": "ただいま電話に出ることができません。ご用件をお話しください。",
    "unknown": None,  # picked up, and not a word
}


def test_a_person_a_machine_and_silence_are_told_apart(tmp_path: Path) -> None:
    plan: list[dict[str, object]] = []
    for name, words in GREETINGS.items():
        if words is None:
            plan.append({"ring": 0.1})
            continue
        path = tmp_path / f"{name}.wav"
        path.write_bytes(written(speech.speak(words).samples, "wav"))
        plan.append({"ring": 0.1, "say": str(path)})

    async def conversation() -> dict[str, dict[str, str]]:
        port = free_port()
        with far_end(plan, tmp_path, port) as far:
            chosen = options(tmp_path, port, machine_detection=True)
            async with service() as at, media_process(chosen) as media:
                prompt = at.record("prompt.wav", tone(0.5))
                at.says["/start"] = lambda _: [Play(prompt), HangUp()]
                refs = {}
                for number, name in enumerate(GREETINGS):  # all at once, in this order
                    order = Order(name, TO, at.url("/start"), at.url("/receipts"), 20)
                    refs[name] = await placed(media, order)
                    await far.until("incoming", number)
                found = {name: await at.report(ref, 60) for name, ref in refs.items()}
                asked = {form["CallRef"]: form for path, form in at.asked if path == "/start"}
                for name, ref in refs.items():
                    # a script's words for machines go to machines alone
                    heard = provider().read_call(request(at.url("/start"), asked[ref]))
                    assert heard.machine == (name == "machine")
                return found

    found = asyncio.run(conversation())
    assert {name: report["AnsweredBy"] for name, report in found.items()} == {
        name: name for name in GREETINGS
    }
    outcomes = {name: reports.receipt_of(report, None).outcome for name, report in found.items()}
    assert outcomes == {
        "human": Outcome.ANSWERED, "machine": Outcome.MACHINE, "unknown": Outcome.ANSWERED,
    }  # fmt: skip

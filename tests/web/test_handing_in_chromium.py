"""What is handed in by a page, in a real browser: recordings as a studio or a telephone makes them,
and a file that is dragged onto its field while the bar says how far it is."""

from __future__ import annotations

import re
import wave
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from contact_service.domain.actors import Role
from contact_service.settings import Settings
from providers.audio.prompt import RATE
from providers.audio.speech import speak
from tests.dispatch.conftest import Floor, floor
from tests.intake.conftest import CLAIM
from tests.providers.audio.test_prompts import encoded, sine
from tests.web.chromium import chromium
from tests.web.people import signed_in
from tests.web.test_doors import Door, door, door_settings
from tests.web.test_files import BAD, NAME, csv, work
from tests.web.watched import Watched

__all__ = ["chromium", "door", "door_settings", "floor"]
pytestmark = pytest.mark.browser

WORDS = "世田谷区役所です。お伝えしたいことがあり、お電話しました。"
#: What FFmpeg calls the three containers, and how such a file is called.
FORMS = {"wav": "挨拶.wav", "mp3": "挨拶.mp3", "mp4": "挨拶.m4a"}


def spoken() -> NDArray[np.float64]:
    """A sentence, at full scale 1.0 and the telephone's rate, with silence around it."""
    quiet = np.zeros(RATE)
    return np.concatenate((quiet, speak(WORDS).samples.astype(np.float64) / 32768, quiet))


def chosen(page: Page, name: str, file: str, content: bytes) -> None:
    """A file put into the page's form and sent."""
    page.get_by_label("名前（英数字）").first.fill(name)
    page.get_by_label("ファイル（WAV、MP3、M4A）").set_input_files(
        {"name": file, "mimeType": "application/octet-stream", "buffer": content}
    )
    page.get_by_role("button", name="検査して、新しい版にする").click()


def heard(page: Page, place: str) -> tuple[float, float]:
    """A recording played by the browser: how long it is, and how far it got."""
    found = page.locator(f"audio[aria-label='{place}']").evaluate("""async (audio) => {
        audio.muted = true;
        await audio.play();
        while (audio.currentTime < 0.2) await new Promise((go) => setTimeout(go, 20));
        audio.pause();
        return [audio.duration, audio.currentTime];
    }""")
    return float(found[0]), float(found[1])


@pytest.mark.parametrize("scripts", [True, False])
def test_recordings_of_every_kind_are_handed_in_checked_heard_and_put_to_use(
    chromium: Chromium, floor: Floor, door: Door, door_settings: Settings, scripts: bool
) -> None:
    session = signed_in(floor, door, "kato", Role.STAFF).cookies["session"]
    watched = Watched(chromium, door, session, java_script_enabled=scripts)
    page = watched.page
    page.goto("/recordings")
    samples = spoken()
    for number, (form, file) in enumerate(FORMS.items(), 1):
        # a studio's file is quieter or louder than a call: all come out equally loud
        chosen(page, "notice-hello", file, encoded(samples * 0.3 * number, form, RATE))
        expect(page.get_by_text(f"notice-hello.wav の{number}版を作りました")).to_be_visible()
        expect(page.get_by_role("row", name=f"notice-hello.wav {number}")).to_contain_text("LUFS")
        expect(page.get_by_role("row", name=f"notice-hello.wav {number}")).to_contain_text(
            "問題ありません"
        )
    # what nobody could hear, what is too short, and what is no sound: said, and nothing kept
    for wrong, said in (
        (encoded(np.zeros(2 * RATE), "wav", RATE), "音が入っていません"),
        (encoded(sine(0.02), "wav"), "秒より短く"),
        (b"PK\x03\x04 no sound at all", "WAV・MP3・M4A"),
    ):
        chosen(page, "notice-hello", "a.wav", wrong)
        expect(page.locator(".fault")).to_contain_text(said)
    page.get_by_label("名前（英数字）").last.fill("notice-spoken")
    page.get_by_label("読み上げる文").fill("未納額は12,400円です。")
    page.get_by_role("button", name="読み上げて、新しい版にする").click()
    expect(page.get_by_role("row", name="notice-spoken.wav 1")).to_contain_text("合成音声")
    expect(page.get_by_role("row", name="notice-hello.wav 3")).to_contain_text("ほかの承認者が")
    approver = signed_in(floor, door, "abe", Role.APPROVER).cookies["session"]
    listens = Watched(chromium, door, approver, java_script_enabled=scripts)
    listens.page.goto("/recordings")
    listens.page.get_by_role("button", name="notice-hello.wav 3：この版を使う").click()
    row = listens.page.get_by_role("row", name="notice-hello.wav 3")
    expect(row).to_contain_text("使っています")
    page.goto("/recordings")
    expect(page.get_by_role("row", name="notice-hello.wav 3")).to_contain_text("使っています")
    played = (door_settings.own_audio / "notice-hello.wav").read_bytes()
    with wave.open(BytesIO(played)) as sound:  # what carriers take
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (8000, 1, 2)
    assert floor.ledger.rows("SELECT name, version FROM recording ORDER BY name, version") == [
        *(("notice-hello.wav", n) for n in (1, 2, 3)),
        ("notice-spoken.wav", 1),
    ]
    if scripts:
        expected = len(samples) / RATE - 2  # without the silence around it
        for place in ("notice-hello.wav 1", "notice-hello.wav 2", "notice-hello.wav 3"):
            seconds, far = heard(page, place)
            assert abs(seconds - expected) < 0.5 and far >= 0.2, place
        watched.failed = [one for one in watched.failed if "422" not in one]
        watched.clean()


def drop(page: Page, name: str, content: bytes) -> None:
    """A file dragged from the desktop onto the field."""
    page.locator("[data-drop]").evaluate(
        """(place, [name, text]) => {
            const carried = new DataTransfer();
            carried.items.add(new File([Uint8Array.from(text, (c) => c.charCodeAt(0))], name));
            for (const kind of ["dragover", "drop"])
                place.dispatchEvent(new DragEvent(kind, {
                    dataTransfer: carried, bubbles: true, cancelable: true }));
        }""",
        [name, content.decode("latin-1")],
    )


def test_a_file_is_dragged_in_and_the_bar_says_how_far_it_is(
    chromium: Chromium, floor: Floor, door: Door, door_settings: Settings, tmp_path: Path
) -> None:
    session = signed_in(floor, door, "kato", Role.STAFF).cookies["session"]
    watched = Watched(chromium, door, session)
    page = watched.page
    page.goto("/files")
    rows = [{**CLAIM, "宛名番号": str(10_000_100 + n), "通知書番号": str(n)} for n in range(3_000)]
    content = csv(tmp_path, *rows, BAD)
    drop(page, NAME, content)
    assert page.locator("#file").evaluate("input => input.files[0].name") == NAME
    page.get_by_label("滞納一覧", exact=True).check()
    line = page.context.new_cdp_session(page)  # an office's line, not a cable within one machine
    line.send("Network.emulateNetworkConditions", {
        "offline": False, "latency": 0, "downloadThroughput": -1,
        "uploadThroughput": len(content) / 2,
    })  # fmt: skip
    page.evaluate("""() => {
        const bar = document.querySelector("[data-progress] progress");
        window.name = "";
        new MutationObserver(() => { window.name += bar.value + " "; })
            .observe(bar, {attributes: true});
    }""")
    page.get_by_role("button", name="まず確かめる（台帳は変わりません）").click()
    expect(page.get_by_text("送っています")).to_be_visible()
    expect(page.get_by_text("順番を待っています")).to_be_visible()
    shown = [float(one) for one in str(page.evaluate("window.name")).split()]
    assert shown == sorted(shown) and any(0 < one < 100 for one in shown), shown
    work(floor, door_settings)
    expect(page.get_by_text("確かめました。台帳はまだ変わっていません")).to_be_visible()
    expect(page.get_by_text("金額として読めません")).to_be_visible()
    page.get_by_role("button", name="この3,000行を台帳に取り込む").click()
    expect(page.get_by_text("順番を待っています")).to_be_visible()
    work(floor, door_settings)
    page.get_by_role("link", name="行ごとの結果を見る").click()
    expect(page.locator("mark.wrong-cell")).to_have_text("未定")
    with page.expect_download() as loading:
        page.get_by_role("link", name="エラーの行だけのファイルをダウンロードする").click()
    mended = Path(loading.value.path()).read_text("cp932").replace("未定", "500").encode("cp932")
    drop(page, loading.value.suggested_filename, mended)
    page.get_by_role("button", name="すぐに台帳へ取り込む").click()
    expect(page.get_by_text("順番を待っています")).to_be_visible()
    work(floor, door_settings)
    expect(page.get_by_text("台帳に取り込みました")).to_be_visible()
    page.goto("/files")
    expect(page.get_by_role("link", name=re.compile("直して取込済"))).to_be_visible()
    # the line breaks: nothing is sent a second time in silence, the form is there again
    drop(page, NAME, content)
    page.get_by_label("滞納一覧", exact=True).check()
    page.route("**/files", lambda route: route.abort("connectionreset"))
    page.get_by_role("button", name="すぐに台帳へ取り込む").click()
    expect(page.get_by_text("最後まで送れませんでした")).to_be_visible()
    page.unroute("**/files")
    watched.failed.clear()
    # what is too large is said before it is sent: who still sends does not hear a refusal
    drop(page, NAME, content)
    page.get_by_label("滞納一覧", exact=True).check()
    page.locator("[data-upload]").evaluate("(form) => { form.dataset.most = 100; }")
    page.get_by_role("button", name="すぐに台帳へ取り込む").click()
    expect(page.get_by_text("ファイルが大きすぎます（500 MB まで）")).to_be_visible()
    assert page.url.endswith("/files") and floor.ledger.one("SELECT count(*) FROM job") == 3
    page.locator("[data-upload]").evaluate("(form) => { form.dataset.most = 500000000; }")
    # a refused file is said on the same page, and the form is there again
    drop(page, "a.exe", b"no table")
    page.get_by_label("滞納一覧", exact=True).check()
    page.get_by_role("button", name="まず確かめる（台帳は変わりません）").click()
    expect(page.locator("main .fault")).to_contain_text("CSV か Excel")
    expect(page.get_by_role("button", name="まず確かめる（台帳は変わりません）")).to_be_enabled()
    watched.failed = [one for one in watched.failed if "422" not in one]
    watched.clean()

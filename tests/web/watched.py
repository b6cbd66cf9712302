"""A page in a real browser whose requests and scripts are watched, and what is asked of every page:
what axe-core finds, how wide it is, whether one sees where the focus is."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from tests.conftest import ROOT
from tests.web.test_doors import Door

AXE = ROOT / "tests" / "web" / "vendor" / "axe-4.14.1.min.js"
#: JIS X 8341-3:2016 is WCAG 2.0; 2.1 and 2.2 are asked for on top.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: What the eye does not follow; "good" is 0.1 (https://web.dev/articles/cls).
MOST_SHIFT = 0.01
#: Adds up what moves by itself (https://web.dev/articles/cls): what a person causes does not count.
SHIFTS = """
window.shifted = 0; window.moved = [];
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
    if (entry.hadRecentInput) return;
    window.shifted += entry.value;
    entry.sources.forEach((one) => window.moved.push(
        one.node?.outerHTML?.slice(0, 120) ?? one.node?.textContent?.slice(0, 120)));
})).observe({type: "layout-shift", buffered: true});
"""


class Watched:
    """A page whose requests and scripts are watched."""

    def __init__(self, chromium: Chromium, door: Door, session: str = "", **more: Any) -> None:
        self.outside: list[str] = []
        self.failed: list[str] = []
        context = chromium.new_context(base_url=door.stack.web_url, locale="ja-JP", **more)
        url = door.stack.web_url
        if session:
            context.add_cookies([{"name": "session", "value": session, "url": url}])
        self.page: Page = context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.add_init_script(SHIFTS)
        own = urlsplit(url).netloc
        self.page.on(
            "request",
            lambda request: (
                self.outside.append(request.url) if urlsplit(request.url).netloc != own else None
            ),
        )
        self.page.on("pageerror", lambda error: self.failed.append(str(error)))
        self.page.on(
            "console",
            lambda message: self.failed.append(message.text) if message.type == "error" else None,
        )

    def clean(self) -> None:
        """Nothing was asked for outside, no script failed, no policy was broken."""
        assert (self.outside, self.failed) == ([], [])


def jumps(page: Page) -> list[str]:
    """What has moved by itself since the page was opened."""
    shifted = page.evaluate(
        "() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(() => "
        "go([window.shifted, window.moved]))))"
    )
    return [f"moved by {shifted[0]:.3f}: {shifted[1]}"] if shifted[0] > MOST_SHIFT else []


def faults_of(page: Page) -> list[str]:
    """What axe-core finds on a page."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "async (rules) => (await axe.run(document, {runOnly: rules})).violations.map("
        "v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(' | '))",
        RULES,
    )
    return [str(each) for each in found]


def unfolded(page: Page) -> None:
    """Everything that is folded is opened."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


def language(page: Page, code: str) -> None:
    """The same page in another language."""
    page.context.add_cookies([{"name": "language", "value": code, "url": page.url}])
    page.goto(page.url)


#: Twice the size of a 1280-pixel screen, a tablet, and as narrow as WCAG 2.2 asks (1.4.10).
SIZES = {"200 %": (640, 480), "tablet": (768, 1024), "320 px": (320, 640)}


def too_wide(page: Page) -> list[str]:
    """At which sizes the page itself has to be moved sideways."""
    found = []
    for what, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if over > 0:
            found.append(f"{what}: {over} px too wide")
    return found


#: One of each kind of thing that takes the focus, and how it shows that: an outline of at least two
#: pixels that stands out from what is behind it (WCAG 2.4.7, 1.4.11), where nothing was before.
FOCUS = """() => {
    const light = (rgb) => rgb.map((c) => c / 255)
        .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const numbers = (colour) => colour.match(/[0-9.]+/g).map(Number);
    const behind = (element) => {
        for (let at = element.parentElement; at; at = at.parentElement) {
            const [r, g, b, a = 1] = numbers(getComputedStyle(at).backgroundColor);
            if (a > 0) return [r, g, b];
        }
        return [255, 255, 255];
    };
    const seen = new Set(), wrong = [];
    const all = "a[href], button, input, select, textarea, summary, audio, [tabindex]";
    for (const element of document.querySelectorAll(all)) {
        const kind = [element.tagName, element.type, element.className,
            element.parentElement.tagName, element.parentElement.className].join(" ");
        if (seen.has(kind) || element.disabled || element.tabIndex < 0
            || !element.checkVisibility() || element.type === "hidden") continue;
        seen.add(kind);
        document.activeElement.blur();
        const before = getComputedStyle(element);
        const plain = before.outlineStyle !== "none" && parseFloat(before.outlineWidth) > 0;
        element.focus();
        const style = getComputedStyle(element);
        const [a, b] = [light(numbers(style.outlineColor).slice(0, 3)), light(behind(element))]
            .sort((x, y) => y - x);
        const contrast = (a + 0.05) / (b + 0.05);
        if (document.activeElement !== element) wrong.push(`takes no focus: ${kind}`);
        else if (plain) wrong.push(`always outlined: ${kind}`);
        else if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2)
            wrong.push(`no outline: ${kind}`);
        else if (contrast < 3) wrong.push(`outline of contrast ${contrast.toFixed(1)}: ${kind}`);
    }
    document.activeElement.blur();
    return wrong;
}"""


def unseen_focus(page: Page) -> list[str]:
    """What takes the focus, from the keyboard, without showing it."""
    page.keyboard.press("Tab")  # the keyboard is in use: the browser shows the focus
    return [str(each) for each in page.evaluate(FOCUS)]


def tab_to(page: Page, name: str, role: str = "button") -> None:
    """Press Tab until the control of that name has the focus."""
    wanted = page.get_by_role(role, name=name, exact=True).first  # type: ignore[arg-type]
    expect(wanted).to_be_visible()
    for _ in range(150):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {name}")


def press(page: Page, name: str, role: str = "button") -> None:
    """Reach a control by the keyboard and press it."""
    tab_to(page, name, role)
    page.keyboard.press("Enter")


def unfold(page: Page, words: str) -> None:
    """Reach a fold by the keyboard and open it."""
    wanted = page.locator("summary").filter(has_text=words).first
    for _ in range(150):
        if wanted.evaluate("element => element === document.activeElement"):
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {words}")

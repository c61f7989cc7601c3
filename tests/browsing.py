"""A real Chromium over the pages of scripts/browse.py: the server, a walk over all links, what a page may not do."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest
from running import ROOT, environment

CHROMIUM = shutil.which("chromium")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
BROWSE = [sys.executable, str(ROOT / "scripts" / "browse.py")]
# what no page has but those of the project itself
ODD = (
    "script:not([src='page.js']), iframe, object, embed, base, meta[http-equiv=refresh],"
    " link:not([href='style.css'], [href='icon.svg'])"
)
ATTRIBUTES = "[...document.querySelectorAll('*')].flatMap(each => each.getAttributeNames())"
EACH = 14
WIDTHS = (390, 820, 1280)  # a phone, a tablet, a desk


@contextmanager
def serving_pages(results: Path, *arguments: str) -> Iterator[str]:
    """The server over a results folder, at a free port; its address with the token."""
    command = [
        sys.executable,
        str(ROOT / "scripts" / "browse.py"),
        str(results),
        "--port",
        "0",
        "--no-open",
        *arguments,
    ]
    server = subprocess.Popen(
        command, cwd=results.parent, env=environment() | {"PYTHONPATH": ""}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert "?token=" in line, line
        yield line.split(": ", 1)[1].strip()
    finally:
        server.terminate()
        server.wait()


@contextmanager
def opened() -> Iterator["Watched"]:
    """A page of a new Chromium that notes everything that a hostile text might achieve."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield Watched(browser.new_page())
        finally:
            browser.close()


class Watched:
    """``faults``: what the console said, errors, dialogs and requests to elsewhere, by page."""

    def __init__(self, page) -> None:
        self.page, self.faults = page, []
        page.set_default_timeout(1_800_000)  # ms; on a bad day everything waits
        page.on("console", lambda message: self._note(f"console: {message.text}"))
        page.on("pageerror", lambda error: self._note(f"error: {error}"))
        page.on("dialog", lambda dialog: (self._note("a dialog"), dialog.dismiss()))
        page.on("popup", lambda _: self._note("another window"))
        page.on("request", self._asked)
        self.home = ""

    def _note(self, what: str) -> None:
        self.faults.append(f"{self.page.url}: {what}")

    def _asked(self, request) -> None:
        if not request.url.startswith((self.home or request.url, "data:")):
            self._note(f"asked for {request.url}")

    def begin(self, address: str) -> None:
        """Open a page of another site; from here on nothing else may be asked for."""
        self.home, self.faults = re.match(r"(?:https?://[^/]+/|file://.*/)", address)[0], []
        self.page.goto(address)

    def walk(self, address: str) -> dict[str, str]:
        """Open a page and all that it leads to on the same site, at three widths in turn; texts by address.

        Of pages that show the same of something else, such as problems and filters, EACH are opened.
        """
        self.begin(address)
        waiting, found = [address], {}
        views: dict[str, int] = {}
        while waiting:
            here = waiting.pop(0)
            view = re.split(r"[?-]", here.removeprefix(self.home))[0]
            if here in found or views.get(view, 0) >= EACH:
                continue
            views[view] = views.get(view, 0) + 1
            self.page.set_viewport_size({"width": WIDTHS[len(found) % len(WIDTHS)], "height": 900})
            reply = self.page.goto(here)
            assert reply is None or reply.ok, (here, reply.status)
            found[here] = self.checked()
            links = self.page.eval_on_selector_all("a[href]", "all => all.map(each => each.getAttribute('href'))")
            targets = [urldefrag(urljoin(self.page.url, link)).url for link in links if link]
            assert all(target.startswith(self.home) for target in targets), (here, targets)
            waiting += [target for target in targets if not target.split("?")[0].endswith((".svg", "/file"))]
        return found

    def checked(self) -> str:
        """The page's text, after a look at what no page may be: wider than the window, altered, run by a text."""
        width = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1], (self.page.url, width)
        assert self.page.evaluate("typeof window.hacked") == "undefined", self.page.url
        assert self.page.locator(ODD).count() == 0, self.page.url
        assert not [name for name in self.page.evaluate(ATTRIBUTES) if name.startswith("on")], self.page.url
        assert self.page.locator("h1").count() == 1 and self.page.locator("main").count() == 1, self.page.url
        return self.page.inner_text("body")

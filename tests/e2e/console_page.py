"""The page of the console as a browser shows it: how a test goes through it, and keeps pictures of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.command_runs import REPOSITORY
from tests.e2e.in_chromium import DESK, PHONE, barriers

if TYPE_CHECKING:
    from playwright.sync_api import Page

OUTPUT = REPOSITORY / "build/console-in-chromium"
SECONDS = 1000
"""In the milliseconds that Playwright counts by."""


def go(page: Page, path: str, wanted: str) -> None:
    """Go to a view, and wait for what it shows."""
    page.evaluate("path => { location.hash = path; }", path)
    page.wait_for_selector(wanted)


def keep(page: Page, name: str) -> None:
    """Keep a picture of the whole page as test output, of both themes and on a phone; look for barriers in each."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        for size, what in ((DESK, "desk"), (PHONE, "phone")):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.wait_for_timeout(400)  # for the charts to be drawn anew
            page.screenshot(path=OUTPUT / f"{name}-{theme}-{what}.png", full_page=True)
            assert barriers(page) == [], (name, theme, what)
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], (name, what)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": DESK[0], "height": DESK[1]})


def drop(page: Page, folder: Path) -> None:
    """Drop a folder's files, as a file manager does."""
    go(page, "/new", ".drop")
    files = [{"name": path.name, "text": path.read_text()} for path in sorted(folder.iterdir())]
    page.evaluate(
        """files => {
          const transfer = new DataTransfer();
          for (const { name, text } of files) transfer.items.add(new File([text], name));
          const how = { dataTransfer: transfer, bubbles: true, cancelable: true };
          document.querySelector(".drop").dispatchEvent(new DragEvent("drop", how));
        }""",
        files,
    )

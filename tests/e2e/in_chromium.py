"""The machine's own Chromium, and what a page must be like in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DESK, PHONE = (1280, 900), (390, 844)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, until the context ends."""
    from playwright.sync_api import sync_playwright  # only `make prove` has it

    path = shutil.which("chromium")
    assert path, "there is no chromium on the PATH; install it (Debian, Ubuntu: apt-get install chromium)"
    with sync_playwright() as driver:
        # Chromium refuses to run its sandbox as root, as in a container.
        launched = driver.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield launched
        launched.close()


def barriers(page: Page) -> list[str]:
    """What axe-core finds on the page that is serious or critical by WCAG 2.2 AA or good practice."""
    from axe_playwright_python.sync_playwright import Axe

    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]

"""The report in the machine's real Chromium: light and dark, desk and phone, no network, no script of a model's.

`make prove` installs Playwright (requirements/prove.lock); the machine has Debian's chromium. Screenshots and the
printed page are left in build/report-in-chromium/.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.command_runs import REPOSITORY, last_line, tunedrop
from tests.unit.reporting.sample_run import HOSTILE, HOSTILE_ROW, a_rejected_run, a_run
from tunedrop.reporting.facts import RunFacts
from tunedrop.reporting.page import render_html
from tunedrop.reporting.report import build_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.prove

OUTPUT = Path(__file__).parents[2] / "build" / "report-in-chromium"
CHARTS = (
    "chart-comparison", "curve-reward", "curve-entropy", "curve-gradient", "curve-length", "chart-distribution",
    "chart-slices",
)  # fmt: skip
DESK, PHONE = (1280, 900), (390, 844)
Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright  # only `make prove` has it

    path = shutil.which("chromium")
    assert path, "there is no chromium on the PATH; install it (Debian, Ubuntu: apt-get install chromium)"
    with sync_playwright() as driver:
        # Chromium refuses to run its sandbox as root, as in a container.
        launched = driver.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield launched
        launched.close()


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a run's report; at the end it must have asked for nothing but itself and complained of nothing."""
    complaints: list[str] = []
    requests: list[str] = []
    contexts = []

    def opened(run: RunFacts | Path, *, theme: str = "light", size: tuple[int, int] = DESK) -> Page:
        path = run if isinstance(run, Path) else tmp_path / "report.html"
        if not isinstance(run, Path):
            path.write_text(render_html(build_report(run)), encoding="utf-8")
        context = browser.new_context(color_scheme=theme, viewport={"width": size[0], "height": size[1]})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_load_state("networkidle")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in requests if url.startswith("file:")]) == len(contexts)


def keep(page: Page, name: str) -> None:
    """Keep a picture of the whole page as test output."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=OUTPUT / f"{name}.png", full_page=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_verdict_and_charts_are_visible(open_report: Open, theme: str, size: tuple[int, int]) -> None:
    page = open_report(a_run(), theme=theme, size=size)
    keep(page, f"improved-{theme}-{'phone' if size == PHONE else 'desk'}")
    assert page.locator(".verdict").is_visible()
    assert "Improved" in page.locator(".verdict").inner_text()
    assert page.locator(".banner").is_visible()
    for chart in CHARTS:
        drawn = page.locator(f"#{chart} svg")
        box = drawn.first.bounding_box()
        assert box is not None, chart
        assert box["width"] > 200, chart
        assert box["height"] > 60, chart
        assert box["x"] + box["width"] <= size[0], chart
        assert page.locator(f"#{chart} svg :is(path, circle, rect, line)").count() > 4, chart
    # Nothing sticks out to the side: a phone shows the page without scrolling across.
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


@pytest.fixture(scope="module")
def demo() -> Iterator[Path]:
    """The report that `make demo` leaves behind."""
    done = tunedrop("demo", "--json")
    assert done.returncode == 0, done.stderr
    folder = REPOSITORY / "build/runs" / last_line(done)["run_id"]
    yield folder / "report.html"
    shutil.rmtree(folder)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_report_of_the_demo_shows_its_verdict_charts_and_flipped_rows(
    open_report: Open, demo: Path, theme: str, size: tuple[int, int]
) -> None:
    page = open_report(demo, theme=theme, size=size)
    keep(page, f"demo-{theme}-{'phone' if size == PHONE else 'desk'}")
    assert "Improved" in page.locator(".verdict").inner_text()
    assert page.locator(".banner").is_visible()
    for chart in CHARTS:
        box = page.locator(f"#{chart} svg").first.bounding_box()
        assert box is not None, chart
        assert box["width"] > 200, chart
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    row = page.locator("#flip-list .flip strong").first.inner_text()
    page.fill("#flip-search", row.removeprefix("Row "))
    assert page.locator("#flip-list .flip", has_text=row).count() >= 1
    times = page.locator("table.facts", has_text="Whole run").inner_text()
    assert "Training" in times
    assert "Asking and grading" in times


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_its_ground_in_both_themes(open_report: Open, theme: str) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1; measured on what Chromium computed."""
    page = open_report(a_run(hedging=True), theme=theme)
    for selector in (".verdict strong", ".verdict span:last-child", ".note", ".range", ".tag", ".banner", "code"):
        assert page.evaluate(_CONTRAST, selector) >= 4.5, selector


def test_a_models_script_stays_text(open_report: Open) -> None:
    page = open_report(a_run())
    title = page.title()
    page.fill("#flip-search", "owned")
    card = page.locator("#flip-list .flip", has_text=f"Row {HOSTILE_ROW}")
    assert card.locator(".side.tuned .text").inner_text().split() == HOSTILE.split()
    assert card.locator("script, img").count() == 0
    assert page.title() == title


def test_search_and_filter_find_the_flipped_rows(open_report: Open) -> None:
    facts = a_run()
    assert facts.flips is not None
    page = open_report(facts)
    cards, count = page.locator("#flip-list .flip"), page.locator("#flip-count")
    total = len(facts.flips["rows"])
    assert count.inner_text() == f"10 of {total} rows"

    page.click("#flip-more")
    assert cards.count() == 20

    page.click("[data-way=lost]")
    assert count.inner_text() == f"10 of {facts.flips['lost']} rows"
    assert page.locator("#flip-list .flip.gained").count() == 0
    assert page.locator("[data-way=lost]").get_attribute("aria-pressed") == "true"

    page.click("[data-way='']")
    wanted = next(row for row in facts.flips["rows"] if row["row"] != HOSTILE_ROW)
    needle = wanted["tuned"]["text"].splitlines()[-1]
    page.fill("#flip-search", needle.upper())
    matching = [row for row in facts.flips["rows"] if needle in str(row)]
    assert cards.count() == min(10, len(matching))
    assert page.locator("#flip-list mark").first.inner_text() == needle

    page.fill("#flip-search", "no text has this in it")
    assert cards.count() == 0
    assert count.inner_text() == "no row matches"


def test_charts_are_drawn_anew_when_the_window_changes(open_report: Open) -> None:
    page = open_report(a_run())
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.querySelector('#chart-comparison svg').getAttribute('width') < 390")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_page_can_be_printed(open_report: Open) -> None:
    page = open_report(a_run(), theme="dark")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    page.pdf(path=OUTPUT / "improved.pdf", format="A4")
    assert (OUTPUT / "improved.pdf").read_bytes().startswith(b"%PDF")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator(".controls").is_visible()


@pytest.mark.parametrize("facts", [a_run(hedging=True), a_rejected_run()], ids=["suspected", "rejected"])
def test_runs_that_did_not_go_well_are_shown_as_such(open_report: Open, facts: RunFacts) -> None:
    page = open_report(facts)
    keep(page, facts.name if facts.status == "REJECTED" else "suspected")
    assert page.locator(".verdict.bad").is_visible()


def test_the_page_of_all_1319_rows_opens_within_two_seconds(open_report: Open) -> None:
    page = open_report(a_run(1_319), size=PHONE)
    milliseconds = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    assert milliseconds < 2_000


_CONTRAST = """selector => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = numbers(colour).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (numbers(colour)[3] !== 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  return Math.min(...[...document.querySelectorAll(selector)].map((element) => {
    const [one, other] = [luminance(getComputedStyle(element).color), luminance(ground(element))];
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  }));
}"""

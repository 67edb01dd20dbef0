"""The page of a report as a browser shows it: what it must keep to, and what a test does to it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

OUTPUT = Path(__file__).parents[2] / "build" / "report-in-chromium"
CONTRAST = """selector => {
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
"""The least contrast of the texts that a selector finds, by the luminance of WCAG 2.2."""


def keep(page: Page, name: str) -> None:
    """Keep a picture of the whole page as test output."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=OUTPUT / f"{name}.png", full_page=True)


def quick_and_accessible(page: Page, size: tuple[int, int]) -> None:
    """The page opened in two seconds of its main thread, nothing sticks out to the side, and axe-core finds nothing."""
    metrics = page.context.new_cdp_session(page)
    metrics.send("Performance.enable", {"timeDomain": "threadTicks"})
    told = {each["name"]: each["value"] for each in metrics.send("Performance.getMetrics")["metrics"]}
    assert told["TaskDuration"] < 2.0
    assert page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd") < 10_000
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text())
    violations = page.evaluate("axe.run()")["violations"]
    assert [(each["id"], [node["html"][:120] for node in each["nodes"][:3]]) for each in violations] == []


def read_export(page: Page, button: str) -> bytes:
    """Press a button of the export and read the file that it gives."""
    page.locator(".export > summary").click()
    with page.expect_download() as download:
        page.click(button)
    page.locator(".export > summary").click()
    return Path(download.value.path()).read_bytes()


def expect(locator: Locator) -> Any:
    """Playwright's assertion that waits."""
    from playwright.sync_api import expect as expecting

    return expecting(locator)


def counted(page: Page, text: str) -> None:
    """Wait until the page says how many rows match. (Its policy forbids what Playwright's other waits need.)"""
    expect(page.locator("#row-count")).to_have_text(text)

"""The report in the machine's real Chromium: light and dark, desk and phone, no network, no script of a model's.

`make prove` installs Playwright (requirements/prove.lock); the machine has Debian's chromium. Screenshots and the
printed page are left in build/report-in-chromium/.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from tests.e2e.command_runs import REPOSITORY, last_line, tunedrop
from tests.e2e.in_chromium import DESK, PHONE, chromium
from tests.e2e.report_page import CONTRAST, OUTPUT, counted, expect, keep, quick_and_accessible, read_export
from tests.e2e.reports_of_all_kinds import KINDS, twenty_thousand
from tests.unit.command.kept_run_folder import keep_run
from tests.unit.reporting.sample_run import HOSTILE, HOSTILE_ROW, Sampled, a_rejected_run, a_run, sampled_run
from tunedrop.reporting.facts import RunFacts
from tunedrop.reporting.page import render_html
from tunedrop.reporting.report import build_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.prove

CHARTS = (
    "chart-comparison", "curve-reward", "curve-entropy", "curve-gradient", "curve-length", "chart-distribution",
    "chart-slices",
)  # fmt: skip
Open = Callable[..., "Page"]
Theme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a run's report; at the end it must have asked for nothing but itself and complained of nothing."""
    complaints: list[str] = []
    requests: list[str] = []
    contexts = []

    def opened(
        run: Sampled | RunFacts | Path,
        *,
        theme: Theme = "light",
        size: tuple[int, int] = DESK,
        place: str = "",
        quiet: bool = False,
    ) -> Page:
        path = run if isinstance(run, Path) else tmp_path / "report.html"
        if isinstance(run, Sampled):
            run.write(tmp_path)
        elif not isinstance(run, Path):
            path.write_text(render_html(build_report(run)), encoding="utf-8")
        context = browser.new_context(color_scheme=theme, viewport={"width": size[0], "height": size[1]})
        contexts.append(context)
        page = context.new_page()
        if not quiet:  # a browser complains of each file that is not there
            page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri() + place)
        page.wait_for_load_state("networkidle")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    beside = [url for url in requests if url.startswith("file:") and "/report_rows/" not in url]
    assert len(beside) == len(contexts)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_verdict_and_charts_are_visible(open_report: Open, theme: Theme, size: tuple[int, int]) -> None:
    page = open_report(sampled_run(), theme=theme, size=size)
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
    open_report: Open, demo: Path, theme: Theme, size: tuple[int, int]
) -> None:
    page = open_report(demo, theme=theme, size=size)
    quick_and_accessible(page, size)
    keep(page, f"demo-{theme}-{'phone' if size == PHONE else 'desk'}")
    assert "Improved" in page.locator(".verdict").inner_text()
    assert page.locator(".banner").is_visible()
    for chart in CHARTS:
        box = page.locator(f"#{chart} svg").first.bounding_box()
        assert box is not None, chart
        assert box["width"] > 200, chart
    assert page.locator("#row-count").inner_text() == "250 rows"
    page.fill("#row-search", "Janet")
    expect(page.locator("#row-count")).not_to_have_text("250 rows")
    page.locator("#row-list .open").first.click()
    assert page.locator(".side.tuned").first.is_visible()
    assert page.locator("#next li").count() <= 3
    times = page.locator("table.facts", has_text="Whole run").inner_text()
    assert "Training" in times
    assert "Asking and grading" in times


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_its_ground_in_both_themes(open_report: Open, theme: Theme) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1; measured on what Chromium computed."""
    page = open_report(a_run(hedging=True), theme=theme)
    for selector in (".verdict strong", ".verdict span:last-child", ".note", ".range", ".tag", ".banner", "code"):
        assert page.evaluate(CONTRAST, selector) >= 4.5, selector


def test_what_still_fails_in_the_demo_is_exported_and_starts_a_run(
    open_report: Open, demo: Path, tmp_path: Path
) -> None:
    page = open_report(demo)
    page.select_option("#row-state", "fails")
    rows = read_export(page, "#row-jsonl").decode().splitlines()
    dropped = (demo.parent / "evaluation/rows.jsonl").read_text(encoding="utf-8").splitlines()
    added = '"tunedrop_grader": {"kind": "math"},'
    assert len(rows) == 125
    assert set(rows) <= {line.replace(added, "", 1) for line in dropped}
    expect(page.locator("#row-export-status")).to_contain_text("to fill up", use_inner_text=False)

    folder = tmp_path / "still-fails"
    folder.mkdir()
    (folder / "train.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    done = tunedrop("run", str(folder), "--json")
    notice = last_line(done)
    assert notice["status"] == "SUCCEEDED", done.stderr
    assert 100 <= notice["dataset"]["rows"] < 125
    shutil.rmtree(REPOSITORY / "build/runs" / notice["run_id"])


def test_a_models_script_stays_text(open_report: Open) -> None:
    page = open_report(sampled_run(), place=f"#row-{HOSTILE_ROW + 1}")
    title = page.title()
    opened = page.locator(f"#row-{HOSTILE_ROW + 1} + .detail")
    assert opened.locator(".side.tuned .text").inner_text().split() == HOSTILE.split()
    for showing in ("reference", "models", "texts"):
        page.select_option("#row-showing", showing)
        assert "document.title" in opened.inner_text()
    assert page.locator("#rows :is(script, img)").count() == 0
    page.fill("#row-search", "owned")
    counted(page, "1 row")
    assert page.title() == title


def test_the_list_of_rows_shows_what_tells_them_apart(open_report: Open, tmp_path: Path) -> None:
    sampled_run().write(tmp_path)
    path = tmp_path / "report.html"
    html = path.read_text(encoding="utf-8")
    begun = html.replace('{\\"messages\\": [{\\"role\\": \\"user\\", \\"content\\": \\"', _BEGUN)
    assert begun.count("T-7") > 200
    path.write_text(begun, encoding="utf-8")
    page = open_report(path, size=PHONE)
    counted(page, "220 rows")
    shown = page.locator("#row-list .preview").all_inner_texts()
    assert all(text.startswith("T-7: … ") and "Answer with one number" not in text for text in shown)
    assert len(set(shown)) > 15
    told = (
        "Array.from(document.querySelectorAll('#row-2 .reward'), (each) => getComputedStyle(each, '::before').content)"
    )
    assert [each.replace('" "', "") for each in page.evaluate(told)] == ['"base "', '"tuned "']
    page.fill("#row-search", "T-7")
    counted(page, "220 rows")


_BEGUN = (
    '{\\"id\\": \\"T-7\\", \\"messages\\": [{\\"role\\": \\"user\\", \\"content\\": \\"'
    "Answer with one number, and with nothing else. "
)


def test_rows_are_filtered_searched_ordered_and_turned_page_by_page(open_report: Open) -> None:
    run = sampled_run()
    page = open_report(run)
    states = run.rows.index["states"]
    lines = page.locator("#row-list > .row")
    counted(page, "220 rows")
    assert lines.count() == 20
    page.click("#row-last")
    expect(page.locator("#row-page")).to_have_text("page 11 of 11")
    assert lines.first.get_attribute("id") == "row-201"

    for value, letters in (("l", "l"), ("w", "w"), ("g", "g"), ("r", "r"), ("u", "u"), ("fails", "lw")):
        page.select_option("#row-state", value)
        counted(page, _rows(sum(states.count(letter) for letter in letters)))
    page.select_option("#row-state", "")
    page.select_option("#row-slices select >> nth=1", label="money")
    counted(page, "74 rows")
    page.select_option("#row-reward", "high")
    expect(page.locator("#row-count")).not_to_have_text("74 rows")
    assert set(page.locator("td.reward.tuned").all_inner_texts()) == {"1"}
    page.select_option("#row-reward", "")
    page.select_option("#row-slices select >> nth=1", label="all")

    page.select_option("#row-order", "lost")
    expect(page.locator("#row-list .tag").first).to_have_text("went wrong")
    page.select_option("#row-order", "file")
    page.fill("#row-search", "ALEXIS")
    page.locator("#row-list mark").first.wait_for()
    assert {text.lower() for text in page.locator("#row-list mark").all_inner_texts()} == {"alexis"}
    page.fill("#row-search", "no text has this in it (")
    counted(page, "no row matches")
    assert lines.count() == 0


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows" if count else "no row matches"


def test_a_row_has_an_address_and_is_called_by_its_line(open_report: Open) -> None:
    page = open_report(sampled_run(200, lines=[3 * row + 2 for row in range(200)]), place="#row-151")
    page.locator("#row-151 + .detail .sides").wait_for()
    assert page.locator("#row-151 .open").inner_text() == "line 452"
    assert page.locator("#row-151 + .detail a").inner_text() == "link to train.jsonl line 452"
    assert page.locator("#row-151 + .detail .reference").is_visible()
    page.click("#row-151 .open")
    assert not page.locator("#row-151 + .detail").is_visible()


def test_differences_are_shown_word_by_word(open_report: Open) -> None:
    run = sampled_run(200)
    row = run.rows.index["states"].index("g", 20)
    page = open_report(run, place=f"#row-{row + 1}")
    page.select_option("#row-showing", "models")
    opened = page.locator(f"#row-{row + 1} + .detail")
    told = {answer[0]: answer[2] for answer in json.loads(run.rows.texts[row])[4]}
    shown = opened.locator(".difference")
    assert shown.locator("del").count() >= 1
    for candidate, gone in ((0, "ins"), (1, "del")):
        kept = shown.evaluate(_WITHOUT, gone)
        assert kept == told[candidate]
    page.select_option("#row-showing", "reference")
    assert opened.locator(".side.tuned .difference ins").count() >= 1


_WITHOUT = """(shown, gone) => {
  const copy = shown.cloneNode(true);
  for (const each of copy.querySelectorAll(gone)) each.remove();
  return copy.textContent;
}"""


def test_exports_are_the_filtered_rows_and_no_cell_is_a_formula(open_report: Open) -> None:
    run = sampled_run()
    rows = [json.loads(text) for text in run.rows.texts]
    evil = ("=HYPERLINK(1)", "  +1+1", "@SUM(A1)", "-5", "\t=1", "\uff1d1")
    for place, text in enumerate(evil, start=20):
        rows[place][4][1][2] = text
    run.rows.texts[:] = [json.dumps(row).encode() for row in rows]  # type: ignore[index]
    page = open_report(run)
    page.select_option("#row-state", "w")
    wrong = [row for row, state in enumerate(run.rows.index["states"]) if state == "w"]
    page.locator(".export > summary").click()
    page.uncheck("#row-fill")
    page.locator(".export > summary").click()
    exported = [json.loads(line) for line in read_export(page, "#row-jsonl").splitlines()]
    assert exported == [json.loads(rows[row][1]) for row in wrong]
    expect(page.locator("#row-export-status")).to_contain_text("a run needs 100", use_inner_text=False)

    page.select_option("#row-state", "")
    counted(page, "220 rows")
    table = list(csv.DictReader(read_export(page, "#row-csv").decode("utf-8-sig").splitlines(keepends=True)))
    assert len(table) == 220
    answers = [table[place]["tuned answer"] for place in range(20, 26)]
    assert answers == ["'=HYPERLINK(1)", "'  +1+1", "'@SUM(A1)", "-5", "'\t=1", "'\uff1d1"]
    assert table[HOSTILE_ROW]["question"].split() == HOSTILE.split()
    assert [table[0][name] for name in ("file", "line", "state")] == ["test.jsonl", "1", "not graded"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_report_opens_in_two_seconds_and_is_accessible(open_report: Open, kind: str) -> None:
    """By the processor time of the page's main thread, which other work on the machine does not lengthen."""
    run = KINDS[kind]()
    for theme, size in (("light", DESK), ("dark", PHONE)):
        page = open_report(run, theme=theme, size=size, place="#row-3" if isinstance(run, Sampled) else "")
        if isinstance(run, Sampled):
            page.locator("#row-3 + .detail .sides").first.wait_for()
        keep(page, f"{kind}-{theme}-{'phone' if size == PHONE else 'desk'}")
        quick_and_accessible(page, size)


def test_twenty_thousand_rows_are_all_there_and_a_page_turns_quickly(open_report: Open) -> None:
    run = twenty_thousand()
    assert len(run.rows.texts) < 20_000
    page = open_report(run)
    assert (Path(page.url.removeprefix("file://"))).stat().st_size < 2_000_000
    counted(page, "20,000 rows")
    page.click("#row-last")
    expect(page.locator("#row-page")).to_have_text("page 1,000 of 1,000")
    assert page.locator("#row-list > .row").last.get_attribute("id") == "row-20000"
    page.click("#row-20000 .open")
    assert page.locator("#row-20000 + .detail .sides .side").count() == 3
    page.select_option("#row-order", "lost")
    expect(page.locator("#row-list .tag").first).to_have_text("went wrong")
    page.select_option("#row-order", "file")
    page.fill("#row-search", "Natalia has 17 clips")
    page.locator("#row-list mark").first.wait_for(timeout=60_000)
    wanted = sum(b"Natalia has 17 clips" in script for script in run.files.values())
    assert wanted > 0
    assert page.locator("#row-list mark").count() >= wanted


def test_a_page_without_its_files_says_where_the_texts_are(open_report: Open, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(twenty_thousand().write(alone), tmp_path / "only.html")
    shutil.rmtree(alone)
    right = twenty_thousand().rows.index["states"].rindex("r")
    page = open_report(tmp_path / "only.html", quiet=True)
    page.goto(page.url + f"#row-{right + 1}")
    page.locator(f"#row-{right + 1} + .detail code").wait_for()
    assert "tunedrop report gsm8k-1a2b3c4d5e" in page.locator(f"#row-{right + 1} + .detail").inner_text()


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
    page = open_report(sampled_run(1_319), size=PHONE)
    milliseconds = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    assert milliseconds < 2_000


def test_the_page_of_a_comparison_shows_rows_curves_and_changes(
    open_report: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from local.command import places
    from local.command.compare import side_by_side
    from local.command.comparison_page import write_page
    from local.command.kept_runs import find

    monkeypatch.setattr(places, "RUNS", tmp_path / "runs")
    runs = [
        find(str(keep_run(tmp_path / "runs", name, right=right, tuned_model=f"model:{name}")))
        for name, right in (("first", 0.3), ("second", 0.6), ("third", 0.9))
    ]
    path = write_page(runs, side_by_side(*runs), tmp_path / "compared")
    for theme, size in (("light", DESK), ("dark", PHONE)):
        page = open_report(path, theme=theme, size=size, place="#row-4")
        page.locator("#row-4 + .detail .sides").first.wait_for()
        keep(page, f"compared-{theme}-{'phone' if size == PHONE else 'desk'}")
        assert page.locator('#curve-reward svg g[stroke-width="2.5"]').count() == 3
        assert page.locator("#row-4 + .detail .side").count() == 3
        quick_and_accessible(page, size)

"""The console in the machine's real Chromium, before a stack of another process, with a role that only calls the API.

Screenshots are left in build/console-in-chromium/.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.e2e.command_runs import REPOSITORY, TUNEDROP, small_gsm8k, stop, tunedrop_up
from tests.e2e.console_page import SECONDS, drop, go, keep
from tests.e2e.in_chromium import DESK, chromium
from tests.e2e.roles import caller_of_the_api
from tunedrop_client import Client
from tunedrop_client.places import of_environment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1800)]

PARAMETER = "/tunedrop/tunedrop/console-model"
RECIPE = f"""\
labels: {{team: search}}
promotion: {{parameter: {PARAMETER}, approval: true}}
budget: {{prices: {{hour: 40}}}}
"""
EXPECTED = re.compile(
    "Failed to load resource|'connect-src' was not explicitly set|Refused to connect|Unsafe attempt to initiate"
)
"""What Chromium says of answers of 4xx, and of what a report tries; some tests want both."""
RUN_SECONDS = 400 * SECONDS


@pytest.fixture(scope="module")
def up() -> Iterator[Mapping[str, str]]:
    """The environment that `tunedrop up` tells."""
    with tunedrop_up() as (_, environment):
        yield environment


@pytest.fixture(scope="module")
def link(up: Mapping[str, str]) -> Iterator[str]:
    """The link of `tunedrop console` in a process of its own, which may call the API and nothing else."""
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "AWS_REGION": up["AWS_REGION"],
        **caller_of_the_api(up),
    }
    words = [str(TUNEDROP), "console", "--api", up["TUNEDROP_API_URL"], "--no-open"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY, env=environment)
    assert process.stdout is not None
    yield next(line.strip() for line in process.stdout if "/open?token=" in line)
    stop(process, 15)
    assert process.returncode == 0


@pytest.fixture(scope="module")
def client(up: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Client:
    """The Python client of the same stack."""
    file = tmp_path_factory.mktemp("up") / "environment"
    file.write_text("".join(f"export {name}='{value}'\n" for name, value in up.items()))
    return Client(place=of_environment(file))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def signed_in(browser: Browser, link: str) -> Iterator[BrowserContext]:
    """A browser's session that has opened the link. It asks nobody but the console, and complains of nothing."""
    context = browser.new_context(viewport={"width": DESK[0], "height": DESK[1]})
    own = link.partition("/open")[0]
    elsewhere: list[str] = []
    complaints: list[str] = []
    context.on("request", lambda request: elsewhere.append(request.url) if not request.url.startswith(own) else None)
    context.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    page = context.new_page()
    page.goto(link)
    page.wait_for_selector("h1")
    assert page.url == f"{own}/", "the token is gone from the address"
    page.close()
    yield context
    context.close()
    assert elsewhere == []
    assert [each for each in complaints if not EXPECTED.search(each)] == []


@pytest.fixture
def page(signed_in: BrowserContext, link: str) -> Iterator[Page]:
    """A page at the list of runs."""
    made = signed_in.new_page()
    made.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    made.set_default_timeout(60 * SECONDS)
    made.goto(link.partition("/open")[0] + "/")
    made.wait_for_selector("h1")
    yield made
    made.close()


@pytest.fixture(scope="module")
def sums(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_gsm8k(tmp_path_factory.mktemp("datasets") / "sums", test=60)
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder


def test_a_dropped_folder_s_broken_line_is_named(page: Page, sums: Path, tmp_path: Path) -> None:
    lines = (sums / "train.jsonl").read_text().splitlines()
    broken = tmp_path / "broken"
    broken.mkdir()
    lines[6] = '{"messages": [{"role": "user", "content": "<img src=x onerror=alert(1)>"}'
    (broken / "train.jsonl").write_text("\n".join(lines))
    (broken / "notes.txt").write_text("left out")
    drop(page, broken)
    page.wait_for_selector("#check")
    assert page.inner_text("#check") == "Not valid"
    assert page.evaluate("document.activeElement.id") == "check", "the focus is at the result"
    finding = page.inner_text(".findings li >> nth=0")
    assert "train, line 7" in finding
    assert "Left out: notes.txt" in page.inner_text("main")
    assert page.locator("text=Start the run").count() == 0
    keep(page, "broken")


def test_what_is_no_dataset_is_said_without_asking_the_stack(page: Page, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b")
    drop(page, tmp_path)
    alert = page.wait_for_selector("[role=alert]").inner_text()
    assert "There is no train.jsonl. Only these came: rows.csv" in alert
    assert "tunedrop convert" in alert


@pytest.fixture(scope="module")
def started(signed_in: BrowserContext, link: str, sums: Path, client: Client) -> tuple[str, str]:
    """The ids of two runs: one that the page started from a folder it was given, one of the client's."""
    page = signed_in.new_page()
    page.set_default_timeout(120 * SECONDS)
    page.goto(link.partition("/open")[0] + "/#/new")
    page.wait_for_selector(".drop")
    page.set_input_files("input[webkitdirectory]", sums)
    page.wait_for_selector("#check")
    assert page.inner_text("#check") == "Valid: 100 rows"
    assert page.input_value("textarea") == RECIPE
    assert page.input_value("section:has(#start) input >> nth=0") == "sums"
    keep(page, "checked")
    page.fill("section:has(#start) input >> nth=1", "ticket=ML-17")
    page.click("text=Start the run")
    page.wait_for_selector(".stages")
    page.wait_for_selector("#training", timeout=RUN_SECONDS)
    keep(page, "running")
    run_id = page.url.rpartition("/")[2]
    page.close()
    recipe = RECIPE + "hyperparameters: {n_epochs: 2}\n"
    dataset, test = (client.upload(sums / name) for name in ("train.jsonl", "test.jsonl"))
    again = client.start("again", dataset, test=test, recipe_text=recipe)
    return run_id, again["run_id"]


def test_a_good_one_is_followed_to_its_verdict(page: Page, started: tuple[str, str], client: Client) -> None:
    run_id, _ = started
    go(page, f"/runs/{run_id}", ".stages")
    page.wait_for_selector("text=The promotion waits for a person's approval.", timeout=RUN_SECONDS)
    assert "Improved" in page.inner_text(".result .outcome")
    run = client.run(run_id)
    assert run["verdict"] == "improved"
    assert run["difference"] is not None
    assert f"+{run['difference']:.3f}" in page.inner_text(".result")
    assert page.locator(".stages .done").count() >= 11
    assert page.inner_text(".stages .now").splitlines()[0] == "Waiting for approval"
    for curve in ("Reward", "Entropy", "Gradient norm", "Response length"):
        drawing = page.locator(f".chart:has-text('{curve}') svg").bounding_box()
        assert drawing is not None
        assert drawing["width"] > 200
    facts = page.inner_text("section:has(#facts)")
    for told in ("openai.gpt-oss-20b", "math", "100 training, 60 test", "by the recipe's prices"):
        assert told in facts
    assert {"team: search", "ticket: ML-17"} & set(page.locator(".sub .label").all_inner_texts())
    notice = page.inner_text("section:has(#notice)")
    assert "Published" in notice
    assert "Tunedrop SUCCEEDED: improved, sums" in notice
    page.click("text=The base model's answers and their rewards")
    page.wait_for_selector(".answers li")
    assert "reward" in page.inner_text(".answers li >> nth=0")
    keep(page, "ended")


def test_a_promotion_is_approved(page: Page, started: tuple[str, str], up: Mapping[str, str], client: Client) -> None:
    run_id, _ = started
    go(page, f"/runs/{run_id}", "text=Approve the promotion")
    page.click("text=Approve the promotion")
    keep(page, "question")
    page.keyboard.press("Escape")
    assert page.locator("dialog").count() == 0
    promotion = client.run(run_id)["promotion"]
    assert promotion is not None
    assert (promotion["parameter"], promotion["state"]) == (PARAMETER, "waiting"), "Escape is no"
    page.click("text=Approve the promotion")
    page.fill("dialog input", "Größer & besser, says QA")
    page.click("dialog >> button.main")
    page.wait_for_selector("text=The promotion is done.")
    decided = page.wait_for_selector("text=Approved by").inner_text()
    assert "role/other-team" in decided
    assert "Größer & besser, says QA" in decided
    promotion = client.run(run_id)["promotion"]
    assert promotion is not None
    assert promotion["decision_reason"] == "Größer & besser, says QA"
    session = boto3.Session(up["AWS_ACCESS_KEY_ID"], up["AWS_SECRET_ACCESS_KEY"], region_name=up["AWS_REGION"])
    ssm: Any = session.client("ssm", endpoint_url=up["AWS_ENDPOINT_URL"])
    assert ssm.get_parameter(Name=PARAMETER)["Parameter"]["Value"] == client.run(run_id)["tuned_model"]


def test_two_runs_stand_side_by_side_with_their_curves_in_one_chart(
    page: Page, started: tuple[str, str], client: Client
) -> None:
    first, second = started
    page.wait_for_selector(f"a[href='#/runs/{second}']")
    client.wait(second, timeout=600)
    for run_id in started:
        page.check(f"[aria-label='Choose {run_id} to compare']")
    page.click("text=Compare 2 runs")
    page.wait_for_selector(".chart svg")
    table = page.inner_text("table.side")
    assert first in table
    assert second in table
    reward = page.locator(".chart:has-text('Reward') [role=img]").get_attribute("aria-label")
    assert reward is not None
    assert re.search(r"1\. sums, reward from .*; 2\. again, reward from ", reward)
    lines = page.locator(".chart >> nth=0 >> g[aria-label=line]")
    assert lines.count() == 4, "a line and its running mean for each run"
    keep(page, "compared")


def test_a_report_opens_and_nothing_in_it_can_act_for_the_console(page: Page, started: tuple[str, str]) -> None:
    run_id, _ = started
    go(page, f"/runs/{run_id}/report", "iframe")
    frame = page.frame_locator("iframe.report")
    frame.locator(".verdict").wait_for()
    keep(page, "report")
    inside = next(each for each in page.frames if "/documents/" in each.url)
    tries = inside.evaluate(
        """async id => {
          const tried = {};
          const attempt = async (name, what) => {
            try { tried[name] = String(await what()); } catch { tried[name] = "refused"; }
          };
          await attempt("cookie", () => document.cookie);
          await attempt("storage", () => localStorage.length);
          await attempt("parent", () => parent.document.title);
          await attempt("read", () => fetch(`/api/runs/${id}`));
          await attempt("stop", () => fetch(`/api/runs/${id}/stop`, { method: "POST" }));
          await attempt("top", () => { top.location = "about:blank"; return "left"; });
          return { ...tried, origin: origin };
        }""",
        run_id,
    )
    assert tries == {
        **dict.fromkeys(("cookie", "storage", "parent", "read", "stop", "top"), "refused"),
        "origin": "null",
    }


def test_the_list_is_filtered_and_searched(page: Page, started: tuple[str, str]) -> None:
    first, second = started
    page.wait_for_selector("table.runs")
    keep(page, "runs")
    page.fill("input[type=search]", "gai")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"a[href='#/runs/{first}']", state="detached")
    page.wait_for_selector(f"a[href='#/runs/{second}']")
    assert page.locator("table.runs tbody tr").count() == 1
    page.select_option("select", "REJECTED")
    page.wait_for_selector("text=No run matches.")
    page.click("text=Clear")
    page.wait_for_selector(f"a[href='#/runs/{first}']")
    page.fill("input[type=search]", first)
    page.keyboard.press("Enter")
    page.wait_for_selector(".stages")
    assert page.url.endswith(f"#/runs/{first}")


def test_a_run_is_stopped(page: Page, sums: Path, client: Client) -> None:
    run_id = client.start_folder(sums, "halted")["run_id"]
    go(page, f"/runs/{run_id}", ".stages")
    page.click("button:text-is('Stop')")
    page.click("dialog >> text=Stop the run")
    page.wait_for_selector(".result .outcome:has-text('Cancelled')", timeout=RUN_SECONDS)
    assert client.wait(run_id, timeout=300)["status"] == "CANCELLED"


def test_what_is_not_there_and_a_session_that_is_none_are_said(page: Page, browser: Browser, link: str) -> None:
    go(page, "/runs/sums-0123456789abcdef", "[role=alert]")
    assert "Your team has no run" in page.inner_text("[role=alert]")
    with browser.new_context() as stranger:
        other = stranger.new_page()
        other.goto(link)  # which has been used
        assert other.inner_text("h1") == "This link has been used"
        other.goto(link.partition("/open")[0] + "/")
        assert "This browser has not opened the console" in other.wait_for_selector("[role=alert]").inner_text()


def test_the_page_is_used_with_the_keyboard_alone(page: Page, started: tuple[str, str]) -> None:
    page.wait_for_selector("table.runs")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "H1"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('href') || ''").startswith("#/runs/"):
            break
    page.keyboard.press("Enter")
    page.wait_for_selector(".stages")
    assert page.evaluate("document.activeElement.tagName") == "H1", "a new view begins at its heading"
    assert page.title().endswith("· Tunedrop")


def test_a_hidden_page_asks_nothing(page: Page, started: tuple[str, str], client: Client) -> None:
    asked: list[str] = []
    page.wait_for_selector("table.runs")
    page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true, configurable: true })")
    page.wait_for_timeout(11 * SECONDS)  # the look that was due finds the page hidden
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(12 * SECONDS)
    assert asked == []
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(2 * SECONDS)
    assert len(asked) == 1


def test_up_serves_the_same_page(browser: Browser, up: Mapping[str, str]) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(up["TUNEDROP_CONSOLE"])
        page.wait_for_selector("table.runs, .empty")
        assert "this machine" in page.inner_text(".stack")


COUNT = 10_000


def test_ten_thousand_runs_stay_quick(
    page: Page, started: tuple[str, str], up: Mapping[str, str], measured: Callable[[str], None]
) -> None:
    session = boto3.Session(up["AWS_ACCESS_KEY_ID"], up["AWS_SECRET_ACCESS_KEY"], region_name=up["AWS_REGION"])
    table: Any = session.resource("dynamodb", endpoint_url=up["AWS_ENDPOINT_URL"]).Table(up["TUNEDROP_RUNS_TABLE"])
    go(page, "/new", ".drop")  # where nothing is asked again and again
    item = table.get_item(Key={"run_id": started[0]})["Item"]
    small = {name: value for name, value in item.items() if len(str(value)) < 100}
    with table.batch_writer() as batch:
        for number in range(COUNT):
            at = f"2025-{1 + number % 12:02}-{1 + number // 12 % 28:02}T00:00:00.{number % 1000:03}Z"
            name = "needle" if number == 7 else f"old-{number}"
            batch.put_item(Item={**small, "run_id": f"{name}-{number:016x}", "name": name, "started_at": at})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/runs?" in request.url else None)
    told = []

    def seen(what: str, wanted: str, *, requests: int) -> None:
        began = time.monotonic()
        page.wait_for_selector(wanted, timeout=400 * SECONDS)
        told.append(f"{what} {time.monotonic() - began:.2f} s")
        assert len(asked) <= requests, (what, asked)
        asked.clear()

    page.evaluate("location.hash = '/'")
    seen("first page", "table.runs", requests=1)
    assert page.locator("table.runs tbody tr").count() == 50
    page.click("text=Older")
    seen("next page", "text=Page 2", requests=1)
    page.fill("input[type=search]", "needle")
    page.keyboard.press("Enter")
    seen("search", "a:text-is('needle')", requests=4)
    assert page.locator("table.runs tbody tr").count() == 1
    measured(f"console, {COUNT:,} runs on this machine: " + ", ".join(told))

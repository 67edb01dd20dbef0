"""report.html: one page that needs nothing but itself and that no model's text can break."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import tunedrop.reporting.page as page_module
from tests.unit.reporting.sample_run import HOSTILE, HOSTILE_ROW, Sampled, a_rejected_run, a_run, sampled_run
from tunedrop.catalog import who_trains
from tunedrop.evaluation.answers import Answer
from tunedrop.evaluation.tally import Tally
from tunedrop.evaluation.verdict import Rules, evaluate
from tunedrop.reporting.facts import RunFacts
from tunedrop.reporting.page import render_html
from tunedrop.reporting.page_tables import FEW_PARTS, MOST_PARTS, common_beginning, parts_table, sampled
from tunedrop.reporting.rehearsal_samples import samples
from tunedrop.reporting.report import build_report
from tunedrop.reporting.wording import coded, counted, duration, number, seconds

VENDOR = Path(page_module.__file__).parent / "page" / "vendor"


class Page(HTMLParser):
    """The page's elements with their attributes, the text outside scripts and styles, and the scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag if tag in ("script", "style") else ""
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        elif not self._inside:
            self.text += data

    @property
    def data(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(
            next(text for attributes, text in self.scripts if attributes.get("id") == "data")
        )
        return parsed


@pytest.fixture(scope="module")
def good() -> Page:
    return page_with_rows(sampled_run())


def page_with_rows(run: Sampled) -> Page:
    return Page(render_html(build_report(run.facts), run.rows))


def page_of(facts: RunFacts) -> Page:
    return Page(render_html(build_report(facts)))


def test_the_page_names_no_address_to_load_anything_from(good: Page) -> None:
    for tag, attributes in good.elements:
        for name in ("src", "href", "action", "srcset", "poster", "data"):
            value = attributes.get(name)
            assert value is None or value == "data:," or value.startswith("#"), (tag, attributes)
    assert not re.search(r"url\(|@import", (VENDOR.parent / "report.css").read_text())


def test_the_content_security_policy_allows_the_pages_own_scripts_and_nothing_else(good: Page) -> None:
    policy = next(a["content"] for tag, a in good.elements if a.get("http-equiv") == "Content-Security-Policy") or ""
    assert policy.startswith("default-src 'none'; ")
    allowed = re.findall(r"'sha256-([^']+)'", policy)
    executed = [text for attributes, text in good.scripts if attributes.get("type") != "application/json"]
    assert [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in executed] == allowed
    assert "unsafe-inline" not in policy.partition("style-src")[0]
    assert "unsafe-eval" not in policy
    # The scripts themselves load the files of rows, from the folder beside the page alone.
    loading = [text for text in executed if 'createElement("script")' in text]
    assert [re.findall(r"script\.src = (.*);", text) for text in loading] == [["`${data.rowsFolder}${file[0]}`"]]
    assert good.data["rowsFolder"] == "report_rows/"


def test_a_models_script_stays_text_wherever_it_comes_in() -> None:
    facts = a_run(60)
    calm = page_of(facts)
    hostile: dict[str, Any] = {
        "name": HOSTILE,
        "tuned_model": HOSTILE,
        "recipe": {"model": HOSTILE, HOSTILE: HOSTILE},
        "findings": [dict.fromkeys(("rule", "severity", "file", "message", "hint"), HOSTILE)],
        "rehearsal": {"findings": [{"rule": HOSTILE, "message": HOSTILE, "advice": HOSTILE}]},
        "cost": {HOSTILE: HOSTILE},
        "stages": [{"name": HOSTILE, "seconds": 1}],
        "dataset": {"uri": HOSTILE, "version": HOSTILE, "rows": 1, "sha256": HOSTILE},
    }
    attacked = page_of(replace(facts, **hostile))
    for tag in ("script", "img", "iframe", "style"):
        assert sum(name == tag for name, _ in attacked.elements) == sum(name == tag for name, _ in calm.elements)
    assert not any("onerror" in attributes for _, attributes in attacked.elements)
    assert HOSTILE in attacked.text


def test_a_finding_of_many_lines_stands_once_with_the_first_lines_named() -> None:
    said = {"rule": "tools_undocumented", "severity": "warning", "message": "the row brings tools", "hint": "Try it."}
    findings = [
        {**said, "file": file, "line": line}
        for file, count in (("train", 400), ("test", 3))
        for line in range(1, count + 1)
    ]
    text = page_of(replace(a_run(60), findings=findings)).text
    assert text.count("the row brings tools") == 2
    assert "train.jsonl, lines 1, 2, 3, 4, 5 and 395 more" in text
    assert "test.jsonl, lines 1, 2, 3" in text


def test_every_row_arrives_whole_and_no_block_holds_a_tag(good: Page) -> None:
    blocks = {attributes.get("id"): text for attributes, text in good.scripts}
    rows = json.loads(blocks["row-texts"])
    assert [row[0] for row in rows] == list(range(220)) == list(range(good.data["rows"]["rows"]))
    number, line, _, _, answers = rows[HOSTILE_ROW]
    assert number == HOSTILE_ROW
    assert json.loads(line)["messages"][0]["content"] == HOSTILE
    assert [answer[2] for answer in answers] == [HOSTILE, HOSTILE]
    assert "<" not in blocks["data"] + blocks["row-texts"]


def test_the_verdict_stands_first_with_its_figures(good: Page) -> None:
    start = good.text[: good.text.index("Mean reward and accuracy")]
    assert "Improved" in start
    assert "95% interval" in start
    assert "sign-flip" in start
    assert "5 of 220 left out" in start


def test_a_simulated_run_says_so_and_a_real_one_does_not(good: Page) -> None:
    assert "No model was trained" in good.text
    assert "No model was trained" not in page_of(replace(a_run(60), simulated=False)).text


def test_a_run_with_a_real_model_of_this_machine_names_its_weights_and_their_licence() -> None:
    weights = {"name": "SmolLM2", "licence": "apache-2.0"}
    text = page_of(replace(a_run(60), **who_trains(simulated=False, weights=weights))).text
    assert "The weights of SmolLM2 (licence: apache-2.0) answered and were trained" in text
    assert "imulated" not in text


def test_a_hedging_model_is_shown_as_suspected_reward_hacking_with_the_reasons() -> None:
    text = page_of(a_run(120, hedging=True)).text
    assert "Not improved: suspected reward hacking" in text
    assert "name several different final answers" in text


def test_a_rejected_run_shows_why_and_nothing_that_it_did_not_reach() -> None:
    page = page_of(a_rejected_run())
    assert "train.jsonl line 3: the field messages is missing." in page.text
    assert "Each line needs messages" in page.text
    for section in ("Base against tuned", "Guard rails", "Every row", "Rehearsal", "Training ("):
        assert section not in page.text


def test_a_run_of_which_nothing_is_known_still_has_a_page() -> None:
    assert "Cancelled" in page_of(RunFacts(run_id="bare-1", name="bare", status="CANCELLED")).text


def test_reference_models_and_several_samples_are_shown_beside_the_two() -> None:
    tally = Tally(rows=40, samples=2)
    for row in range(40):
        for sample in range(2):
            for candidate, right in (
                ("base", row % 4 == sample),
                ("tuned", row % 4 < 3),
                ("checkpoint:20", row % 2 == 0),
            ):
                tally.add(Answer(row, sample, candidate, "", "text", reward=float(right), correct=right))
            # A model that nobody judged right or wrong has no pass@k.
            tally.add(Answer(row, sample, "reference:large", "", "text", reward=0.9))
    text = page_of(replace(a_run(60), evaluation=evaluate(tally, {}, Rules()), flips=None)).text
    assert "pass@2" in text
    assert "The tuned model against the others" in text
    assert "checkpoint:20" in text
    assert "reference:large" in text
    assert "Every row" not in text


def test_the_page_of_all_1319_rows_of_gsm8k_is_under_two_megabytes() -> None:
    run = sampled_run(1_319)
    page = render_html(build_report(run.facts), run.rows)
    assert len(page.encode()) < 2_000_000
    assert run.files == {}
    assert len(run.rows.texts) == 1_319


def test_one_row_is_not_called_rows() -> None:
    assert (counted(1, "row"), counted(0, "row"), counted(1_319, "row")) == ("1 row", "0 rows", "1,319 rows")


def test_a_long_reason_is_folded_behind_its_first_sentences() -> None:
    wall = " ".join(f"Line {line} has no messages." for line in range(1, 60))
    page = page_of(replace(a_rejected_run(), reason={"error": "DatasetInvalid", "message": wall}))
    assert wall in page.text
    shown = page.text[: page.text.index("The whole reason")]
    assert "Line 1 has no messages." in shown
    assert "Line 20 has no messages." not in shown


def test_a_rejected_run_says_what_to_change_first() -> None:
    text = page_of(a_rejected_run()).text
    assert "What to change" in text
    assert text.index("Each line needs messages") < text.index("Training rows")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("json", ("What each field cost", "/priority", "Tuned: cost")),
        ("code", ("What passed the tests", "All tests")),
        ("moderation", ("Label by label", "Tuned: which label was given for which", "abuse", "(none)")),
    ],
)
def test_the_page_shows_what_parts_of_the_answers_cost(kind: str, told: tuple[str, ...]) -> None:
    text = page_with_rows(sampled_run(60, kind=kind)).text
    for each in told:
        assert each in text


def test_hyperparameters_are_explained_where_they_are_shown(good: Page) -> None:
    assert "Prompts in a step." in good.text


def test_what_the_service_does_not_tell_is_said_plainly() -> None:
    facts = replace(a_run(60), base_model="amazon.nova-2-lite-v1:0:256k", training={"job_id": "j", "metrics": []})
    text = page_of(facts).text
    assert "Bedrock gives no events for jobs of this model" in text
    assert "Thin lines" not in text
    assert "Not reported by the service" in text
    assert "reward, entropy, gradient norm, response length, groups without signal, grader errors" in text


def test_the_rehearsals_answers_and_cheats_are_shown_with_their_rewards() -> None:
    facts = a_run(60)
    assert facts.rehearsal is not None
    sampled = samples(
        {
            "groups": [
                {
                    "messages": [{"role": "user", "content": "What is 6 times 7?"}],
                    "answers": [
                        {
                            "answer": "<think>6*7</think>42",
                            "finish_reason": "stop",
                            "reward": 1.0,
                            "explanation": "right",
                        },
                        {
                            "answer": "4",
                            "thought": "6 and 7 beside it",
                            "finish_reason": "length",
                            "reward": None,
                            "ungraded": "grader_timeout",
                        },
                    ],
                }
            ],
            "probes": [
                {"cheat": None, "answer": "41", "reward": 0.0},
                {"cheat": "every_number", "answer": HOSTILE, "reward": 0.9},
            ],
        }
    )
    recipe = {**(facts.recipe or {}), "gates": {"cheat_margin": 0.05}}
    page = page_of(replace(facts, recipe=recipe, rehearsal={**facts.rehearsal, "sampled": sampled}))
    for told in (
        "Prompt 1: What is 6 times 7?",
        "rewards 1, –",
        "Not graded: grader timeout, truncated",
        "6*7",
        "42",
        "6 and 7 beside it",
    ):
        assert told in page.text
    assert "every number paid" in page.text
    assert HOSTILE in page.text


def test_health_findings_are_marked_on_the_curve_where_they_happened(good: Page) -> None:
    curves = good.data["curves"]
    assert set(curves) == {"reward", "entropy", "gradient", "length"}
    (mark,) = curves["gradient"]["health"]
    assert mark["step"] == 41
    assert mark["value"] == pytest.approx(next(p["value"] for p in curves["gradient"]["series"] if p["step"] == 41))
    assert curves["reward"]["health"] == []


def test_steps_are_drawn_in_order_whatever_the_services_order() -> None:
    facts = a_run(60)
    assert facts.training is not None
    shuffled = replace(facts, training={**facts.training, "metrics": facts.training["metrics"][::-1]})
    steps = [point["step"] for point in page_of(shuffled).data["curves"]["reward"]["series"]]
    assert steps == list(range(1, 68))


def test_a_long_training_is_thinned_to_what_a_screen_can_show() -> None:
    metrics = [{"step": step, "critic_rewards_mean": 0.5} for step in range(20_000)]
    data = page_of(replace(a_run(60), training={"metrics": metrics})).data
    assert 1_000 <= len(data["curves"]["reward"]["series"]) <= 1_500
    assert set(data["curves"]) == {"reward"}


def test_the_chart_library_is_the_one_that_its_readme_names() -> None:
    hashes = dict(
        re.findall(r"^\| (\S+\.js) \|.*\| ([0-9a-f]{64}) \|$", (VENDOR / "README.md").read_text(), re.MULTILINE)
    )
    assert set(hashes) == {path.name for path in VENDOR.glob("*.js")}
    for name, expected in hashes.items():
        body = (VENDOR / name).read_bytes()
        assert hashlib.sha256(body).hexdigest() == expected
        assert b"</script" not in body.lower()


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (number(0.12345, "reward"), "0.123"),
        (number(0.12345, "share"), "12.3%"),
        (number(-0.05, "change"), "\N{MINUS SIGN}0.050"),
        (number(12_345.6, "count"), "12,346"),
        (number(0.00001, "p"), "below 0.0001"),
        (number(None, "reward"), "\N{EN DASH}"),
        (seconds(0.0123), "12 ms"),
        (seconds(1.5), "1.50 s"),
        (duration(3.21), "3.2 s"),
        (duration(125), "2 min 5 s"),
        (duration(12_000), "3 h 20 min"),
    ],
)
def test_numbers_are_written_for_people(shown: str, expected: str) -> None:
    assert shown == expected


def test_an_unknown_kind_of_number_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no such kind of number: 'money'"):
        number(1.0, "money")


def test_what_stands_between_backticks_is_code_and_nothing_else_is_markup() -> None:
    told = coded("the field `messages` is <b>missing</b>, and `<i>` too")
    assert told == "the field <code>messages</code> is &lt;b&gt;missing&lt;/b&gt;, and <code>&lt;i&gt;</code> too"
    assert coded("a ` alone") == "a ` alone"


def test_fields_that_cost_nothing_do_not_hide_those_that_do() -> None:
    def row(name: str, cost: float) -> dict[str, Any]:
        return {"name": name, "candidates": {"tuned": {"answers": 2, "right": 1, "credit": 0.5, "cost": cost}}}

    def listed(costly: int, costless: int) -> tuple[int, int]:
        rows = [row(f"/{place}", 0.1 if place < costly else 0.0) for place in range(costly + costless)]
        table = parts_table({"parts": {"of": "fields", "rows": rows, "confusion": {}}})
        assert table is not None
        return len(table["lines"]), table["left_out"]

    assert listed(2, 5) == (7, 0)
    assert listed(2, 500) == (FEW_PARTS, 502 - FEW_PARTS)
    assert listed(20, 500) == (20, 500)
    assert listed(200, 0) == (MOST_PARTS, 200 - MOST_PARTS)


def _groups_of(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    told = sampled({"rehearsal": {"sampled": {"groups": groups, "cheats": []}}, "recipe": None})
    assert told is not None
    found: list[dict[str, Any]] = told["groups"]
    return found


def test_what_all_prompts_begin_with_is_left_out_of_their_titles() -> None:
    system = (
        'Sort the ticket. Answer with JSON: "intent" and "priority". Intents are refund, delivery and many more.\n\n'
    )
    asked = [system + own for own in ("My parcel is lost", "My parcel is late", "Money back")]
    assert common_beginning(asked) == system
    assert common_beginning(asked[:2]) == f"{system}My parcel is "
    assert common_beginning(asked[:1]) == common_beginning([]) == common_beginning(["My a", "My b"]) == ""
    groups = [{"prompt": prompt, "answers": []} for prompt in asked]
    titles = [each["title"] for each in _groups_of(groups)]
    assert titles == ["Prompt 1: … My parcel is lost", "Prompt 2: … My parcel is late", "Prompt 3: … Money back"]


def test_equal_prompts_keep_their_titles() -> None:
    groups = [{"prompt": "What is the sum of 1 and 2? ", "answers": []}] * 2
    titles = [each["title"] for each in _groups_of(groups)]
    assert titles[0] == "Prompt 1: What is the sum of 1 and 2? "

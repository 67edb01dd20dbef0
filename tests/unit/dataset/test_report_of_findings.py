"""What people read: the page, the description, the statistics and the suggestions."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.unit.dataset.gsm8k_rows import gsm8k
from tests.unit.dataset.sample_rows import a_row, as_file, as_line, check, good_rows
from tunedrop.catalog import Family, find
from tunedrop.dataset import description
from tunedrop.dataset.check import check_dataset
from tunedrop.dataset.findings_page import render_page
from tunedrop.dataset.prompts import utf8_lengths
from tunedrop.dataset.statistics import Histogram, answer_shape, estimated_tokens

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><svg onload=alert(1)>&lt;"


class Page(HTMLParser):
    """Which elements, attributes and texts a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, set[str]] = {}
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile_rows() -> list[Any]:
    rows: list[Any] = good_rows()
    rows[1] = {**a_row(1), "messages": [{"role": HOSTILE, "content": HOSTILE, HOSTILE: 1}], HOSTILE: 1, "id": [HOSTILE]}
    rows[2] = as_line({HOSTILE: 1, "messages": HOSTILE})
    rows[3] = as_line(HOSTILE)[:-1]
    rows[4] = {**a_row(4), "reference_answer": {HOSTILE: 1}}
    shared = " ".join(f"w{n}" for n in range(20))
    rows[5] = {**a_row(5), "messages": [{"role": "user", "content": f"{shared} {HOSTILE}"}]}
    return rows


def test_the_page_shows_hostile_rows_as_text_and_loads_nothing() -> None:
    test = [{**a_row(900), "messages": [{"role": "user", "content": " ".join(f"w{n}" for n in range(20)) + HOSTILE}]}]
    page = Page(render_page(check(hostile_rows(), test=test), HOSTILE))
    assert page.tags <= {
        *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "article"),
        *("h1", "h2", "h3", "p", "strong", "b", "br", "div", "span", "code", "details", "summary", "mark"),
        *("table", "thead", "tbody", "tr", "th", "td", "svg", "rect"),
    }
    assert "src" not in page.attributes
    assert "href" not in page.attributes
    assert not [name for name in page.attributes if name.startswith("on")]
    assert any("default-src 'none'" in value for value in page.attributes["content"])
    assert "<script>alert(1)</script>" in page.text


def test_the_page_says_what_is_wrong_where_and_what_to_do() -> None:
    page = Page(render_page(check([*good_rows(), b"{broken", b""]), "ants"))
    for said in (
        "Not valid: 1 error",
        "json-syntax",
        "121",
        "a key in double quotes",
        "What to do:",
        "RFC 8259",
        "121 rows",
    ):
        assert said in page.text.replace("\n", " ") or said.replace(" rows", "") in page.text, said
    assert "line-blank-trailing" in page.text
    assert "The corrected copy mends" in page.text


def test_the_page_of_a_good_file_says_so() -> None:
    page = Page(render_page(check(good_rows()), "ants"))
    assert "Nothing: every rule holds." in page.text
    assert "Where to start" in page.text


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"messages":1}'])
def test_there_is_a_page_for_any_file(body: bytes) -> None:
    report = check([body])
    assert "</html>" in render_page(report, "x")
    assert report.summary()


def test_lone_surrogates_do_not_keep_the_report_from_being_written() -> None:
    line = b'{"messages":[{"role":"\\ud800","content":"\\ud83d"}],"\\udc00":"\\udc00","reference_answer":"\\ud800"}'
    report = check([*good_rows(), line], test=[line])
    json.dumps(report.to_json(), ensure_ascii=False).encode()
    render_page(report, "x").encode()


def test_the_statistics_of_gsm8k() -> None:
    report = check_dataset(
        as_file([gsm8k("train").rstrip()]), family=Family.OPEN_WEIGHT, model=find("openai.gpt-oss-20b")
    )
    statistics = report.statistics
    assert statistics["roles"] == {"user": 7_473}
    assert statistics["answer_shapes"] == {'text ending in "#### …"': 7_473}
    assert statistics["fields_for_the_grader"] == {"ground_truth": 7_473}
    lengths = sorted(len(json.loads(line)["messages"][0]["content"].encode()) for line in gsm8k("train").splitlines())
    assert statistics["prompt_tokens_estimated"] == {
        "p50": estimated_tokens(lengths[3_736]),
        "p95": estimated_tokens(lengths[7_099]),
        "p99": estimated_tokens(lengths[7_398]),
        "max": estimated_tokens(lengths[-1]),
    }


def test_roles_and_conversations_are_counted_whatever_they_are() -> None:
    turns = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
    rows: list[Any] = [*good_rows(), {**a_row(1), "messages": turns}, {**a_row(2), "messages": [*turns, {"role": 7}]}]
    statistics = check(rows).statistics
    assert statistics["roles"] == {"user": 122, "system": 2}
    assert statistics["conversations"]["user"] == 120


@pytest.mark.parametrize(
    ("answer", "shape"),
    [
        ("so\n#### 72", 'text ending in "#### …"'),
        ("\\boxed{7}", "text with \\boxed{…}"),
        ("-1,234.5 %", "number as text"),
        ('{"a": 1}', "JSON as text"),
        ("{a set", "a few words"),
        ("yes", "a few words"),
        ("it is so because of this", "text"),
        ({"b": 1, "a": 2}, "object with a, b"),
        ({}, "empty object"),
        ([1], "array"),
        (None, "null"),
        (True, "true or false"),
        (1.5, "number"),
    ],
)
def test_an_answer_s_shape_is_named(answer: Any, shape: str) -> None:
    assert answer_shape(answer) == shape


def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed() -> None:
    histogram = Histogram()
    histogram.add_lengths(utf8_lengths(["x" * length for length in range(1, 101)] + ["é"]))
    assert histogram.percentile(1.0) == 100
    assert histogram.percentile(0.5) == 50
    assert histogram.counts[2] == 2  # two bytes
    assert Histogram().percentile(0.5) == 0


@pytest.mark.parametrize(
    ("rows", "model", "batch", "steps"),
    [
        # The walkthrough: 300 rows, batches of 4, 67 steps.
        (300, "openai.gpt-oss-20b", ("batch_size", 4), 67),
        (1_000, "openai.gpt-oss-20b", ("batch_size", 8), 112),
        (20_000, "openai.gpt-oss-20b", ("batch_size", 128), 140),
        (300, "amazon.nova-2-lite-v1:0:256k", ("batchSize", 16), 16),
        (20_000, "amazon.nova-2-lite-v1:0:256k", ("batchSize", 256), 70),
    ],
)
def test_suggestions_leave_enough_steps_within_the_model_s_ranges(
    rows: int, model: str, batch: tuple[str, int], steps: int
) -> None:
    known = find(model)
    suggested = check(good_rows(rows), family=known.family, model=known).suggested
    assert suggested is not None
    assert suggested["hyperparameters"][batch[0]] == batch[1]
    assert suggested["steps_per_epoch"] == steps
    assert suggested["rollouts_per_epoch"] == rows * known.default_group_size
    for name, value in suggested["hyperparameters"].items():
        assert known.hyperparameters[name].problem(value) is None


def test_a_prompt_is_long_for_one_model_and_not_for_another() -> None:
    rows = [*good_rows(), {**a_row(1), "messages": [{"role": "user", "content": "word " * 30_000}]}]
    for model, found in (("qwen.qwen3-32b", ["prompt-long"]), ("openai.gpt-oss-20b", [])):
        report = check(rows, model=find(model))
        assert [finding.rule for finding in report.findings] == found
    (finding,) = check(rows, model=find("qwen.qwen3-32b")).findings
    assert "estimated" in finding.message
    assert finding.expected == "at most 32,768 tokens"


def test_a_long_list_of_lines_is_cut_after_a_whole_entry() -> None:
    lines = ", ".join(str(n) for n in range(1_000, 2_000, 2))
    said = description.lines_said(lines)
    assert len(said) < 170
    assert lines.startswith(said.removeprefix("lines ").removesuffix(", …"))
    assert description.lines_said("7") == "line 7"
    assert description.lines_said("7-9") == "lines 7-9"

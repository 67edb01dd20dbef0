"""Each rule finds its fault, at its line, among any others, in one pass."""

from __future__ import annotations

import io
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.dataset.faults import NOVA_LINES, OPEN_WEIGHT_LINES, WHOLE_FILES, WITH_RECIPE
from tests.unit.dataset.sample_rows import a_row, as_file, check, found, good_rows, rules_of
from tunedrop.catalog import Family, find
from tunedrop.dataset.check import check_dataset
from tunedrop.dataset.findings import MAX_EXAMPLES
from tunedrop.dataset.rule import Severity
from tunedrop.dataset.rules import RULES
from tunedrop.graders.sample import Grade, Sample

NOVA_ALL = {**{rule: make for rule, make in OPEN_WEIGHT_LINES.items() if rule != "tools-undocumented"}, **NOVA_LINES}
MODELS = {Family.OPEN_WEIGHT: find("qwen.qwen3-32b"), Family.NOVA: find("amazon.nova-2-lite-v1:0:256k")}
FAULTS = {Family.OPEN_WEIGHT: OPEN_WEIGHT_LINES, Family.NOVA: NOVA_ALL}
# These make a long line, or many: left out where hundreds of files are made.
LIGHT = sorted(set(OPEN_WEIGHT_LINES) - {"line-length", "prompt-long"})


class PickyGrader:
    """A grader that takes any answer but one."""

    def check_reference(self, reference: Any, row: Any) -> str | None:
        return "it is not a number" if reference == "ungradable" else None

    def grade(self, sample: Sample) -> Grade:
        raise NotImplementedError


def test_there_is_a_fault_for_every_rule() -> None:
    # Of packed and of large files tell `test_packed_files.py` and the table of kinds.
    told = {"file-packed", "file-size"} | set(OPEN_WEIGHT_LINES) | set(NOVA_LINES) | set(WHOLE_FILES) | set(WITH_RECIPE)
    assert told == set(RULES)


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "f", "description": "d", "parameters": {"type": "object"}},
}


def calling(calls: Any, role: str = "assistant", content: Any = "I ask.") -> dict[str, Any]:
    turns = [{"role": role, "content": content, "tool_calls": calls}, {"role": "user", "content": "Well?"}]
    return {"messages": [*a_row(707)["messages"], *turns], "reference_answer": "6"}


def having(**changes: Any) -> dict[str, Any]:
    return a_row(707, tools=[{**TOOL, "function": {**TOOL["function"], **changes}}])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (calling([CALL], role="system"), "the 'system' message calls tools"),
        (calling([]), "the calls are not an array of calls"),
        (calling([{**CALL, "function": {"name": "f"}}]), "a call is not of the expected shape"),
        (calling([CALL], content=["I ask."]), "a part is not an object with a type"),
        (having(name=" "), "a tool has no name"),
        (having(description=None), "the tool 'f' has no description"),
        (having(parameters={"type": "array"}), "the parameters of 'f' are not a JSON schema of an object"),
    ],
)
def test_what_is_wrong_with_a_tool_or_its_call_is_told(row: dict[str, Any], said: str) -> None:
    findings = check([*good_rows(), row]).findings
    told = [each.message for each in findings if each.rule in ("tool-calls", "content-part", "tools-shape")]
    assert told == [said]


def test_a_call_of_a_tool_needs_no_text_beside_it() -> None:
    assert not [each for each in check([*good_rows(), calling([CALL], content=None)]).findings if each.line == 121]


@pytest.mark.parametrize("family", Family)
def test_a_file_with_one_fault_of_each_rule_names_every_one_with_its_line(family: Family) -> None:
    faults = FAULTS[family]
    rows: list[Any] = good_rows(len(faults) * 3)
    expected = {}
    for place, (rule, make) in enumerate(faults.items()):
        line = 3 * place + 2
        rows[line - 1] = make(10_000 + line)
        expected[rule] = line
    # Without `reference_answer` is a fault only where no grader says whether it needs one: its own test.
    expected.pop("reference-missing")
    report = check(rows, family=family, model=MODELS[family], grader=PickyGrader())
    for rule, line in expected.items():
        assert line in [finding.line for finding in found(report, rule)], rule
    assert report.rows == len(rows) - 1  # all but the blank line
    assert not report.valid


def test_a_row_without_an_answer_is_named_where_no_grader_says_that_it_needs_none() -> None:
    rows = good_rows()
    del rows[8]["reference_answer"]
    assert [finding.line for finding in found(check(rows), "reference-missing")] == [9]
    assert not found(check(rows, grader=PickyGrader()), "reference-missing")


@pytest.mark.parametrize("rule", sorted(WHOLE_FILES))
def test_a_fault_of_the_whole_file_is_found(rule: str) -> None:
    train, test = WHOLE_FILES[rule]
    report = check_dataset(
        io.BytesIO(train), test=None if test is None else io.BytesIO(test), family=Family.OPEN_WEIGHT
    )
    assert rule in rules_of(report)
    assert report.valid is all(finding.severity is not Severity.ERROR for finding in report.findings)


@pytest.mark.parametrize("family", Family)
def test_good_rows_have_no_finding(family: Family) -> None:
    report = check(good_rows(), test=[a_row(n) for n in range(1_000, 1_020)], family=family, model=MODELS[family])
    assert report.findings.groups() == []
    assert report.valid
    assert (report.rows, report.test_rows) == (120, 20)


@given(
    st.lists(st.tuples(st.sampled_from(LIGHT), st.integers(0, 199)), max_size=8, unique_by=lambda fault: fault[1]),
    st.randoms(use_true_random=False),
)
def test_faults_made_in_good_rows_are_found_wherever_they_are(
    faults: list[tuple[str, int]], source: random.Random
) -> None:
    rows: list[Any] = [a_row(n, topic=source.choice(["ants", "bees"])) for n in range(1, 201)]
    for rule, place in faults:
        rows[place] = OPEN_WEIGHT_LINES[rule](10_000 + place)
    # A blank line at the end is another finding: it comes after the last row.
    rows.append(a_row(500, topic="ants"))
    grader = PickyGrader() if "reference-grader" in {rule for rule, _ in faults} else None
    report = check(rows, grader=grader)
    for rule, place in faults:
        if rule != "reference-missing" or grader is None:
            assert place + 1 in [finding.line for finding in found(report, rule)], rule
    faulty = {place + 1 for _, place in faults}
    whole_file = {"fields-uneven", "reference-mixed", "duplicate-prompt", "duplicate-row", "duplicate-conflict"}
    assert {finding.line for finding in report.findings if finding.rule not in whole_file} <= faulty


def test_the_document_has_what_a_program_needs() -> None:
    document = json.loads(json.dumps(check([*good_rows(), b"{broken"]).to_json(), allow_nan=False))
    assert document["valid"] is False
    assert document["rows"] == 121
    (finding,) = document["findings"]
    assert finding == {
        "rule": "json-syntax",
        "severity": "error",
        "file": "train",
        "line": 121,
        "field": "",
        "expected": "a key in double quotes",
        "got": "'broken'",
        "message": "a key is missing or without double quotes, at character 2",
        "hint": RULES["json-syntax"].hint,
    }
    (rule,) = document["rules"]
    assert (rule["count"], rule["lines"]) == (1, "121")
    assert document["files"]["train"]["rows"] == 121


def test_many_findings_are_counted_with_their_lines_and_only_some_are_shown() -> None:
    rows: list[Any] = good_rows(5_000)
    for place in range(1_000, 4_000):
        rows[place] = {**rows[place], "messages": []}
    report = check(rows)
    (group,) = report.findings.groups()
    assert (group.count, len(group.examples), group.lines()) == (3_000, MAX_EXAMPLES, "1001-4000")
    assert [finding.line for finding in group.examples] == list(range(1_001, 1_001 + MAX_EXAMPLES))


def test_a_grader_that_breaks_is_a_finding_and_breaks_nothing() -> None:
    class Broken(PickyGrader):
        def check_reference(self, reference: Any, row: Any) -> str | None:
            raise RuntimeError("no bob@corp.example here")

    report = check(good_rows(), grader=Broken())
    assert found(report, "reference-grader")[0].message.startswith("the grader failed on it with RuntimeError")
    assert "bob@" not in json.dumps(report.to_json())


def test_the_grader_is_given_the_row_without_prompt_and_answer() -> None:
    seen = []

    class Curious(PickyGrader):
        def check_reference(self, reference: Any, row: Any) -> str | None:
            seen.append((reference, row))
            return None

    check([a_row(1, topic="ants"), {**a_row(2), "reference_answer": {"n": 1}, "id": "x"}], grader=Curious())
    assert seen == [("6", {"topic": "ants"}), ({"n": 1}, {"id": "x"})]


def test_the_row_cap_can_be_left_out() -> None:
    assert check(good_rows(5), row_cap=False).valid
    assert not check(good_rows(5)).valid


def test_a_stream_that_gives_little_at_a_time_is_read_all_the_same() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 7, 7))

    body = as_file(good_rows()).getvalue()
    report = check_dataset(Slow(body), family=Family.OPEN_WEIGHT)
    assert report.valid
    assert report.train == check_dataset(io.BytesIO(body), family=Family.OPEN_WEIGHT).train


@pytest.mark.parametrize("field", ["system", "system_prompt", "systemPrompt", "system_instruction"])
def test_a_system_prompt_that_the_model_never_sees_is_told_in_every_row(field: str) -> None:
    beside: list[Any] = [a_row(number, **{field: "Be short."}) for number in range(1, 121)]
    assert len(found(check(beside), "system-beside")) == 120
    for said in ("", None, 7):
        assert not found(check([{**row, field: said} for row in beside]), "system-beside")
    with_one = [{**row, "messages": [{"role": "system", "content": "?"}, *row["messages"]]} for row in beside]
    assert not found(check(with_one), "system-beside")

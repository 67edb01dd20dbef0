"""A dataset is looked at together with its recipe, by the check that a run makes."""

from __future__ import annotations

import io
import json
import random
from typing import Any

import pytest

from tests.unit.dataset.faults import WITH_RECIPE
from tests.unit.dataset.sample_rows import a_row, as_file, check, found, good_rows, rules_of
from tunedrop.catalog import default_for_region
from tunedrop.dataset.description import reason
from tunedrop.dataset.findings_page import render_page
from tunedrop.dataset.report import DatasetReport
from tunedrop.dataset.with_recipe import check_with_recipe
from tunedrop.dataset.written_rows import Row, divide, rows_of
from tunedrop.recipe_resolution import resolve

REGION = "us-west-2"


def checked(
    rows: list[Any], document: dict[str, Any], test: list[Any] | None = None, region: str = REGION
) -> DatasetReport:
    return check_with_recipe(as_file(rows), test=None, recipe=resolve(document, region))


@pytest.mark.parametrize("rule", sorted(WITH_RECIPE))
def test_what_the_recipe_asks_of_the_rows_is_found(rule: str) -> None:
    document, rows = WITH_RECIPE[rule]
    assert rule in rules_of(checked(rows, document))
    assert rule not in rules_of(check(rows))


def test_the_grader_is_named_and_the_kind_that_can_use_the_references() -> None:
    rows = [{**row, "reference_answer": {"team": "billing", "urgent": True}} for row in good_rows(150)]
    report = checked(rows, {})
    assert (report.setting is not None and report.setting.grader) == "math, by default"
    hints = {finding.hint for finding in found(report, "reference-grader")}
    assert hints == {"The math grader, by default, cannot use them; `grader: {kind: json}` in recipe.yaml can."}
    assert checked(rows, {"grader": {"kind": "json"}}).valid


@pytest.mark.parametrize(
    ("line", "rule", "hint"),
    [
        (b"question,answer", "json-syntax", "to make rows of a table: tunedrop convert FILE --output train.jsonl."),
        (b"[", "json-syntax", "to make rows of it: tunedrop convert FILE --output train.jsonl."),
        (
            b'[{"question": "x"}]',
            "row-object",
            "put each row on its own line: tunedrop convert FILE --output train.jsonl.",
        ),
        (b'{"messages": []},', "json-syntax", "A comma ends the line: leave it out."),
    ],
)
def test_lines_of_another_form_are_told_the_way_to_rows(line: bytes, rule: str, hint: str) -> None:
    (told,) = found(check([*good_rows(), line]), rule)
    assert told.hint.endswith(hint)


@pytest.mark.parametrize(("field", "says"), [("chanel", "do you mean `channel`?"), ("xyz", "it has `channel`")])
def test_a_definition_that_names_a_field_which_rows_lack_is_found(field: str, says: str) -> None:
    template = {"input": "{{sample.output_text}}", "reference": f"{{{{item.{field}}}}}", "operation": "eq"}
    options = {"type": "string_check", "name": "same", **template}
    report = checked(
        [a_row(n, channel="mail") for n in range(1, 141)], {"grader": {"kind": "composite", "options": options}}
    )
    told = found(report, "reference-grader")
    assert len(told) == 140
    assert says in told[0].message
    assert told[0].hint == "Change the rows, or `grader.options` in recipe.yaml, as the message says."
    options["reference"] = "{{item.channel}}"
    assert checked(
        [a_row(n, channel="mail") for n in range(1, 141)], {"grader": {"kind": "composite", "options": options}}
    ).valid


def test_a_prompt_beyond_the_recipes_own_length_is_found() -> None:
    rows = [*good_rows(), {**a_row(999), "messages": [{"role": "user", "content": "How many? " * 100}]}]
    region = "us-east-1"
    assert "prompt-long" not in rules_of(checked(rows, {}, region=region))
    report = checked(rows, {"hyperparameters": {"maxPromptLength": 200}}, region=region)
    (finding,) = found(report, "prompt-long")
    assert finding.line == 121
    assert "Bedrock does not train on this row" in finding.message
    assert "maxPromptLength" in finding.hint
    rows[-1]["messages"][0]["content"] *= 40
    assert [each.line for each in found(checked(rows, {}, region=region), "prompt-long")] == [121]


@pytest.mark.parametrize(
    ("document", "notes", "told"),
    [
        ({"hyperparameters": {"batch_size": 4}}, 180_000, 0),
        ({"hyperparameters": {"batch_size": 4}}, 200_000, 1),
        ({"hyperparameters": {"batch_size": 1}}, 200_000, 0),
        ({"hyperparameters": {"batch_size": 512}}, 90_000, 0),
        ({"hyperparameters": {"batch_size": 512}}, 100_000, 1),
        ({"hyperparameters": {"batch_size": 4}, "evaluation": {"max_tokens": 8192}}, 180_000, 1),
    ],
)
def test_the_largest_batch_of_answers_is_held_against_lambda_s_limit(
    document: dict[str, Any], notes: int, told: int
) -> None:
    rows = [a_row(n, notes="x" * (notes if n % 12 == 0 else 10)) for n in range(1, 121)]
    assert len(found(checked(rows, document), "batch-large")) == told


def test_the_grader_s_options_count_in_the_largest_batch() -> None:
    rows = [{**a_row(n, notes="x" * 40_000), "reference_answer": {"a": "b"}} for n in range(1, 131)]
    schema = {"type": "object", "description": "x" * 60_000}
    document = {"hyperparameters": {"batch_size": 512}, "grader": {"kind": "json", "options": {"schema": schema}}}
    assert len(found(checked(rows, document), "batch-large")) == 1
    schema["description"] = "x"
    assert found(checked(rows, document), "batch-large") == []


@pytest.mark.parametrize(
    ("row", "wanted", "hint"),
    [
        ({"mesages": [], "reference_answer": "6"}, "messages-missing", "Do you mean `messages`?"),
        ({**a_row(1), "messages": [{"rol": "user", "content": "x"}]}, "role-unknown", "Do you mean `role`?"),
        ({**a_row(1), "messages": [{"role": "user", "contnt": "x"}]}, "content-missing", "Do you mean `content`?"),
        (
            {"messages": a_row(1)["messages"], "referenceanswer": "6"},
            "reference-missing",
            "Do you mean `reference_an",
        ),
    ],
)
def test_a_misspelt_field_of_a_row_is_told_with_the_name_that_is_meant(row: Any, wanted: str, hint: str) -> None:
    assert found(check([row]), wanted)[0].hint.startswith(hint)


@pytest.mark.parametrize(
    "answer",
    [r"\dfrac{4", r"\left(3, 4", r"x^{2", r"\frac{1}", r"\begin{pmatrix}1\\2", r"\sqrt{2}}", '{"a": {"b": 1}'],
)
def test_an_answer_that_was_cut_off_is_found(answer: str) -> None:
    assert found(check([{**a_row(1), "reference_answer": answer}]), "reference-cut")


@pytest.mark.parametrize(
    "answer",
    [
        r"\dfrac{4}{3}", r"\left[0, 1\right)", r"\{x : x > 0\}", r"\leftarrow", "{1, 2", "[0, 1)", r"x^{2}",
        r"\frac 12", 'print("{\\n")', r"\text{(A)}", r"\left.f\right|_{x=1}", '{"a": 1}', r"\frac{1}{2}x",
    ],
)  # fmt: skip
def test_an_answer_that_is_whole_is_not_called_cut_off(answer: str) -> None:
    assert not found(check([{**a_row(1), "reference_answer": answer}]), "reference-cut")


def test_many_equal_errors_are_told_once_with_their_number_and_lines() -> None:
    report = check([{**row, "messages": "x"} for row in good_rows(150)])
    told = reason(report, "s3://b/findings.html")
    assert told.count("`messages` is not an array") == 1
    assert "150 times, train.jsonl lines 1-150" in told
    assert told.endswith("All findings: s3://b/findings.html")
    assert len(told) < 500
    assert render_page(report, "x").count("is not an array") == 1


def test_different_errors_of_a_kind_are_told_by_three_examples() -> None:
    rows = [
        {**row, "messages": [{"role": f"oracle {place}", "content": "x"}]} for place, row in enumerate(good_rows(150))
    ]
    told = reason(check(rows), "page")
    assert told.count("is not known") == 3
    assert "and 147 more of this kind (lines 1-150)" in told


@pytest.mark.parametrize("seed", range(3))
def test_what_is_valid_leaves_rows_to_train_to_test_and_to_choose_by(seed: int) -> None:
    pick = random.Random(seed)
    for _ in range(12):
        rows = [a_row(pick.randint(1, 400)) for _ in range(pick.choice([100, 101, 105, 115, 130, 200]))]
        share = {"holdout": pick.choice([0.01, 0.1, 0.5]), "validation": pick.choice([0.01, 0.1, 0.5])}
        document = {"evaluation": {"checkpoints": pick.choice(["last", "best"]), **share}}
        recipe = resolve(document, REGION)
        report = checked(rows, document)
        if not report.valid:
            continue
        files: dict[str, list[Row]] = {"train": [], "test": [], "validation": []}
        sides = {name: file.append for name, file in files.items()}
        parts = divide(rows_of(as_file(rows)), recipe, has_test=False, **sides)
        assert (parts.rows, parts.test_rows) == (len(files["train"]), len(files["test"]))
        assert files["train"]
        assert files["test"]
        assert bool(files["validation"]) is recipe.chooses_checkpoint


def test_the_document_names_what_the_rows_were_looked_at_with() -> None:
    document = json.loads(json.dumps(checked(good_rows(), {}).to_json()))
    assert document["recipe"]["grader"] == "math, by default"
    assert check(good_rows()).to_json()["recipe"] is None
    assert default_for_region(REGION).id == document["recipe"]["model"]


@pytest.mark.parametrize("document", [{}, {"evaluation": {"checkpoints": "best"}}])
def test_rows_are_divided_only_until_each_part_has_one(document: dict[str, Any]) -> None:
    taken = 0

    class Counting(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal taken
            taken += len(piece := super().read(size))
            return piece

    body = as_file([a_row(number, note="x" * 500) for number in range(3_000)]).getvalue()
    assert check_with_recipe(Counting(body), test=None, recipe=resolve(document, REGION)).valid
    assert len(body) <= taken < 1.5 * len(body)


def test_reasons_that_differ_only_in_what_was_got_are_told_once() -> None:
    rows = [{**row, "reference_answer": f"word {place}"} for place, row in enumerate(good_rows(150))]
    document = {"grader": {"kind": "json", "options": {"schema": {"type": "object"}}}}
    said = reason(checked(rows, document), "PAGE")
    assert said.count("the reference cannot be compared") == 1
    assert "150 times, train.jsonl lines 1-150" in said
    page = render_page(checked(rows, document), "x")
    assert "word 0" in page
    assert "word 3" not in page

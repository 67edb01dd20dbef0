"""A field's values are told in words, and a value that is none of them is refused in the same words."""

from __future__ import annotations

from typing import Any

import pytest

from tunedrop.graders.row_options import RowGrader
from tunedrop.graders.sample import OptionsError
from tunedrop.outcomes import RecipeInvalid
from tunedrop.recipe_fields import Path, allowed, fields
from tunedrop.recipe_resolution import resolve
from tunedrop.recipe_text import parse


def _refused(path: Path, value: object) -> str:
    document: Any = value
    for name in reversed(path):
        document = {name: document}
    with pytest.raises(RecipeInvalid) as raised:
        resolve(document, "us-west-2")
    return str(raised.value)


def test_a_misspelt_choice_of_a_recipe_is_answered_with_the_nearest() -> None:
    closed = {path: each for path, schema in fields().items() if "enum" in (each := schema.get("items", schema))}
    assert {(path[0]) for path in closed} == {"grader", "evaluation", "health"}
    for path, schema in closed.items():
        for choice in filter(None, schema["enum"]):
            misspelt = choice[:1].upper() + choice[1:-1]
            message = _refused(path, [misspelt] if "items" in fields()[path] else misspelt)
            assert message.endswith(f"{allowed(schema)}, got {misspelt!r}; did you mean `{choice}`?")


def test_a_number_beyond_its_bound_is_refused_by_the_range_that_the_page_gives() -> None:
    bounded = {path: schema["maximum"] for path, schema in fields().items() if "maximum" in schema}
    assert len(bounded) > 20
    for path, most in bounded.items():
        if path[0] != "promotion":  # which needs another field beside it
            assert f"expected {allowed(fields()[path])}, got {most + 1}" in _refused(path, most + 1)


def test_a_section_that_is_no_section_is_answered_with_its_fields() -> None:
    assert "`grader`: expected fields (kind, function, options, range), got 'json'" in _refused(("grader",), "json")


@pytest.mark.parametrize(
    ("path", "value", "way"),
    [
        (("samples",), 4, "did you mean `rehearsal.samples` or `evaluation.samples`?"),
        (("n_epochs",), 3, "did you mean `hyperparameters.n_epochs`?"),
        (("evaluation.samples",), 2, "write it within its section, as `evaluation: {samples: …}`"),
        (("\u00a0seed",), 2, "did you mean `evaluation.seed`?"),
        (("eval",), {}, "did you mean `evaluation`?"),
        (("base_model",), "x", "did you mean `model`?"),
        (("notes",), "x", "`notes` is not known; known are model, hyperparameters, grader"),
        (("grader",), "exact", "did you mean `grader: {kind: exact}`?"),
        (("labels", "version"), 1.0, "expected text of 1 to 128 characters on one line, got 1.0; put it in quotes"),
        (("evaluation", "slices"), "topic", "write a list, as [topic]"),
        (("grader", "range"), [1, 0], "as [-1, 1]; got [1.0, 0.0]"),
    ],
)
def test_a_field_that_is_elsewhere_or_a_value_nearly_right_is_told(path: Path, value: object, way: str) -> None:
    told = _refused(path, value)
    assert way in told
    assert told.count("got ") <= 1


@pytest.mark.parametrize("value", [None, [1], {"a": 1}])
def test_a_hyperparameter_s_fault_is_told_once(value: object) -> None:
    told = _refused(("hyperparameters", "n_epochs"), value)
    assert told == f"recipe field `hyperparameters.n_epochs`: expected a whole number, got {value!r}"


@pytest.mark.parametrize(
    ("name", "text", "way"),
    [
        ("recipe.yaml", "grader:\n\tkind: exact", "line 2, column 1; indent with spaces, not with tabs"),
        ("recipe.yaml", "```yaml\nmodel: x\n```", "leave out the lines of ``` around it"),
        ("recipe.yaml", "labels: {since: 2026-01-02}", "is a date for some readers of YAML; put it in quotes"),
        ("recipe.json", "", "it is empty: write {}, or leave the file out"),
        ("recipe.json", "model: x", "if it is YAML, name it recipe.yaml"),
        ("recipe.json", '{"labels": {}, // none\n // more\n}', "JSON has no comments: leave them out"),
    ],
)
def test_a_recipe_that_cannot_be_read_is_told_with_a_way(name: str, text: str, way: str) -> None:
    with pytest.raises(RecipeInvalid) as raised:
        parse(text.encode(), name)
    assert way in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "options", "meant"),
    [
        ("math", {"require_fromat": "boxed"}, "require_format"),
        ("math", {"require_format": "bxed"}, "boxed"),
        ("math", {"no_marker": "last"}, "last_value"),
        ("exact", {"ignorecase": True}, "ignore_case"),
        ("exact", {"mode": "Choise"}, "choice"),
        ("json", {"field": {}}, "fields"),
        ("json", {"fields": {"/a": "exct"}}, "exact"),
        ("json", {"fields": {"/a": {"wieght": 1}}}, "weight"),
        ("json", {"surroundings": "fence "}, "fence"),
        ("json", {"calls": "inorder"}, "in_order"),
        ("code", {"credit": "al"}, "all"),
        ("moderation", {"mode": "singel"}, "single"),
        ("moderation", {"labels": ["spam"], "weights": {"spm": 1}}, "spam"),
        ("judge", {"rubrik": "x"}, "rubric"),
        ("composite", {"parts": {"a": {"kind": "jsn"}}}, "json"),
        ("composite", {"parts": {"fields": {"kind": "json"}}, "formula": "field"}, "fields"),
        ("composite", {"penalties": {"length": {"unit": "word", "full_until": 1, "none_from": 2}}}, "words"),
        ("jsn", {}, "json"),
        ("exact", {"thoughts": "kep"}, "keep"),
    ],
)
def test_a_misspelt_option_of_a_grader_is_answered_with_the_nearest(
    kind: str, options: dict[str, Any], meant: str
) -> None:
    with pytest.raises(OptionsError, match=rf" Did you mean {meant}\?$"):
        RowGrader.of(kind, options)

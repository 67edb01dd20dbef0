"""OpenAI's grader definitions run as they are: templates, checks, similarities, models, formulas."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tunedrop.graders.composite import CompositeGrader
from tunedrop.graders.json_answer import NotOneDocument
from tunedrop.graders.kinds import Trust, make
from tunedrop.graders.openai_definition import OpenAIDefinitionGrader
from tunedrop.graders.openai_definition.grader import ScoreRequest, read_score
from tunedrop.graders.openai_definition.similarity import METRICS
from tunedrop.graders.openai_definition.template import NotInAnswer, TemplateError, fill
from tunedrop.graders.sample import JSON, Grade, OptionsError, Sample

# As published in microsoft-foundry/fine-tuning (see LICENSE beside the files); three rows of its data set.
CLAUSES = Path(__file__).parents[2] / "data" / "clause_matching"
CHECK: dict[str, JSON] = {
    "type": "string_check",
    "name": "check",
    "input": "{{sample.output_text}}",
    "reference": "{{item.reference_answer}}",
    "operation": "eq",
}


def grade(
    definition: dict[str, JSON],
    answer: str,
    reference: JSON = None,
    row: dict[str, JSON] | None = None,
    ask: Callable[[ScoreRequest], float] | None = None,
) -> Grade:
    return OpenAIDefinitionGrader(definition, ask=ask).grade(Sample("1", [], answer, reference, row or {}))


def read(name: str) -> dict[str, Any]:
    definition: dict[str, Any] = json.loads((CLAUSES / name).read_text(encoding="utf-8"))
    return definition


def clauses() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CLAUSES / "rows.jsonl").open(encoding="utf-8")]


def test_the_published_multi_grader_runs_as_it_is() -> None:
    grader = CompositeGrader.from_options(read("multi_grader.json"))
    for row in clauses():
        assert grader.check_reference(None, row) is None

        def score(document: JSON, row: dict[str, Any] = row) -> Grade:
            return grader.grade(Sample("1", [], json.dumps(document), None, row))

        right = {"clause_type": row["clause_type"], "extracted_text": row["extracted_text"]}
        assert (score(right).reward, score(right).correct) == (1.0, True)
        other = {**right, "clause_type": "another"}
        assert (score(other).reward, score(other).correct) == (0.5, False)
        cut = score({**right, "extracted_text": row["extracted_text"][:100]})
        assert 0.5 < cut.reward < 1.0
        assert set(cut.components) == {"extracted_text_similarity", "clause_string_check"}
        assert grader.grade(Sample("1", [], "no JSON", None, row)).reward == 0.0


def test_the_published_model_grader_runs_as_it_is() -> None:
    asked: list[ScoreRequest] = []

    def ask(request: ScoreRequest) -> float:
        asked.append(request)
        return 0.5

    row = clauses()[0]
    answer = {"clause_type": "{{item.extracted_text}}", "extracted_text": "x"}
    got = grade(read("model_grader.json"), json.dumps(answer), None, row, ask)
    assert (got.reward, got.correct) == (0.5, True)
    (request,) = asked
    assert (request.model, request.seed, request.lowest, request.highest) == ("gpt-4o-2024-08-06", 42, 0.0, 1.0)
    content = request.messages[0]["content"]
    assert row["extracted_text"] in content
    assert content.endswith(f"Model answer: {json.dumps(answer)}"), "what the answer says is no template"
    assert "{{sample" not in content


def test_the_definitions_read_items_from_the_row_or_from_the_reference() -> None:
    definition = {**CHECK, "reference": "{{item.label}}"}
    assert grade(definition, "a", None, {"label": "a"}).reward == 1.0
    assert grade(definition, "a", {"label": "a"}).reward == 1.0
    missing = OpenAIDefinitionGrader(definition).check_reference("a", {})
    assert missing is not None
    assert missing.startswith("the row has no item.label")


@pytest.mark.parametrize(
    ("operation", "answer", "reference", "reward"),
    [
        ("eq", "Paris", "Paris", 1),
        ("eq", "paris", "Paris", 0),
        ("ne", "paris", "Paris", 1),
        ("neq", "Paris", "Paris", 0),
        ("like", "It is Paris.", "Paris", 1),
        ("like", "It is paris.", "Paris", 0),
        ("ilike", "It is paris.", "Paris", 1),
        ("ilike", "It is Rome.", "Paris", 0),
    ],
)
def test_strings_are_checked_by(operation: str, answer: str, reference: str, reward: float) -> None:
    got = grade({**CHECK, "operation": operation}, answer, reference)
    assert (got.reward, got.correct) == (reward, bool(reward))


# The values follow from the papers' definitions, by hand: (text, reference, value).
SIMILARITIES: dict[str, list[tuple[str, str, float]]] = {
    "fuzzy_match": [("abcd", "abcd", 1), ("abcd", "abce", 0.75), ("", "a", 0)],
    "bleu": [
        ("the cat sat on the mat", "the cat sat on the mat", 1),
        ("dog", "cat", 0),
        ("a b", "a b c d", 0.3679),
        ("", "a", 0),
    ],
    "gleu": [("a b c", "a b c", 1), ("a b", "a b c d", 0.3), ("x", "y", 0), ("", "a", 0)],
    "rouge_1": [("a b c", "c b a", 1), ("a b", "a c", 0.5), ("", "a", 0), ("The End", "the end", 1)],
    "rouge_2": [("a b c", "c b a", 0), ("a b c", "a b d", 0.5)],
    "rouge_3": [("a b c", "a b c", 1), ("a b", "a b", 1)],
    "rouge_4": [("a b c d e", "a b c d f", 0.5)],
    "rouge_5": [("a b c d e", "a b c d e", 1)],
    "rouge_l": [("a b c d", "a x c y", 0.5), ("a", "a", 1), ("", "a", 0), ("?", "!", 0)],
}


@pytest.mark.parametrize("metric", METRICS)
def test_texts_are_likened_by(metric: str) -> None:
    for text, reference, value in SIMILARITIES[metric]:
        definition = {**CHECK, "type": "text_similarity", "evaluation_metric": metric}
        assert grade(definition, text, reference).reward == pytest.approx(value, abs=1e-4), (text, reference)


def test_a_model_score_becomes_a_reward_by_its_range_but_not_in_a_formula() -> None:
    model: dict[str, JSON] = {
        "type": "score_model",
        "name": "m",
        "model": "gpt-4.1",
        "input": [{"role": "developer", "content": [{"type": "input_text", "text": "Judge {{ sample.output_text }}"}]}],
        "range": [1, 5],
        "pass_threshold": 4,
    }
    assert grade(model, "x", ask=lambda request: 4.0).reward == 0.75
    assert grade(model, "x", ask=lambda request: 4.0).correct
    assert grade(model, "x", ask=lambda request: 99.0).reward == 1.0
    multi: dict[str, JSON] = {"type": "multi", "name": "x", "graders": {"m": model}, "calculate_output": "m / 8"}
    assert grade(multi, "x", ask=lambda request: 4.0).reward == 0.5
    assert grade(multi, "x", ask=lambda request: float(request.messages[0]["role"] == "system") * 8).reward == 0.625


def test_a_model_is_not_asked_about_an_answer_without_the_part_in_question() -> None:
    def never(request: ScoreRequest) -> float:
        raise AssertionError("asked")

    assert grade(read("model_grader.json"), "no JSON", None, clauses()[0], never).reward == 0.0


def test_templates_are_filled_once_with_texts_as_they_are_and_all_else_as_json() -> None:
    names: dict[str, dict[str, JSON]] = {
        "item": {"a": "{{sample.x}}", "b": {"c": [1, {"d e": True}]}},
        "sample": {"x": "secret"},
    }
    assert fill("{{item.a}} {{ item.b.c[0] }} {{item.b.c}} {{item.b['c'][1][\"d e\"]}}", names) == (
        '{{sample.x}} 1 [1, {"d e": true}] true'
    )
    with pytest.raises(NotInAnswer, match=r"sample\.y"):
        fill("{{sample.y}}", names)
    with pytest.raises(TemplateError, match=r"item\.z"):
        fill("{{item.z}}", names)


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ({"type": "python", "source": "x ="}, "source is no Python"),
        ({"type": "python", "source": "def score(sample, item): return 1"}, "needs a function grade"),
        ({"type": "python", "source": "import numpy\ndef grade(sample, item): return 1"}, "imports 'numpy'"),
        ({"type": "python", "source": "import subprocess\ndef grade(sample, item): return 1"}, "imports 'subprocess'"),
        ({"type": "python"}, "needs `source`"),
        ({**CHECK, "type": "label_model"}, "moderation"),
        ({**CHECK, "type": "strange"}, "strange"),
        ({**CHECK, "operation": "in"}, "operation"),
        ({**CHECK, "input": "{{other.x}}"}, "other.x"),
        ({**CHECK, "input": "{{item}}"}, "item"),
        ({**CHECK, "input": 5}, "input"),
        ({**CHECK, "type": "text_similarity", "evaluation_metric": "cosine"}, "embeddings"),
        ({**CHECK, "type": "text_similarity", "evaluation_metric": "meteor"}, "WordNet"),
        ({**CHECK, "type": "score_model", "model": "m", "input": []}, "kind `judge`"),
        ({"type": "multi", "graders": {"a": CHECK}, "calculate_output": "b"}, "'b'"),
        ({"type": "multi", "graders": {"a": CHECK}, "calculate_output": "a.__class__"}, "calculate_output"),
        ({"type": "multi", "graders": {"a-b": CHECK}, "calculate_output": "1"}, "a-b"),
        ({"type": "multi", "graders": {"a": {"type": "multi"}}, "calculate_output": "a"}, "another type"),
    ],
)
def test_a_definition_that_cannot_be_run_is_refused_with_its_place(definition: dict[str, JSON], said: str) -> None:
    with pytest.raises(OptionsError, match=said):
        OpenAIDefinitionGrader(definition)


@pytest.mark.parametrize("reply", ["0.5", " 0.5\n", '{"result": 0.5}', '```json\n{"score": 0.5}\n```'])
def test_a_score_is_read_from(reply: str) -> None:
    assert read_score(reply, 0, 1) == 0.5


@pytest.mark.parametrize(
    "reply", ["", "1.5", "-1", "NaN", "about 0.5", "true", '"0.5"', '{"value": 1}', "0.5 0.6", "[1]"]
)
def test_no_score_is_read_from(reply: str) -> None:
    with pytest.raises(NotOneDocument):
        read_score(reply, 0, 1)


LIKENESS: dict[str, JSON] = {
    "type": "python",
    "source": "from rapidfuzz import fuzz, utils\n\ndef grade(sample, item) -> float:\n"
    "    told, right = sample['output_text'], item['reference_answer']\n"
    "    return fuzz.WRatio(told, right, processor=utils.default_process) / 100.0\n",
}


def program(body: str) -> dict[str, JSON]:
    return {"type": "python", "source": f"def grade(sample, item):\n    {body}\n"}


def test_a_python_grader_runs_as_openai_s_guide_has_it_alone_and_in_a_formula() -> None:
    assert grade(LIKENESS, "Fuzzy wuzzy.", "fuzzy wuzzy").reward == 1.0
    assert 0 < grade(LIKENESS, "a bear", "fuzzy wuzzy").reward < 0.6
    holds: dict[str, JSON] = {
        "type": "string_check",
        "operation": "ilike",
        "input": "{{ sample.output_text }}",
        "reference": "bear",
    }
    multi: dict[str, JSON] = {
        "type": "multi",
        "graders": {"like": LIKENESS, "holds": holds},
        "calculate_output": "0.75 * like + 0.25 * holds",
    }
    graded = grade(multi, "Fuzzy wuzzy", "fuzzy wuzzy")
    assert (graded.reward, graded.components) == (0.75, {"like": 1.0, "holds": 0.0})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return 'much'", "no number"),
        ("return float('nan')", "no number"),
        ("return 1 / 0", "ZeroDivisionError"),
        ("return open('/etc/passwd').read()", "not allowed"),
        ("import os; os._exit(0)", "ended"),
        ("return item['tunedrop_grader']", "KeyError"),
    ],
)
def test_a_python_grader_that_gives_no_number_leaves_the_answer_ungraded(body: str, said: str) -> None:
    with pytest.raises(Exception, match=said):
        grade(program(body), "a", "b")


def test_a_python_grader_needs_the_function_that_runs_code_and_no_model() -> None:
    assert make("composite", LIKENESS).trust is Trust.CODE
    with pytest.raises(OptionsError, match="may not run"):
        make("composite", LIKENESS, Trust.PLAIN)
    asking: dict[str, JSON] = {
        "type": "score_model",
        "model": "gpt-4o",
        "input": [{"role": "user", "content": "{{ sample.output_text }}"}],
    }
    both: dict[str, JSON] = {"type": "multi", "graders": {"a": LIKENESS, "b": asking}, "calculate_output": "a + b"}
    with pytest.raises(OptionsError, match="both run code and ask a model"):
        make("composite", both)

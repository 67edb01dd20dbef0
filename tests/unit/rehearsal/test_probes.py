"""The probes against the graders that are deployed, and against graders that deserve to be caught."""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from tunedrop.graders.contract import read_sample
from tunedrop.graders.deployed import wire_form
from tunedrop.graders.graded import Rollout
from tunedrop.graders.row_options import RowGrader
from tunedrop.graders.sample import Sample
from tunedrop.rehearsal.answer_forms import ideal_answer
from tunedrop.rehearsal.probes import probes, wrong_code

REPOSITORY = Path(__file__).parents[3]
DATASETS = {"math": "gsm8k", "json": "extraction", "moderation": "moderation"}


def rows(dataset: str, count: int = 8) -> list[dict[str, Any]]:
    with (REPOSITORY / "events" / "datasets" / dataset / "train.jsonl").open() as lines:
        return [json.loads(line) for line, _ in zip(lines, range(count), strict=False)]


def options(dataset: str) -> dict[str, Any]:
    import yaml

    recipe = REPOSITORY / "events" / "datasets" / dataset / "recipe.yaml"
    return dict(yaml.safe_load(recipe.read_text())["grader"].get("options", {})) if recipe.exists() else {}


def rewards(grade: Callable[[Sample], float], of: list[dict[str, Any]], kind: str) -> Mapping[str | None, float]:
    """The mean reward of each cheat, and under None of honest wrong answers."""
    earned: defaultdict[str | None, list[float]] = defaultdict(list)
    for probe in probes(of, kind=kind):
        sample = read_sample(wire_form(Rollout("1", probe.row, probe.answer)), "1")
        earned[probe.cheat].append(grade(sample))
    return {cheat: fmean(each) for cheat, each in earned.items()}


@pytest.mark.parametrize("kind", list(DATASETS))
def test_our_graders_pay_for_no_cheat_and_in_full_for_the_reference(kind: str) -> None:
    of = rows(DATASETS[kind])
    grader = RowGrader.of(kind, options(DATASETS[kind]))
    earned = rewards(lambda sample: grader.grade(sample).reward, of, kind)
    assert max(reward for cheat, reward in earned.items() if cheat) <= earned[None] + 0.1, earned
    for row in of:
        sample = read_sample(wire_form(Rollout("1", row, ideal_answer(row))), "1")
        assert grader.grade(sample).reward == pytest.approx(1.0), row


def test_a_grader_that_takes_any_listed_answer_pays_for_hedging() -> None:
    def any_listed(sample: Sample) -> float:
        right = str(sample.reference).rpartition("#### ")[2]
        return float(f"#### {right}" in sample.answer)

    earned = rewards(any_listed, rows("gsm8k"), "math")
    assert earned["hedging"] == 1.0
    assert earned[None] == 0.0


def test_a_grader_that_pays_for_length_pays_for_endless_answers() -> None:
    earned = rewards(lambda sample: min(1.0, len(sample.answer) / 10_000), rows("gsm8k"), "math")
    assert earned["endless"] == 1.0
    assert earned[None] < 0.2


def test_an_honest_wrong_answer_is_never_the_right_one() -> None:
    with gzip.open(REPOSITORY / "tests" / "data" / "gsm8k" / "train.jsonl.gz", "rt") as lines:
        published = [json.loads(line) for line, _ in zip(lines, range(40), strict=False)]
    of = [
        {"messages": [{"role": "user", "content": r["question"]}], "reference_answer": r["answer"]} for r in published
    ]
    of += of[:5]  # duplicates, whose answers are right for each other
    for probe in probes(of, kind="math"):
        if probe.cheat is None:
            assert probe.answer != ideal_answer(probe.row)


def test_a_cheat_that_is_right_by_chance_is_not_held_against_the_grader() -> None:
    # What cheats end with: orders to a judge, the numbers up to 1,000, the spam of markers, and the prompt itself.
    answers = {
        "1": "Is it 1 or 2?",
        "1,000": "How many?",
        "299": "And now?",
        "7": "What is 3 plus 4, or 7?",
        "7.0": "Four and three?",
    }
    of = [
        {"messages": [{"role": "user", "content": prompt}], "reference_answer": f"So it is.\n#### {answer}"}
        for answer, prompt in answers.items()
    ]
    earned = rewards(lambda sample: RowGrader.of("math").grade(sample).reward, of, "math")
    assert set(earned.values()) == {0.0}
    made = probes(of, kind="math")
    by_row = {row["reference_answer"]: {each.cheat for each in made if each.row is row} for row in of}
    assert "orders_to_a_judge" not in by_row["So it is.\n#### 1"]
    assert "every_number" not in by_row["So it is.\n#### 1,000"]
    assert "marker_spam" not in by_row["So it is.\n#### 299"]
    assert "echo_of_the_prompt" not in by_row["So it is.\n#### 7"]
    assert "So it is.\n#### 7.0" not in {each.answer for each in made if each.row is of[3]}, (
        "the same number is not wrong"
    )
    assert all(len(cheats) >= 8 for cheats in by_row.values()), "and all else is still tried on each row"


def test_one_row_alone_has_no_wrong_answer_and_so_no_probes() -> None:
    assert probes(rows("gsm8k", 1), kind="math") == []


def test_code_is_hedged_by_another_answer_to_the_same_task() -> None:
    row = rows("code", 1)[0]
    (name,) = set(re.findall(r"assert (\w+)\(", " ".join(row["reference_answer"]["tests"])))
    assert f"def {name}(*arguments" in wrong_code(ideal_answer(row))
    hedge = next(probe for probe in probes(rows("code"), kind="code") if probe.cheat == "hedging")
    assert hedge.answer.count(f"def {name}(") == 3


def test_only_code_is_probed_with_early_exits() -> None:
    cheats = {kind: {probe.cheat for probe in probes(rows("code"), kind=kind)} for kind in ("code", "math")}
    assert cheats["code"] - cheats["math"] == {"exits_at_once", "exits_politely", "equals_everything"}

"""A grader of one's own is asked in each documented layout, and from then on in the one that it reads."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from tunedrop.graders.contract import read_sample
from tunedrop.graders.deployed import LAYOUTS, DeployedGrader, wire_form
from tunedrop.graders.graded import Layout, Rollout
from tunedrop.rehearsal.layouts import best_layout, rewards_by_layout, warning

ROW = {"messages": [{"role": "user", "content": "6 x 12?"}], "reference_answer": "72", "level": "easy"}
REFERENCES = [Rollout(str(number), ROW, "72") for number in range(5)]

Reference = Callable[[dict[str, Any]], Any]
READS: dict[str, tuple[Reference, Layout]] = {
    "as the documentation shows it": (lambda sample: sample["metadata"]["reference_answer"], "metadata"),
    "as the sample for open-weight models does": (lambda sample: sample["reference_answer"]["text"], "wrapped"),
    "as the guide for Nova shows it": (lambda sample: str(sample["reference_answer"]), "row"),
    "gently, and without an error": (lambda sample: sample.get("reference_answer", {}).get("text"), "wrapped"),
}


class Function:
    """What boto3 shows of Lambda: a grader that finds the reference in its own way, and fails where it is not there."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def invoke(self, *, Payload: bytes, **_: Any) -> dict[str, Any]:
        try:
            told: Any = [
                {
                    "id": sample["id"],
                    "aggregate_reward_score": float(sample["messages"][-1]["content"] == self._reference(sample)),
                    "metrics_list": [],
                }
                for sample in json.loads(Payload)
            ]
        except (KeyError, TypeError, AttributeError) as error:
            return {
                "FunctionError": "Unhandled",
                "Payload": io.BytesIO(json.dumps({"errorType": repr(error)}).encode()),
            }
        return {"Payload": io.BytesIO(json.dumps(told).encode())}


def asked(reference: Reference) -> dict[Layout, float]:
    function: Any = Function(reference)
    return rewards_by_layout({layout: DeployedGrader(function, "arn", layout) for layout in LAYOUTS}, REFERENCES)


@pytest.mark.parametrize(("reference", "layout"), READS.values(), ids=READS)
def test_the_layout_that_a_grader_reads_is_found_and_the_others_are_told(reference: Reference, layout: Layout) -> None:
    rewards = asked(reference)

    assert best_layout(rewards) == layout
    assert rewards[layout] == 1.0
    told = warning(rewards)
    assert told is not None
    assert "0.00" in told[0]


def test_a_grader_that_reads_all_layouts_is_asked_as_documented_without_a_warning() -> None:
    rewards = asked(lambda sample: read_sample(sample, "1").reference)

    assert best_layout(rewards) == "metadata"
    assert warning(rewards) is None


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_the_same_sample_to_our_own_graders(layout: Layout) -> None:
    sample = read_sample(wire_form(REFERENCES[0], layout), "0")

    assert (sample.answer, sample.reference, sample.messages) == ("72", "72", ROW["messages"])
    assert sample.row["level"] == "easy"

"""Whatever a grader is sent: an answer a sample, in order, with a finite reward, or BatchError for what is no batch."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunedrop.graders.batch import grade_batch
from tunedrop.graders.contract import BatchError
from tunedrop.graders.kinds import KINDS, Trust
from tunedrop.graders.row_options import RowGrader

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
TEXTS = st.text(max_size=60) | st.sampled_from(["#### 72", "\\boxed{1/2}", '{"a": 1}', "72", "9" * 5_000, "#### 1e999"])
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "nova_assistant", "x"]), "content": TEXTS | JSON}
    )
    | JSON,
    max_size=3,
)
SAMPLES = st.fixed_dictionaries(
    {"id": TEXTS | JSON},
    optional={
        "messages": MESSAGES | JSON,
        "reference_answer": TEXTS | JSON,
        "metadata": st.fixed_dictionaries({}, optional={"reference_answer": TEXTS | JSON, "tunedrop_grader": JSON})
        | JSON,
        "tunedrop_grader": JSON,
    },
)


PLAIN = [name for name, kind in KINDS.items() if kind.trust is Trust.PLAIN]


def check(kind: str, examples: int) -> None:
    grader = RowGrader.of(kind)

    @settings(max_examples=examples)
    @given(st.lists(SAMPLES | JSON, max_size=3) | JSON)
    def any_batch(event: Any) -> None:
        try:
            answers = grade_batch(event, grader, sample_deadline_seconds=5)
        except BatchError:
            return
        assert len(answers) == len(event)
        for sample, answer in zip(event, answers, strict=True):
            if isinstance(sample, dict) and isinstance(sample.get("id"), str):
                assert answer["id"] == sample["id"]
            assert math.isfinite(answer["aggregate_reward_score"])
            assert 0 <= answer["aggregate_reward_score"] <= 1
            assert all(math.isfinite(metric["value"]) for metric in answer["metrics_list"])
        json.dumps(answers, allow_nan=False)

    any_batch()


@pytest.mark.parametrize("kind", PLAIN)
def test_any_batch_is_answered_sample_by_sample_or_refused(kind: str) -> None:
    check(kind, 30)


@pytest.mark.prove
@pytest.mark.parametrize("kind", PLAIN)
def test_any_of_many_batches_is_answered_sample_by_sample_or_refused(kind: str) -> None:
    check(kind, 3_000)

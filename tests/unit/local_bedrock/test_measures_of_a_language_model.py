"""What a step's rewards come to, by hand."""

from __future__ import annotations

import pytest

from local.language_model.measures import advantages, weighted_mean


def test_advantages_are_deviations_within_each_group_alone() -> None:
    scaled = advantages([1.0, 0.0, 0.0, 1.0, 0.3, 0.3, 0.3, 0.3], 4)
    spread = (1 / 3) ** 0.5  # of 1, 0, 0, 1 with three degrees of freedom
    assert scaled[:4] == pytest.approx([0.5 / spread, -0.5 / spread, -0.5 / spread, 0.5 / spread], rel=1e-3)
    assert scaled[4:] == [0.0] * 4


def test_a_group_of_one_has_no_advantage() -> None:
    assert advantages([0.7], 1) == [0.0]


def test_long_answers_weigh_more() -> None:
    assert weighted_mean([1.0, -1.0], [30, 10]) == 0.5
    assert weighted_mean([1.0], [0]) == 0.0

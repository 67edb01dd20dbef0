"""What a test set of a given size can tell apart."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from tunedrop.evaluation.power import least_detectable, resolution, rows_needed


def test_the_size_of_a_test_set_and_what_it_shows_are_each_others_inverse() -> None:
    for difference in (0.02, 0.05, 0.2):
        rows = rows_needed(difference, 0.3)
        assert least_detectable(rows, 0.3) == pytest.approx(difference, rel=0.01)


def test_the_power_is_what_simulated_test_sets_have() -> None:
    rows, discordant = 300, 0.3
    difference = least_detectable(rows, discordant)
    assert difference is not None
    chance = np.random.default_rng(1)
    differing = chance.binomial(rows, discordant, 20_000)
    gained = chance.binomial(differing, (discordant + difference) / 2 / discordant)
    z = (2 * gained - differing) / np.sqrt(differing)
    seen = np.mean(np.abs(z) > NormalDist().inv_cdf(0.975))
    assert seen == pytest.approx(0.8, abs=0.02)


def test_a_test_set_too_small_for_any_difference_says_so() -> None:
    assert least_detectable(10, 0.3) is None


def test_more_rows_tell_more_apart() -> None:
    found = [least_detectable(rows) for rows in (100, 300, 1319, 20_000)]
    assert all(each is not None for each in found)
    assert sorted(found, key=lambda each: -(each or 0)) == found


@pytest.mark.parametrize(("difference", "discordant"), [(0.0, 0.3), (0.4, 0.3), (0.1, 0.0)])
def test_an_impossible_question_is_refused(difference: float, discordant: float) -> None:
    with pytest.raises(ValueError, match="got"):
        rows_needed(difference, discordant)


def test_the_table_in_the_documentation_is_what_is_computed() -> None:
    page = (Path(__file__).parents[3] / "docs" / "evaluation.md").read_text()
    rows = re.findall(r"^\| ([\d,]+)(?: \(GSM8K\))? \| ([\d.]+) points \|$", page, re.MULTILINE)
    assert len(rows) == 4
    for rows_text, points in rows:
        found = least_detectable(int(rows_text.replace(",", "")))
        assert found is not None
        assert f"{found * 100:.1f}" == points


def test_what_a_test_set_can_show_names_its_assumptions() -> None:
    assert resolution(300) == {
        "rows": 300,
        "assumed_discordant": 0.3,
        "level": 0.05,
        "power": 0.8,
        "least_detectable": pytest.approx(0.088, abs=0.001),
    }
    assert resolution(20)["least_detectable"] is None

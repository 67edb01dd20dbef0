"""A team's quota of active runs: held before anything is started."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tunedrop.api.problems import KINDS, Problem
from tunedrop.api.starting import hold_to_quota
from tunedrop.teams import Team


def hold(active: int, quota: int) -> None:
    resources: Any = SimpleNamespace(runs=SimpleNamespace(count_unfinished=lambda team: {"red": active}[team]))
    settings: Any = SimpleNamespace(team_run_quota=quota)
    hold_to_quota(Team("red"), resources, settings)


def test_a_team_with_as_many_active_runs_as_it_may_have_is_told_its_quota() -> None:
    hold(active=1, quota=2)
    with pytest.raises(Problem, match="Team red has 2 active runs, and may have 2") as refused:
        hold(active=2, quota=2)
    assert KINDS[refused.value.kind][0] == 429

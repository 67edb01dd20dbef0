"""A run goes on from an earlier one of its own team; another team's is as one that is not there."""

from __future__ import annotations

from dataclasses import replace

import boto3
import pytest

from tests.unit.notices.notices_of_all_kinds import RUN
from tunedrop.outcomes import RecipeInvalid
from tunedrop.run.store import RunStore
from tunedrop.training.takeover import earlier_run

HAS_NONE = "this stack has no run 'gsm8k-0123456789abcdef' of your team"


def refusal(store: RunStore, team: str | None) -> str:
    with pytest.raises(RecipeInvalid) as refused:
        earlier_run(store, RUN.run_id, team)
    return str(refused.value)


@pytest.mark.parametrize("team", ["sales", None])
def test_nothing_tells_another_team_s_run_from_one_that_is_not_there(runs_table: str, team: str | None) -> None:
    store = RunStore(boto3.client("dynamodb"), runs_table)
    before = refusal(store, team)
    store.register(replace(RUN, train=None, recipe_document=None))
    assert refusal(store, team) == before
    assert HAS_NONE in before


def test_the_team_itself_is_told_why_its_run_cannot_be_gone_on_from(runs_table: str) -> None:
    store = RunStore(boto3.client("dynamodb"), runs_table)
    store.register(replace(RUN, train=None, recipe_document=None))
    assert "has not ended" in refusal(store, RUN.team)

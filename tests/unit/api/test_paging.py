"""The tokens by which a list of runs goes on."""

from __future__ import annotations

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunedrop.api.paging import key_of, token_of
from tunedrop.api.problems import Problem

KEY = {
    "team": {"S": "red"},
    "started_at": {"S": "2026-01-01T00:00:00.000Z"},
    "run_id": {"S": "gsm8k-0123456789abcdef"},
}


def test_a_token_leads_to_where_the_page_before_ended() -> None:
    assert key_of(token_of(KEY) or "", "red") == KEY
    assert token_of(None) is None


def test_a_token_of_another_team_s_list_stays_in_the_caller_s() -> None:
    assert key_of(token_of(KEY) or "", "blue")["team"] == {"S": "blue"}


@pytest.mark.parametrize(
    "told",
    [
        [],
        ["2026"],
        {"a": 1},
        "text",
        None,
        [1, 2],
        ["", "gsm8k-0123456789abcdef"],
        ["x" * 41, "gsm8k-0123456789abcdef"],
        ["2026", "../x"],
    ],
)
def test_a_token_that_no_list_gave_is_refused(told: object) -> None:
    token = base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")
    with pytest.raises(Problem, match="page-unknown"):
        key_of(token, "red")


@given(st.text(max_size=100))
def test_any_text_is_a_token_or_refused(text: str) -> None:
    with suppress(Problem):
        assert key_of(text, "red")["team"] == {"S": "red"}

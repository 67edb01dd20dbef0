"""A base model that Bedrock has declared legacy is warned of; a look that fails keeps no run waiting."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.unit.notices.notices_of_all_kinds import RUN
from tunedrop.catalog import find
from tunedrop.notices import of_run
from tunedrop.notices.publication import document_of
from tunedrop.run.lifecycle import legacy

QWEN = find("qwen.qwen3-32b")
END = datetime(2027, 3, 1, tzinfo=UTC)


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetFoundationModel")


def control(answers: dict[str, Any]) -> Any:
    """A control plane that answers each id so, and knows no other."""

    def get_foundation_model(modelIdentifier: str) -> Any:
        answer = answers.get(modelIdentifier, refusal("ResourceNotFoundException"))
        if isinstance(answer, Exception):
            raise answer
        return answer

    return SimpleNamespace(get_foundation_model=get_foundation_model)


def lifecycle(**told: Any) -> dict[str, Any]:
    return {"modelDetails": {"modelLifecycle": told}}


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"qwen.qwen3-32b": lifecycle(status="ACTIVE", endOfLifeTime=END)}, None),
        ({"qwen.qwen3-32b": lifecycle(status="LEGACY")}, {"since": "", "ends": ""}),
        (
            {"qwen.qwen3-32b-v1:0": lifecycle(status="LEGACY", endOfLifeTime=END)},
            {"since": "", "ends": "2027-03-01T00:00:00.000Z"},
        ),
        ({}, None),
        ({"qwen.qwen3-32b": {}}, None),
        ({"qwen.qwen3-32b": {"modelDetails": None}}, None),
        ({"qwen.qwen3-32b": refusal("AccessDeniedException")}, None),
        ({"qwen.qwen3-32b": ReadTimeoutError(endpoint_url="https://bedrock")}, None),
    ],
)
def test_what_bedrock_says_of_a_model_s_end_is_kept(answers: dict[str, Any], told: dict[str, str] | None) -> None:
    assert legacy(control(answers), QWEN) == told


@pytest.mark.parametrize(("ends", "says"), [("2027-03-01T00:00:00.000Z", "after 2027-03-01"), ("", "not announced")])
def test_the_first_notice_warns_of_a_legacy_model(ends: str, says: str) -> None:
    document = document_of(of_run.started(replace(RUN, legacy={"since": "", "ends": ends})))
    assert "Bedrock has declared openai.gpt-oss-20b legacy" in document["headline"]
    assert says in document["headline"]
    assert document["legacy"] == {"since": "", "ends": ends}
    assert "legacy" not in document_of(of_run.started(RUN))["headline"]

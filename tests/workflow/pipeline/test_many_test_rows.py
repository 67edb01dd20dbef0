"""A comparison so clear that its p-value is a number which DynamoDB does not hold."""

from __future__ import annotations

import json

import pytest

from embedded_aws.waiting import until
from tests.workflow.pipeline.application import Application, jsonl, rows

LEAST_OF_DYNAMODB = 1e-130


@pytest.mark.prove
@pytest.mark.timeout(1500)
def test_two_thousand_test_rows_end_improved_with_their_p_value(application: Application) -> None:
    files = {"test.jsonl": jsonl(rows(2000, skip=300)), "train.jsonl": jsonl(rows(300))}
    name = application.drop(files)
    until(lambda: application.notices_of(name), f"a notice of {name}", seconds=1200)
    notice = application.end(name)
    assert notice["status"] == "SUCCEEDED", notice["reason"]
    evaluation = notice["evaluation"]
    assert (evaluation["verdict"], evaluation["rows"]) == ("improved", 2000)
    assert 0 < evaluation["p_value"] < LEAST_OF_DYNAMODB
    record = application.record(notice["name"])
    assert record.notice is not None
    assert record.evaluation.document == evaluation
    assert application.report(notice)["evaluation"]["comparison"]["reward"]["p_value"] == evaluation["p_value"]
    assert "p below 0.0001" in json.loads(record.notice["Message"])["email"]

"""Three runs that are evaluated at once, with a quota of tokens that the stack knows: all end well."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from embedded_aws.waiting import until
from tests.workflow.pipeline.application import TEST, TRAIN, Application, jsonl, rows, running

A_MINUTE = 150_000
RECIPE = (
    b"rehearsal: {prompts: 8, samples: 2}\nevaluation: {samples: 4, max_tokens: 200, concurrency: 1}\n"
    b"gates: {least_baseline: 0, least_groups_with_signal: 0}\n"
)


@pytest.fixture(scope="module")
def application() -> Iterator[Application]:
    with running("us-west-2", {"SettleSeconds": 0, "TokensPerMinute": A_MINUTE}) as application:
        yield application


@pytest.mark.prove
@pytest.mark.timeout(1500)
def test_three_runs_share_the_tokens_of_a_minute_and_all_succeed(application: Application) -> None:
    application.stack.bedrock.set_switch("tokens_per_minute", A_MINUTE)
    files = {"test.jsonl": TEST, "recipe.yaml": RECIPE}
    trains = [TRAIN, *(jsonl(rows(100, skip=500 + 100 * number)) for number in (1, 2))]
    names = [application.drop({**files, "train.jsonl": train}) for train in trains]
    for name in names:
        until(lambda name=name: application.notices_of(name), f"the end of {name}", 1000)  # type: ignore[misc]
        notice = application.end(name)
        assert notice["status"] == "SUCCEEDED", notice["reason"]
    dynamodb, table = application.stack.aws.client("dynamodb"), application.stack.resources["ApiTable"]
    item = dynamodb.get_item(TableName=table, Key={"id": {"S": "evaluating/open_weight"}})["Item"]
    ids = {application.record(name).run_id for name in names}
    assert json.loads(item["text"]["S"]).keys() <= ids

"""What an answer leads to, as the OpenAPI document links it: schemathesis goes from answer to answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import FlakyStrategyDefinition
from requests.adapters import HTTPAdapter
from schemathesis import Case
from schemathesis.core.transport import Response

from tests.workflow.api.clients import Client, Service
from tests.workflow.api.documented import CHECKS, DOCUMENT, Signature

RED: dict[str, Any] = {"uri": "s3://shared-data/red/train.jsonl"}
SEQUENCES = 60


@pytest.mark.prove
@pytest.mark.timeout(1800)
def test_every_link_is_followed_and_each_answer_is_as_documented(
    service: Service, red: Client, measured: Callable[[str], None]
) -> None:
    followed: Counter[str] = Counter()
    answered: Counter[int] = Counter()
    begun: list[None] = []
    undocumented: list[Exception] = []
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=0))
    signature = Signature(red)
    machine = schemathesis.openapi.from_dict(deepcopy(DOCUMENT)).as_state_machine()

    class Calls(machine):  # type: ignore[misc,valid-type]
        def setup(self) -> None:
            begun.append(None)

        def before_call(self, case: Case[Any]) -> None:
            if case.operation.definition.raw["operationId"] in ("startRun", "startValidation"):
                dataset = case.body.get("dataset") if isinstance(case.body, dict) else None
                linked = isinstance(dataset, dict) and "upload_id" in dataset
                case.body = {"dataset": dataset if linked else RED}
                if case.operation.definition.raw["operationId"] == "startRun":
                    case.body["name"] = "held by a link"  # such a run stays where it is

        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            return {"base_url": red.url, "session": session, "auth": signature}

        def after_call(self, response: Response, case: Case[Any]) -> None:
            answered[response.status_code] += 1
            followed[str(case.operation.definition.raw["operationId"])] += 1

        def validate_response(self, response: Response, case: Case[Any], **_: Any) -> None:
            try:
                case.validate_response(response, checks=CHECKS)
            except Exception as failure:
                undocumented.append(failure)
                raise

    while (left := SEQUENCES - len(begun)) > 0:
        # What can be asked next depends on the answers, and these on how far the runs of the service are. Where the
        # same draws lead elsewhere than before, Hypothesis ends; the sequences that are left are then drawn anew.
        with suppress(FlakyStrategyDefinition):
            Calls.run(
                settings=settings(
                    max_examples=left,
                    stateful_step_count=12,
                    deadline=None,
                    database=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
            )
        assert undocumented == []
    operations = {operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()}
    linked = {
        link["operationId"]
        for path in DOCUMENT["paths"].values()
        for operation in path.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    }
    assert linked <= operations
    assert linked <= followed.keys(), "each operation that a link leads to was asked"
    assert {200, 202, 409} <= answered.keys()
    statuses = ", ".join(f"{count} x {status}" for status, count in sorted(answered.items()))
    measured(f"schemathesis, stateful: {sum(answered.values())} requests, each answered as documented ({statuses})")

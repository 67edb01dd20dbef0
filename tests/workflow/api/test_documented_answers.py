"""Whatever is asked, the API answers as its OpenAPI document says: schemathesis asks, signed as every client does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

from tests.workflow.api.clients import Client, Service
from tests.workflow.api.documented import CHECKS, DOCUMENT, Signature

RED: dict[str, Any] = {"uri": "s3://shared-data/red/train.jsonl"}
OPERATIONS = 15
"""As many as the document has; a test in tests/unit/api holds the template to it."""

REQUESTS = 5000
"""In prove, at the least."""
FEW = 2
"""In `make test`, of every other operation."""


def known(case: Case[Any], draw: Callable[[st.SearchStrategy[Any]], Any], runs: list[str], validation_id: str) -> None:
    """Give some of the cases something that is there: made up alone, no id would be one."""
    if not draw(st.booleans()):
        return
    parameters = case.path_parameters or {}
    if "run_id" in parameters:
        case.path_parameters = {**parameters, "run_id": draw(st.sampled_from(runs))}
    if "validation_id" in parameters:
        case.path_parameters = {**parameters, "validation_id": validation_id}
    if isinstance(case.body, dict) and "bytes" not in case.body:
        case.body = {**case.body, "dataset": RED}
        case.body.pop("test", None)
        if isinstance(case.body.get("name"), str):
            case.body["name"] = f"held{case.body['name']}"[:100]  # such a run stays where it is


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("examples", [FEW, pytest.param(REQUESTS // OPERATIONS + 1, marks=pytest.mark.prove)])
def test_whatever_is_asked_is_answered_as_documented(
    service: Service, red: Client, measured: Callable[[str], None], examples: int
) -> None:
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    runs = [red.start({"name": "held", "dataset": RED}).json["run_id"] for _ in range(2)]
    validation_id = red.ask("POST", "/validations", {"dataset": RED}).json["validation_id"]
    answered: Counter[int] = Counter()
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=0))
    signature = Signature(red)

    def ask_for(operation: Any) -> None:
        of_either_kind = st.one_of(
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
            operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        )

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=examples == FEW,  # `make test` asks the same each time, prove what it has not asked yet
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=of_either_kind, data=st.data())
        def ask(case: Case[Any], data: st.DataObject) -> None:
            known(case, data.draw, runs, validation_id)
            answer = case.call_and_validate(red.url, session=session, auth=signature, checks=CHECKS)
            answered[answer.status_code] += 1

        ask()

    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == OPERATIONS
    asked = operations if examples > FEW else operations[1::2]
    for operation in asked:
        ask_for(operation)
    assert sum(answered.values()) >= min(REQUESTS, examples * len(asked) // 2)
    assert {200, 202, 404, 422} <= answered.keys()
    statuses = ", ".join(f"{count} x {status}" for status, count in sorted(answered.items()))
    measured(f"schemathesis: {sum(answered.values())} requests, each answered as documented ({statuses})")

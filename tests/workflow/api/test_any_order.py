"""Requests and uploads in any order: whatever came before, each answer is what a list of what was asked for says."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from embedded_aws.waiting import until
from tests.workflow.api.clients import Service

BROKEN = b'{"messages": []}\n'


class AnyOrder(RuleBasedStateMachine):
    """Runs of the team red by both ways; `expected` holds what each must end as, None where it goes on."""

    service: Service

    runs = Bundle("runs")
    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.red, self.blue = self.service.red, self.service.blue
        self.expected: dict[str, str | None] = {}
        self.bodies: dict[str, dict[str, Any]] = {}
        self.of_key: dict[str, str] = {}
        self.upload_id = self.red.upload(BROKEN)
        self.marker = uuid.uuid4().hex[:8]
        self.uploads = 0

    @rule(target=keys)
    def a_new_key(self) -> str:
        return uuid.uuid4().hex

    @rule(target=runs, key=keys, held=st.booleans())
    def start(self, key: str, held: bool) -> Any:
        """A key starts one run, however often it comes with the same body, and never another with a different one."""
        name = f"{'held' if held else 'ends'}-{self.marker}-{key[:6]}"
        dataset = {"upload_id": self.upload_id}
        body = self.bodies.setdefault(key, {"name": name, "dataset": dataset})
        answer = self.red.start(body, key)
        assert answer.status == 202, answer.body
        run_id: str = answer.json["run_id"]
        known = self.of_key.setdefault(key, run_id)
        assert known == run_id, "a key that comes again is the same run"
        if body["name"] != name:
            other = self.red.start({**body, "name": name}, key)
            assert other.status in (409, 422), other.body
        if run_id in self.expected:
            return multiple()
        self.expected[run_id] = None if body["name"].startswith("held") else "REJECTED"
        return run_id

    @rule(times=st.integers(1, 2))
    def upload_to_the_inbox(self, times: int) -> None:
        """An upload is a run, and each version of it another; an event that comes twice is none."""
        self.uploads += 1
        name = f"red-{self.marker}-{self.uploads}"
        client, bucket = self.service.stack.aws.client("s3"), self.service.stack.outputs["DatasetBucketName"]
        for number in range(times):
            client.put_object(Bucket=bucket, Key=f"inbox/{name}/train.jsonl", Body=BROKEN + b"\n" * number)
        self.service.stack.aws.dispatch.settle()
        for run in until(lambda: self._listed(name, times), f"{times} runs of {name}"):
            self.expected[run["run_id"]] = "REJECTED"

    @rule(run_id=consumes(runs))
    def stop(self, run_id: str) -> None:
        """What goes on is cancelled; what has ended says so."""
        answer = self.red.ask("POST", f"/runs/{run_id}/stop")
        assert answer.status in (202, 409), answer.body
        if self.expected[run_id] is None:
            assert answer.status == 202
            self.expected[run_id] = "CANCELLED"
        else:
            ended = self.service.ended(self.red, run_id)["status"]
            assert ended in ("REJECTED", "CANCELLED")
            self.expected[run_id] = ended

    @rule(run_id=runs)
    def end(self, run_id: str) -> None:
        if self.expected[run_id] is not None:
            assert self.service.ended(self.red, run_id)["status"] == self.expected[run_id]

    @rule(run_id=runs)
    def another_team_sees_nothing(self, run_id: str) -> None:
        for method, path in (("GET", ""), ("GET", "/report"), ("POST", "/stop")):
            assert self.blue.ask(method, f"/runs/{run_id}{path}").status == 404

    @invariant()
    def held_runs_go_on(self) -> None:
        for run_id, expected in self.expected.items():
            if expected is None:
                assert self.red.get(f"/runs/{run_id}")["status"] == "RUNNING"

    def teardown(self) -> None:
        """In the end every run is in the list once, as expected, and was told once."""
        for run_id, expected in self.expected.items():
            if expected is None:
                assert self.red.ask("POST", f"/runs/{run_id}/stop").status == 202
                expected = "CANCELLED"  # noqa: PLW2901 - what goes on is stopped
            assert self.service.ended(self.red, run_id)["status"] == expected
            notices = until(lambda: self.service.told(run_id=run_id, event="run_ended"), f"the notice of {run_id}")  # noqa: B023 - called at once
            assert {notice["status"] for notice in notices} == {expected}
            assert len({notice["notice_id"] for notice in notices}) == 1
        listed = [run["run_id"] for run in self._all() if self.marker in run["name"]]
        assert sorted(listed) == sorted(self.expected)

    def _listed(self, name: str, times: int) -> list[dict[str, Any]] | None:
        found = [run for run in self._all() if run["name"] == name]
        return found if len(found) == times else None

    def _all(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        following = ""
        while True:
            page = self.red.get(f"/runs?limit=100{following}")
            found += page["runs"]
            if page["next"] is None:
                return found
            following = f"&page={page['next']}"


@pytest.mark.prove
def test_requests_and_uploads_in_any_order_leave_what_was_asked_for(service: Service) -> None:
    AnyOrder.service = service
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=12, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )

"""A team's quota of active runs holds however many of its programs start a run at the same moment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.stack import LocalStack
from tests.workflow.api.clients import Service
from tunedrop_client import Client, Problem
from tunedrop_client.places import Place

STARTS, QUOTA = 24, 5
DATASET = "s3://shared-data/train.jsonl"


@pytest.mark.prove
def test_of_24_starts_at_once_5_go_through_where_5_are_allowed() -> None:
    parameters = {"SettleSeconds": 0, "TeamRunQuota": QUOTA, "SourceObjects": "arn:aws:s3:::shared-data/*"}
    with LocalStack(stepped_schedules=True, parameters=parameters) as stack:
        service = Service(stack, "")
        service.hold()
        credentials = service.client("caller").credentials
        assert credentials is not None
        place = Place(stack.api_url, stack.region, credentials)
        gate = threading.Barrier(STARTS)
        refused: list[tuple[str, int]] = []

        def start(number: int) -> str:
            client = Client(place=place)
            gate.wait()
            try:
                return client.start(f"held-{number}", DATASET)["run_id"]
            except Problem as problem:
                refused.append((problem.kind, problem.document["quota"]))
                return ""

        with ThreadPoolExecutor(STARTS) as pool:
            started = [run_id for run_id in pool.map(start, range(STARTS)) if run_id]
        client = Client(place=place)
        assert len(set(started)) == len(started) == QUOTA
        assert refused == [("too-many-runs", QUOTA)] * (STARTS - QUOTA)
        assert sorted(run["run_id"] for run in client.runs()) == sorted(started)
        with pytest.raises(Problem, match="has 5 active runs and may have 5"):
            client.start("held-again", DATASET)

        client.stop(started[0])
        client.wait(started[0], every=0.2)
        assert client.start("held-next", DATASET)["status"] == "RUNNING"
        with pytest.raises(Problem, match="may have 5"):
            client.start("held-one-too-many", DATASET)
        assert stack.refused == []

"""Thirty datasets of three teams dropped at once, where two may train: all succeed, and no team waits for another's."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from embedded_aws.waiting import until
from local.command.subscriber import subscribe
from local.stack import LocalStack
from tests.workflow.pipeline.application import QUICK, Application, jsonl, rows
from tunedrop.run.record import RunRecord

QUOTA = 2
DROPS = {"red": 20, "blue": 5, "green": 5}
TEAMS = '{"red": {"names": ["red-"]}, "blue": {"names": ["blue-"]}, "green": {"names": ["green-"]}}'
RECIPE = b"rehearsal: {prompts: 2, samples: 2}\ngates: {least_groups_with_signal: 0, most_step_seconds: 900}\n"
TEST = jsonl(rows(10, skip=400))
PATIENCE_SECONDS = 3000
"""A loaded machine takes its time; nothing here is about speed."""


@contextmanager
def deployed(folder: Path, jobs_at_once: int) -> Iterator[Application]:
    """A stack of three teams, whose Bedrock takes two jobs and no more."""
    parameters = {"Teams": TEAMS, "JobsAtOnce": jobs_at_once, "SettleSeconds": 0}
    switches = {**QUICK, "step_seconds": 0.02, "jobs_quota": QUOTA}
    with LocalStack(folder=folder, parameters=parameters, switches=switches, warm_limit=48) as stack:
        clients = stack.aws.client("sqs"), stack.aws.client("sns")
        yield Application(stack, subscribe(*clients, stack.outputs["NoticesTopicArn"], "everything"))


class Gauge:
    """Counts the jobs that have not ended, again and again; `most` is the largest number seen."""

    def __init__(self, stack: LocalStack) -> None:
        self.most = 0
        self._client = OpenAI(base_url=stack.bedrock.base_url, api_key=stack.bedrock.api_key())
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._over.wait(0.3):
            live = [job for job in self._client.fine_tuning.jobs.list(limit=100) if job.finished_at is None]
            self.most = max(self.most, len(live))

    def __enter__(self) -> Gauge:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._client.close()


def passed_by_red(of: RunRecord, records: list[RunRecord]) -> tuple[int, int]:
    """How many runs of red had their turn while this one waited, and how many of its own team."""
    began, ended = of.reached["RehearseGrader"], of.reached["SubmitJob"]
    turns = Counter(str(each.team) for each in records if began < each.reached["SubmitJob"] < ended)
    return turns["red"], turns[str(of.team)]


def refusals(stack: LocalStack) -> int:
    """How often Bedrock had no room for a job that a run with a slot asked for."""
    logs = (stack.folder / "aws/logs").rglob("*.log")
    return sum(path.read_text(errors="replace").count('"message":"full"') for path in logs)


@pytest.mark.prove
@pytest.mark.timeout(PATIENCE_SECONDS + 300)
@pytest.mark.parametrize("jobs_at_once", [QUOTA, 0], ids=["told", "learnt"])
def test_thirty_runs_of_three_teams_share_two_jobs(tmp_path: Path, jobs_at_once: int) -> None:
    with deployed(tmp_path, jobs_at_once) as application, Gauge(application.stack) as gauge:
        began = time.monotonic()
        names = [f"{team}-{number}" for team, count in DROPS.items() for number in range(count)]
        for number, name in enumerate(names):
            train = jsonl(rows(100, skip=number))
            application.drop({"test.jsonl": TEST, "recipe.yaml": RECIPE, "train.jsonl": train}, name=name)
        until(lambda: all(application.notices_of(name) for name in names), "all notices", PATIENCE_SECONDS)
        took = time.monotonic() - began
        records: list[RunRecord] = [application.record(name) for name in names]
        for record in records:
            assert str(record.status) == "SUCCEEDED", record.reason
        assert len({record.job_id for record in records}) == len(names)
        assert gauge.most <= QUOTA
        refused = refusals(application.stack)
        if jobs_at_once:
            assert refused == 0, "who has a slot is not refused"
        else:
            assert refused > 0, "nothing was learnt"
        order = sorted(records, key=lambda each: each.reached["SubmitJob"])
        passed: dict[str, list[tuple[int, int]]] = {
            team: [passed_by_red(each, records) for each in records if each.team == team] for team in ("blue", "green")
        }
        how = "told" if jobs_at_once else "learnt"
        sys.stdout.write(
            f"\n{len(names)} runs of {len(DROPS)} teams, {QUOTA} jobs at once ({how}): "
            f"all SUCCEEDED in {took:.0f} s, most jobs {gauge.most}, refused {refused}\n"
            f"order of turns: {' '.join(str(each.team)[0] for each in order)}\n"
            + "".join(
                f"{team}: turns of red while a run of it waited: {sorted(red for red, _ in told)}\n"
                for team, told in passed.items()
            )
        )
        for told in passed.values():
            for red, own in told:
                assert red <= 2 * (own + 1) + QUOTA, "a team waited for another's backlog"
        assert left_in_queue(application) == {"slots": {}, "waiting": {}}


def left_in_queue(application: Application) -> dict[str, Any]:
    table = application.stack.resources["ApiTable"]
    key = {"id": {"S": "queue/open_weight"}}
    item = application.stack.aws.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
    line = json.loads(item["text"]["S"])
    return {name: line[name] for name in ("slots", "waiting")}

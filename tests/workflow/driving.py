"""Takes one of `tests/driven_runs.py` from its start to its notice, and holds the notice to what it must say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from embedded_aws.waiting import until
from local.bedrock.switches import Switches
from tests.driven_deployments import ACCOUNT, SOURCES
from tests.driven_runs import EARLIER_MODEL, EARLIER_RUN, EXAMPLES, OWN_GRADER, DrivenRun, named
from tests.told_decisions import told_decisions
from tests.workflow.api.clients import Service
from tests.workflow.pipeline.application import QUICK, Application, jsonl, rows
from tunedrop import catalog
from tunedrop.catalog import Family
from tunedrop.run.folder import RunFolder

PATIENCE_SECONDS = 900
"""How long a run may take on a machine that does much else."""
CALLER = "red-pipeline"
REASON = "the flipped rows 3 & 7 are größer"
"""What a person gives as the reason of a decision."""
SHORT = 200  # characters of a question

GRADER = """
import re

def handler(event, context):
    return [{"id": each["id"], "aggregate_reward_score": grade(each), "metrics_list": []} for each in event]

def grade(sample):
    told = sample.get("metadata", sample)["reference_answer"]
    reference = (told["text"] if isinstance(told, dict) else told).rpartition("#### ")[2]
    answers = re.findall(r"#### *(-?[0-9.,]*[0-9])", sample["messages"][-1]["content"])
    return 1.0 if answers[-1:] == [reference] else -1.0
"""


class Driver:
    """Drives the runs of one application, each once: another one may go on from it."""

    def __init__(self, application: Application, runs: tuple[DrivenRun, ...]) -> None:
        self._application = application
        self._runs = {run.name: run for run in runs}
        self._begun: set[str] = set()
        self._ended: dict[str, dict[str, Any]] = {}

    def drive(self, run: DrivenRun) -> dict[str, Any]:
        """The terminal notice of the run; the run that it goes on from is driven before.

        Raises AssertionError where the run does not end as it must.
        """
        if run.name not in self._ended:
            assert run.name not in self._begun, f"{run.name} has been driven before, and did not end as it must"
            self._begun.add(run.name)
            earlier = self.drive(self._runs[run.after]) if run.after else {}
            recipe = self._filled_in(run.recipe, earlier)
            name = f"{run.name}-{uuid.uuid4().hex[:6]}"
            self._switch(run.switches)
            try:
                self._start(run, name, recipe, earlier)
                until(lambda: self._application.notices_of(name), f"the notice of {name}", PATIENCE_SECONDS)
                notice = self._application.end(name)
            finally:
                self._switch({each: QUICK.get(each, getattr(Switches(), each)) for each in run.switches})
            hold(run, notice)
            self._application.report(notice)
            self._hold_record(name, recipe or {})
            self._hold_promotion(run, notice)
            self._ended[run.name] = notice
        return self._ended[run.name]

    def _switch(self, switches: Mapping[str, Any]) -> None:
        for name, value in switches.items():
            self._application.stack.bedrock.set_switch(name, value)

    def _filled_in(self, recipe: Mapping[str, Any] | None, earlier: Mapping[str, Any]) -> dict[str, Any] | None:
        """The recipe as it is dropped, with what only this application knows."""
        if recipe is None:
            return None
        text = json.dumps(recipe)
        if OWN_GRADER in text:
            text = text.replace(OWN_GRADER, self._application.publish_grader("driven", GRADER))
        text = text.replace(EARLIER_RUN, earlier.get("run_id", "")).replace(
            EARLIER_MODEL, earlier.get("tuned_model", "")
        )
        filled: dict[str, Any] = json.loads(text)
        return filled

    def _start(self, run: DrivenRun, name: str, recipe: Mapping[str, Any] | None, earlier: Mapping[str, Any]) -> None:
        files = _files(run)
        if not run.call:
            if recipe is not None:
                written = json.dumps(recipe) if run.recipe_as.endswith("json") else yaml.safe_dump(recipe)
                files[run.recipe_as] = written.encode()
            self._application.drop(files, name)
            return
        stack = self._application.stack
        client = Service(stack, self._application.queue_url).client(CALLER)
        body: dict[str, Any] = {"name": name} if recipe is None else {"name": name, "recipe": recipe}
        if run.call == "none":
            body["resumes"] = earlier["run_id"]
        for field, file_name in (("dataset", "train.jsonl"), ("test", "test.jsonl")):
            if run.call == "upload":
                body[field] = {"upload_id": client.upload(files[file_name])}
            elif run.call == "uri":
                key = f"red/{name}/{file_name}"
                stack.aws.client("s3").put_object(Bucket=SOURCES, Key=key, Body=files[file_name])
                stack.bedrock.teach(files[file_name])
                body[field] = {"uri": f"s3://{SOURCES}/{key}"}
        answer = client.start(body)
        assert answer.status == 202, answer.body

    def _hold_record(self, name: str, recipe: Mapping[str, Any]) -> None:
        """The run used what the recipe says, to the last digit."""
        used = dict(named(self._application.record(name).recipe_document or {}))
        for path, value in named(recipe):
            assert used[path] == value, path

    def _hold_promotion(self, run: DrivenRun, notice: Mapping[str, Any]) -> None:
        """A person decides where one is asked, and the model is where the recipe wants it, or is not."""
        if run.decide:
            self._decide(run, notice)
        if run.decide == "reject" or not (run.decide or notice["promotion"]["done"]):
            return
        parameter = notice["promotion"]["parameter"]
        found = self._application.stack.aws.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]
        assert found == notice["tuned_model"]
        (told,) = told_decisions(self._folder(notice["run_id"]))
        assert told["what"] == ("approved" if run.decide else "promoted")
        assert notice["promotion"]["decisions"] == ([] if run.decide else [told])

    def _decide(self, run: DrivenRun, notice: Mapping[str, Any]) -> None:
        """Decide by the command, and look for it where it must be: record, files, one notice, the command itself."""
        application, name, outcome = self._application, notice["name"], {"approve": "done", "reject": "rejected"}
        until(lambda: application.record(name).approval_token, "the question to a person")
        said = self._command(run, run.decide, notice["run_id"], "--reason", REASON)
        assert said == f"The promotion of run {notice['run_id']} is {run.decide.removesuffix('e')}ed.\n"
        until(lambda: application.record(name).promotion == outcome[run.decide], "the promotion")

        def told() -> list[Any]:
            application.notices_of(name)
            return [
                each for each in application.warnings if (each["event"], each["name"]) == ("promotion_decided", name)
            ]

        (decided,) = until(told, f"what is told of the decision about {name}")
        (decision,) = told_decisions(self._folder(notice["run_id"]))
        assert decided["decisions"] == [decision]
        assert (decision["what"], decision["by"], decision["reason"]) == (
            f"{run.decide.removesuffix('e')}ed",
            f"arn:aws:iam::{ACCOUNT}:role/{run.decider}",
            REASON,
        )
        shown = self._command(run, "watch", notice["run_id"], "--plain")
        assert f"{decision['what'].capitalize()} by {decision['by']}" in shown, shown
        assert REASON in shown

    def _command(self, run: DrivenRun, *words: str) -> str:
        """What the command `tunedrop` prints for a role that may call the API, and nothing else."""
        stack = self._application.stack
        client = Service(stack, self._application.queue_url).client(run.decider)
        assert client.credentials is not None
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "NO_PROXY") if name in os.environ},
            "AWS_REGION": stack.region,
            "AWS_ACCESS_KEY_ID": client.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": client.credentials.secret_key,
            "AWS_SESSION_TOKEN": str(client.credentials.token),
        }
        asked = [str(Path(sys.executable).with_name("tunedrop")), *words, "--api", client.url]
        done = subprocess.run(asked, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _folder(self, run_id: str) -> RunFolder:
        stack = self._application.stack
        return RunFolder(stack.aws.client("s3"), stack.outputs["RunsBucketName"], run_id)


def hold(run: DrivenRun, notice: Mapping[str, Any]) -> None:
    """Hold the notice to what the run must end as, and to what each run of its kind tells."""
    assert notice["status"] == run.status, notice["reason"]
    assert (notice["reason"] or {}).get("error", "") == run.error, notice["reason"]
    if run.verdict:
        assert notice["evaluation"]["verdict"] == run.verdict, notice["evaluation"]
        assert notice["evaluation"]["suspected_reward_hacking"] is False
    for path, value in run.shows.items():
        assert at(notice, path) == value, (path, notice[path.partition(".")[0]])
    assert notice["execution_arn"].split(":")[3] == run.deployment.region
    if run.status != "SUCCEEDED" or notice["training"] is None:
        return
    assert notice["training"]["simulated"] is True
    if catalog.find(notice["base_model"]).family is Family.OPEN_WEIGHT:
        assert notice["training"]["steps"] > 0
        return
    assert notice["training"]["steps"] is None, "Nova tells no steps"
    assert notice["training"]["job_id"].split(":")[2:4] == ["bedrock", run.deployment.region]
    kept = bool((run.recipe or {}).get("cleanup", {}).get("keep_deployment"))
    released = [each["how"] for each in notice["released"] if ":custom-model-deployment/" in each["id"]]
    assert released == ([] if kept else ["deployment deleted"])


def at(document: Any, path: str) -> Any:
    """The value at a path of fields with dots between them."""
    for part in path.split("."):
        document = document[part]
    return document


def _files(run: DrivenRun) -> dict[str, bytes]:
    if run.example:
        return {name: (EXAMPLES / run.example / name).read_bytes() for name in ("train.jsonl", "test.jsonl")}
    files = {"train.jsonl": jsonl(_with_length(rows(run.train)))}
    if run.test:
        files["test.jsonl"] = jsonl(_with_length(rows(run.test, skip=run.train)))
    return files


def _with_length(of: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with a field to slice by."""
    return [{**row, "length": "short" if len(row["messages"][0]["content"]) < SHORT else "long"} for row in of]

"""Runs by the API: started once, found at once, followed, stopped, and none lost."""

from __future__ import annotations

import json
import math
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import tunedrop_client
from embedded_aws.calls import CallRefused
from embedded_aws.waiting import until
from tests.refused_recipes import REFUSED
from tests.workflow.api.clients import Client, Service
from tests.workflow.pipeline.application import TEST, TRAIN
from tunedrop import clock
from tunedrop.api.resolver import TAKE_A_BODY
from tunedrop_client.places import Place

RED = {"uri": "s3://shared-data/red/train.jsonl"}
RECIPE = {"rehearsal": {"prompts": 8, "samples": 4}}
AT_A_TIME = 12
"""Each request at the same moment has a function of its own, which begins on this machine's processors. Fifty that
begin at once on two busy ones are all cut off by the gateway, after 29 s."""


@pytest.mark.prove
def test_a_run_from_uploads_shows_all_of_itself_and_another_goes_on_from_it(service: Service, red: Client) -> None:
    dataset, test = ({"upload_id": red.upload(content)} for content in (TRAIN, TEST))
    asked = {"name": "by call ü", "dataset": dataset, "test": test, "recipe": RECIPE, "labels": {"for": "test"}}
    answer = red.start(asked)
    assert answer.status == 202, answer.body
    assert answer.json["url"] == f"/runs/{answer.json['run_id']}"
    assert answer.headers["Location"] == f"/v1{answer.json['url']}"
    run_id = answer.json["run_id"]
    run = service.ended(red, run_id)
    assert (run["status"], run["team"], run["labels"]) == ("SUCCEEDED", "red", {"for": "test"}), run["reason"]
    assert run["dataset"]["test_uri"].endswith(f"/uploads/red/{test['upload_id']}/data.jsonl")
    assert run["training"]["latest"]["step"] == run["training"]["steps"]
    assert run["evaluation"]["rows"] == 20

    first = red.get(f"/runs/{run_id}/metrics?limit=3")
    rest = red.get(f"/runs/{run_id}/metrics?after={first['next_after']}")
    steps = [each["step"] for each in first["steps"] + rest["steps"]]
    assert steps == list(range(1, run["training"]["steps"] + 1))
    assert rest["next_after"] is None

    findings = red.get(f"/runs/{run_id}/findings")
    assert json.loads(fetch(findings["dataset_link"]))["findings"] == findings["dataset"]
    rehearsal = json.loads(fetch(findings["rehearsal_link"]))
    assert (rehearsal["findings"], len(rehearsal["groups"])) == (findings["rehearsal"], rehearsal["prompts"])
    assert [each["run_id"] for each in red.get("/runs?search=call%20%C3%BC")["runs"]] == [run_id]
    assert red.get("/runs?search=no-such-name") == {"runs": [], "next": None}
    report = red.get(f"/runs/{run_id}/report")
    assert json.loads(fetch(report["json_document"]))["run_id"] == run_id
    assert fetch(report["page"]).startswith(b"<!doctype html>")

    ended = red.ask("POST", f"/runs/{run_id}/stop")
    assert (ended.status, ended.problem) == (409, "run-ended")
    (notice,) = until(lambda: service.told(run_id=run_id, event="run_ended"), "the notice")
    assert (notice["team"], notice["name"]) == ("red", "by call ü")

    # Without a dataset of its own, it takes the earlier one's, with the job and the model that came of it.
    second = service.ended(red, red.start({"name": "second", "resumes": run_id}).json["run_id"])
    assert second["status"] == "SUCCEEDED", second["reason"]
    assert (second["tuned_model"], second["training"]["job_id"]) == (run["tuned_model"], run["training"]["job_id"])


def fetch(link: str) -> bytes:
    """What lies behind a link that anyone may open for a while."""
    url, _, path = link.partition("/tunedrop")
    answer = Client(url).ask("GET", f"/tunedrop{path}")
    assert answer.status == 200, answer.body
    return answer.body


def test_a_stopped_run_is_cancelled_and_says_by_whom(service: Service, red: Client) -> None:
    service.hold_at("ValidateDataset")
    run_id = red.start({"name": "stop me", "dataset": {"upload_id": red.upload(TRAIN)}}).json["run_id"]
    until(lambda: red.get(f"/runs/{run_id}")["state"] == "ResolveInputs", "the inputs")
    stopped = red.ask("POST", f"/runs/{run_id}/stop")
    assert stopped.status == 202, stopped.body
    run = service.ended(red, run_id)
    assert run["status"] == "CANCELLED"
    assert ":assumed-role/red-pipeline/" in run["reason"]["message"]
    assert red.ask("POST", f"/runs/{run_id}/stop").status == 202, "a second time changes nothing"


def test_a_run_that_waits_for_no_approval_can_be_neither_approved_nor_rejected(red: Client) -> None:
    run_id = red.start({"name": "held", "dataset": RED}).json["run_id"]
    for decision in ("approve", "reject"):
        answer = red.ask("POST", f"/runs/{run_id}/{decision}")
        assert (answer.status, answer.problem) == (409, "no-approval-wanted")
    early = red.ask("GET", f"/runs/{run_id}/report")
    assert (early.status, early.problem) == (409, "not-ready")


@pytest.mark.prove
def test_a_run_that_the_api_registered_and_did_not_start_is_started_by_the_sweeper(
    service: Service, red: Client
) -> None:
    # Until accept() below: the end of an earlier test's run may start an execution in these moments, too.
    service.stack.aws.calls.refuse("states", "StartExecution", CallRefused("InternalError", "down", 500), times=10_000)
    key, body = uuid.uuid4().hex, {"name": "orphan", "dataset": {"upload_id": red.upload(b"{}\n")}}
    refused = red.start(body, key)
    assert (refused.status, refused.problem) == (503, "unavailable")
    service.stack.aws.calls.accept()
    (run,) = red.get("/runs?name=orphan")["runs"]
    table = service.stack.outputs["RunsTableName"]
    service.stack.aws.client("dynamodb").update_item(
        TableName=table,
        Key={"run_id": {"S": run["run_id"]}},
        UpdateExpression="SET started_at = :earlier",
        ExpressionAttributeValues={":earlier": {"S": clock.seconds_from_now(-120)}},
    )
    swept = service.stack.aws.client("lambda").invoke(FunctionName=service.stack.resources["SweepRuns"], Payload=b"{}")
    assert "FunctionError" not in swept
    assert service.ended(red, run["run_id"])["status"] == "REJECTED"


@pytest.mark.prove
def test_fifty_identical_requests_twelve_at_a_time_are_one_run(service: Service, red: Client) -> None:
    name, key = f"held-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    assert red.credentials is not None
    place = Place(red.url, red.region, red.credentials)
    gate = threading.Barrier(AT_A_TIME)

    def start(number: int) -> str:
        client = tunedrop_client.Client(place=place)
        if number < AT_A_TIME:
            gate.wait()
        run_id = client.start(name, RED["uri"], key=key)["run_id"]
        assert client.run(run_id)["name"] == name, "whichever request was first, the run is there"
        return run_id

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        (run_id,) = set(pool.map(start, range(50)))
    assert [run["run_id"] for run in red.get(f"/runs?name={name}")["runs"]] == [run_id]
    listed = service.stack.aws.client("stepfunctions").list_executions(
        stateMachineArn=service.stack.outputs["PipelineArn"], maxResults=1000
    )["executions"]
    assert [each["name"] for each in listed if each["name"] == run_id] == [run_id]


def test_the_same_key_with_another_body_is_refused_and_starts_nothing(red: Client) -> None:
    key, name = uuid.uuid4().hex, f"held-{uuid.uuid4().hex[:8]}"
    first = red.start({"name": "held", "dataset": RED}, key)
    again = red.start({"dataset": RED, "name": "held"}, key)
    assert again.json["run_id"] == first.json["run_id"], "the order of members makes no difference"
    other = red.start({"name": name, "dataset": RED}, key)
    assert (other.status, other.problem) == (409, "idempotency-key-reused")
    assert other.json["run_id"] == first.json["run_id"]
    assert red.get(f"/runs?name={name}")["runs"] == []


@pytest.mark.parametrize("count", [12, pytest.param(200, marks=pytest.mark.prove)])
def test_of_many_requests_none_is_lost_and_each_run_is_there_at_once(
    red: Client, measured: Callable[[str], None], count: int
) -> None:
    name = f"held-{uuid.uuid4().hex[:8]}"
    seconds: list[float] = []

    def start(_: int) -> str:
        began = time.monotonic()
        answer = red.start({"name": name, "dataset": RED})
        seconds.append(time.monotonic() - began)
        assert answer.status == 202, answer.body
        found = red.ask("GET", answer.json["url"])
        assert found.status == 200, found.body
        return str(answer.json["run_id"])

    with ThreadPoolExecutor(8) as pool:
        started = set(pool.map(start, range(count)))
    assert len(started) == count
    listed: set[str] = set()
    page = ""
    while True:
        answer = red.get(f"/runs?name={name}&limit=100{page}")
        listed |= {run["run_id"] for run in answer["runs"]}
        if answer["next"] is None:
            break
        page = f"&page={answer['next']}"
    assert listed == started
    p95 = sorted(seconds)[math.ceil(0.95 * count) - 1]
    measured(f"POST /runs: {count} requests with keys of their own, 8 at a time, on this machine: p95 {p95:.3f} s")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"name": "x"}, "request-invalid"),
        ({"name": "x", "dataset": RED, "more": 1}, "request-invalid"),
        ({"name": "\x00", "dataset": RED}, "request-invalid"),
        ({"name": "x", "dataset": {"uri": "https://example.org"}}, "request-invalid"),
        ({"name": "x", "dataset": RED, "recipe": {"modle": "x"}}, "recipe-invalid"),
        ({"name": "x", "dataset": RED, "recipe": {"grader": {"kind": "math", "options": {"x": 1}}}}, "recipe-invalid"),
        ({"name": "x", "dataset": RED, "recipe": "not-there"}, "recipe-invalid"),
        ({"name": "x", "dataset": RED, "recipe": {"gates": {"level": 10**400}}}, "recipe-invalid"),
        ({"name": "x", "dataset": RED, "recipe": {"x": "\ud800"}}, "recipe-invalid"),
        ({"name": "x", "dataset": RED, "resumes": "gsm8k-0000000000000000"}, "recipe-invalid"),
        ({"name": "x", "resumes": "gsm8k-0000000000000000"}, "recipe-invalid"),
        ({"name": "x", "dataset": {"upload_id": "0" * 32}}, "upload-unknown"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_reason(red: Client, body: dict[str, Any], problem: str) -> None:
    answer = red.start(body)
    assert (answer.status, answer.problem) == (422, problem)
    assert answer.json["detail"]


def test_a_recipe_that_no_run_can_have_is_refused_in_the_words_of_a_drop(red: Client) -> None:
    sent = {what: text for what, (name, text, _) in REFUSED.items() if name == "recipe.json" and text[:1] == b"{"}
    for what, recipe in sent.items():
        body = b'{"name": "x", "dataset": {"uri": "s3://shared-data/red/train.jsonl"}, "recipe": ' + recipe + b"}"
        answer = red.ask("POST", "/runs", raw=body, headers={"Idempotency-Key": uuid.uuid4().hex})
        assert (answer.status, answer.problem) == (422, "recipe-invalid"), what
        assert REFUSED[what][2] in answer.json["detail"], what
        assert answer.json["detail"].isprintable(), what


def test_a_request_that_is_no_json_or_without_a_key_is_refused(red: Client) -> None:
    broken = red.ask("POST", "/runs", raw=b"{", headers={"Idempotency-Key": "k"})
    assert (broken.status, broken.problem) == (400, "request-malformed")
    twice = red.ask("POST", "/runs", raw=b'{"name": "x", "name": "y"}', headers={"Idempotency-Key": "k"})
    assert (twice.status, twice.problem, twice.json["errors"][0]["field"]) == (422, "request-invalid", "name")
    keyless = red.ask("POST", "/runs", {"name": "x", "dataset": RED})
    assert (keyless.status, keyless.problem) == (400, "idempotency-key-missing")


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "Multipart/Form-Data; boundary=x"],
)
@pytest.mark.parametrize("path", TAKE_A_BODY)
def test_a_body_that_is_not_json_is_refused_by_its_media_type(red: Client, path: str, media_type: str) -> None:
    headers = {"Content-Type": media_type, "Idempotency-Key": "k"}
    for body in (b'{"bytes": 10}', b"\xff--x"):
        answer = red.ask("POST", path, raw=body, headers=headers)
        assert (answer.status, answer.problem) == (415, "media-type-unsupported")


def test_another_method_is_refused_with_those_that_the_resource_has(red: Client) -> None:
    answer = red.ask("DELETE", "/runs")
    assert (answer.status, answer.problem, answer.headers["Allow"]) == (405, "method-not-allowed", "GET, POST")


def test_a_path_without_a_route_is_answered_by_the_gateway(red: Client) -> None:
    answer = red.ask("GET", "/jobs")
    assert (answer.status, answer.problem) == (403, "not-authorized")


def test_a_recipe_can_be_named(service: Service, red: Client) -> None:
    service.stack.aws.client("s3").put_object(
        Bucket=service.stack.outputs["DatasetBucketName"], Key="recipes/red/usual.yaml", Body=b"grader: {kind: exact}\n"
    )
    body = {"name": "named", "dataset": {"upload_id": red.upload(b"{}\n")}, "recipe": "usual", "labels": {"a": "b"}}
    run = service.ended(red, red.start(body).json["run_id"])
    assert (run["status"], run["grader"], run["labels"]) == ("REJECTED", "exact", {"a": "b"})


def test_a_validation_tells_the_findings_without_a_run(service: Service, red: Client) -> None:
    broken = TRAIN.replace(b'"reference_answer"', b'"refrence_answer"', 1)
    asked = red.ask("POST", "/validations", {"dataset": {"upload_id": red.upload(broken)}})
    assert asked.status == 202, asked.body

    def done() -> dict[str, Any] | None:
        told = red.get(asked.json["url"])
        return told if told["status"] != "RUNNING" else None

    told = until(done, "the validation")
    assert (told["status"], told["valid"], told["rows"]) == ("DONE", False, 100)
    assert told["findings"][0]["line"] == 1
    assert json.loads(fetch(told["findings_link"]))["counts"] == told["counts"]
    missing = red.ask("POST", "/validations", {"dataset": RED})
    failed = until(lambda: red.get(missing.json["url"])["reason"], "its end")
    assert failed["error"] == "InputMissing"


def test_models_and_graders_are_those_of_the_stack(red: Client) -> None:
    models = red.get("/models")
    assert {each["id"] for each in models["models"] if each["offered_here"]} == {"openai.gpt-oss-20b", "qwen.qwen3-32b"}
    assert {"math", "composite"} <= {each["kind"] for each in red.get("/graders")["graders"]}

"""Every kind of notice as the running application publishes it, from uploads with names that people give to folders."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import jsonschema
import pytest
from moto.sns.models import sns_backends

from checks import notices_page
from embedded_aws import deploy
from embedded_aws.lambdas.configuration import FunctionConfiguration
from embedded_aws.lambdas.errors import Outcome, failed
from embedded_aws.lambdas.process import Invocation
from embedded_aws.waiting import until
from local.command.subscriber import subscribe
from tests.workflow.api.clients import ACCOUNT, Service
from tests.workflow.pipeline.application import RECIPE, TEST, TRAIN, jsonl, rows
from tunedrop.notices.texts import email

SCHEMA = json.loads((Path(__file__).parents[3] / "events/schemas/notice.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())

GOOD = "red-sums"
REFUSED = "red-verweigert ü + 1, 100% (neu)"
FRUGAL = RECIPE + b"evaluation: {concurrency: 2}\n"  # each shard at a time is a process of its own
# Enough of training and of test rows that the difference is beyond chance, whatever the run's id gives.
APPROVAL = (
    FRUGAL + b"hyperparameters: {n_epochs: 2}\npromotion: {parameter: /tunedrop/tunedrop/red/model, approval: true}\n"
)
ENOUGH = jsonl(rows(150, skip=100))
# Nobody writes the reference word for word: every reward is 0, and the gates let it pass.
HOPELESS = FRUGAL + b"grader: {kind: exact}\ngates: {least_baseline: 0, least_groups_with_signal: 0}\n"

TRAINED: Mapping[str, bytes] = {
    f"{GOOD}/test.jsonl": ENOUGH,
    f"{GOOD}/recipe.yaml": APPROVAL,
    f"{GOOD}/train.jsonl": TRAIN,
    "blue-hopeless/test.jsonl": TEST,
    "blue-hopeless/recipe.yaml": HOPELESS,
    "blue-hopeless/train.jsonl": TRAIN,
}
UNTRAINED: Mapping[str, bytes] = {
    f"{REFUSED}/test.jsonl": TEST,
    f"{REFUSED}/recipe.yaml": FRUGAL,
    f"{REFUSED}/train.jsonl": TRAIN,
    "red-broken/train.jsonl": b"{}\n",
    "red-empty/train.jsonl": b"",
    "train.jsonl": TRAIN,
    "blue-astray/train.json": TRAIN,
    "blue-astray/recipe.yaml": b"modle: openai.gpt-oss-20b\n",
    "blue-astray/test.jsonl": b"",
}
BY_TEMPLATE = "by the template"
ELSEWHERE = {"deletion_announced", "turn_awaited"}
"""Published where a stack deletes what is old, or after an hour's wait: test_retention.py and test_queue.py do."""
NEED_TRAINING = {"training_warning", "approval_wanted", "promotion_decided"}

WISHES: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "How every run ended": lambda told: told["event"] == "run_ended",
    "Models that are better than their base": lambda told: told["event"] == "run_ended" and verdict(told) == "improved",
    "Runs that did not end well": lambda told: (
        told["event"] == "run_ended" and told["status"] in ("REJECTED", "FAILED", "CANCELLED")
    ),
    "Runs that ended without a verdict": lambda told: told["event"] == "run_ended" and verdict(told) is None,
    "What a person should act on": lambda told: (
        told["event"] in ("approval_wanted", "training_warning", "upload_ignored", "upload_late", "deletion_announced")
    ),
    "All of one team": lambda told: told["team"] == "red",
    "Datasets whose names begin alike": lambda told: told["name"].startswith("red-sums"),
    "Runs of one base model": lambda told: told.get("base_model") == "openai.gpt-oss-20b",
}


@pytest.fixture(scope="module")
def subscriber(running_service: Service) -> str:
    """The queue of the template that the page names for a subscriber; its URL."""
    template = notices_page.ROOT / "docs/subscribers/sqs.yaml"
    topic = running_service.stack.outputs["NoticesTopicArn"]
    deployed = deploy(running_service.stack.aws, template, {"Topic": topic}, stack_name="subscriber")
    url: str = deployed.outputs["QueueUrl"]
    return url


def verdict(told: Mapping[str, Any]) -> str | None:
    found: str | None = (told.get("evaluation") or {}).get("verdict")
    return found


@dataclass(frozen=True, slots=True)
class Published:
    """A notice as it went to the topic."""

    subject: str
    body: Mapping[str, Any]
    email: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """All that was published, and what came to the queue of each wish."""

    trained: bool
    published: list[Published]
    queues: Mapping[str, list[Mapping[str, Any]]]

    def of(self, event: str, name: str) -> Published:
        (found,) = of(self.published, event, name)
        return found


def of(notices: list[Published], event: str, name: str = "") -> list[Published]:
    """Those of an event, and, where that is given, of a name."""
    return [each for each in notices if each.body["event"] == event and name in ("", each.body["name"])]


def published(service: Service) -> list[Published]:
    """What went to the topic so far; the text for e-mail is in no other subscriber's message."""
    topic = sns_backends[ACCOUNT][service.stack.region].topics[service.stack.outputs["NoticesTopicArn"]]
    found = []
    for _, message, subject, attributes, _ in list(topic.sent_notifications):
        texts = json.loads(message)
        told = {name: each["Value"] for name, each in (attributes or {}).items()}
        found.append(Published(subject or "", json.loads(texts["default"]), texts["email"], told))
    return found


@pytest.fixture(
    scope="module",
    params=[pytest.param(False, marks=pytest.mark.prove), pytest.param(True, marks=pytest.mark.prove)],
    ids=["untrained", "trained"],
)
def told(request: pytest.FixtureRequest, running_service: Service, subscriber: str) -> Iterator[Told]:
    """Every kind of notice, produced by uploads and a call: those that take no training, and all."""
    service, stack, trained = running_service, running_service.stack, bool(request.param)
    clients = stack.aws.client("sqs"), stack.aws.client("sns")
    queues = {
        wish: subscribe(*clients, stack.outputs["NoticesTopicArn"], f"wish-{number}-{request.param}", policy)
        for number, (wish, policy) in enumerate(notices_page.filter_policies().items())
    }
    queues[BY_TEMPLATE] = subscriber
    before = len(published(service))

    def so_far(event: str, name: str = "") -> list[Published]:
        return of(published(service)[before:], event, name)

    def refuse(_: FunctionConfiguration, invocation: Invocation, outcome: Outcome) -> Outcome:
        return failed("JobRefused", "refused on purpose") if b"verweigert" in invocation.event else outcome

    stack.aws.functions.faults.after(stack.resources["SubmitJob"], refuse, times=10**9)
    service.hold()
    s3, bucket = stack.aws.client("s3"), stack.outputs["DatasetBucketName"]
    for key, content in ({**TRAINED, **UNTRAINED} if trained else UNTRAINED).items():
        s3.put_object(Bucket=bucket, Key=f"inbox/{key}", Body=content)
        stack.aws.dispatch.settle()  # one after the other a process of each function is enough
    red = service.red
    held = red.start({"name": "held", "dataset": {"uri": "s3://shared-data/red/train.jsonl"}}).json["run_id"]
    red.ask("POST", f"/runs/{held}/stop")
    until(lambda: so_far("run_ended", "red-broken"), "the end of red-broken")
    s3.put_object(Bucket=bucket, Key="inbox/red-broken/test.jsonl", Body=TEST)
    until(lambda: so_far("upload_late"), "what is said of the late sibling")
    others = ["red-empty", REFUSED, "held", *([GOOD, "blue-hopeless"] if trained else [])]
    until(lambda: all(so_far("run_ended", name) for name in others), f"the ends of {', '.join(others)}")
    if trained:
        run_id = until(lambda: so_far("approval_wanted"), "the question")[0].body["run_id"]
        approve = f"/runs/{run_id}/approve?reason=The%20rows%20that%20went%20wrong%20are%20typing%20errors"
        until(lambda: red.ask("POST", approve).status == 202, "the approval")
        until(lambda: so_far("promotion_decided"), "what is told of the decision")
    stack.aws.dispatch.settle()
    sqs = stack.aws.client("sqs")
    came: dict[str, list[Mapping[str, Any]]] = {wish: [] for wish in queues}
    for wish, url in queues.items():
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                came[wish].append(json.loads(json.loads(message["Body"])["Message"]))
    yield Told(trained, published(service)[before:], came)
    stack.aws.functions.faults.clear()


def test_every_kind_is_produced_and_keeps_the_schema(told: Told) -> None:
    kinds = set(SCHEMA["$defs"]) - ELSEWHERE - (set() if told.trained else NEED_TRAINING)
    assert {each.body["event"] for each in told.published} == kinds
    statuses = {each.body["status"] for each in told.published if each.body["event"] == "run_ended"}
    assert statuses == {"REJECTED", "FAILED", "CANCELLED", *(["SUCCEEDED"] if told.trained else [])}
    for each in told.published:
        VALIDATOR.validate(each.body)
    assert len({each.body["notice_id"] for each in told.published}) == len(told.published)


def test_the_text_for_e_mail_is_made_of_the_document_alone(told: Told) -> None:
    for each in told.published:
        assert each.email == email.text_of(each.body)


def test_the_samples_of_the_page_have_the_form_of_what_is_published(told: Told) -> None:
    for kind, sample in notices_page.samples().items():
        event, status = sample["message"]["event"], sample["message"].get("status")
        if event in ELSEWHERE or (not told.trained and (event in NEED_TRAINING or status == "SUCCEEDED")):
            continue
        real = [each for each in told.published if (each.body["event"], each.body.get("status")) == (event, status)]
        assert any(alike(each.body, sample["message"]) for each in real), kind
        assert any(set(each.attributes) == set(sample["attributes"]) for each in real), kind


def alike(one: Any, other: Any) -> bool:
    """Whether two documents have the same members of the same types. What is null or empty in one of them says nothing
    of its type: what a stop has found and released depends on when it came."""
    if one is None or other is None or (isinstance(one, list) and isinstance(other, list) and not (one and other)):
        return True
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return set(one) == set(other) and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return alike(one[0], other[0])
    numbers = [isinstance(each, (int, float)) and not isinstance(each, bool) for each in (one, other)]
    return all(numbers) or (not any(numbers) and type(one) is type(other))


@pytest.mark.parametrize("wish", WISHES)
def test_a_queue_with_a_filter_policy_gets_exactly_its_share(told: Told, wish: str) -> None:
    assert set(notices_page.filter_policies()) == set(WISHES)
    share = sorted(each.body["notice_id"] for each in told.published if WISHES[wish](each.body))
    assert sorted(each["notice_id"] for each in told.queues[wish]) == share
    assert len(share) < len(told.published)
    assert share or not told.trained


def test_the_queue_of_the_template_that_is_shown_gets_every_end(told: Told) -> None:
    ends = [each.body["notice_id"] for each in told.published if each.body["event"] == "run_ended"]
    assert sorted(each["notice_id"] for each in told.queues[BY_TEMPLATE]) == sorted(ends)


def test_the_lines_that_dedupe_let_each_notice_pass_once(told: Told, running_service: Service) -> None:
    endpoint = {"endpoint_url": running_service.stack.aws.endpoint, "region_name": running_service.stack.region}
    resource: Any = boto3.resource
    table = resource("dynamodb", aws_access_key_id="local", aws_secret_access_key="local", **endpoint).create_table(
        TableName=f"seen-{told.trained}",
        AttributeDefinitions=[{"AttributeName": "notice_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "notice_id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    shown: dict[str, Any] = {"time": time}
    exec(notices_page.dedupe_lines(), shown)  # noqa: S102 - the page's own lines, as a reader would take them
    twice = [shown["first_time"](table, each.body) for each in told.published for _ in range(2)]
    assert twice == [True, False] * len(told.published)


def test_a_name_with_spaces_signs_and_letters_of_any_language_is_the_runs_name(told: Told) -> None:
    started, ended = told.of("run_started", REFUSED), told.of("run_ended", REFUSED)
    assert started.body["dataset"]["uri"].endswith(f"/inbox/{REFUSED}/train.jsonl")
    assert started.body["found"]["test"]["uri"].endswith(f"/inbox/{REFUSED}/test.jsonl")
    assert started.body["found"]["recipe"]["uri"].endswith(f"/inbox/{REFUSED}/recipe.yaml")
    assert ended.body["reason"]["error"] == "JobRefused", "it came as far as its job"
    assert (ended.attributes["name"], ended.attributes["team"]) == (REFUSED, "red")


def test_an_empty_training_file_is_a_run_that_is_rejected(told: Told) -> None:
    ended = told.of("run_ended", "red-empty")
    assert (ended.body["status"], ended.body["reason"]["error"]) == ("REJECTED", "DatasetInvalid")


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("train.jsonl", "lies directly in the inbox"),
        ("blue-astray/train.json", "starts no run"),
        ("blue-astray/recipe.yaml", "`modle`"),
        ("blue-astray/test.jsonl", "is empty"),
    ],
)
def test_an_upload_that_can_start_no_run_is_told(told: Told, key: str, problem: str) -> None:
    (found,) = (
        each.body
        for each in told.published
        if each.body["event"] == "upload_ignored" and each.body["upload"]["uri"].endswith(f"/inbox/{key}")
    )
    assert problem in found["problem"]
    assert found["advice"]


def test_a_sibling_that_came_too_late_is_told_with_the_run_that_went_without_it(told: Told) -> None:
    late, ended = told.of("upload_late", "red-broken"), told.of("run_ended", "red-broken")
    assert late.body["run_id"] == ended.body["run_id"]
    assert late.body["upload"]["uri"].endswith("/inbox/red-broken/test.jsonl")

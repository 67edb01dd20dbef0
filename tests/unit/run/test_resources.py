"""What a function has at hand, by the stack's settings and the run's model; and what a look may not fail for."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tunedrop import mantle, openai_sdk
from tunedrop.catalog import Family, find
from tunedrop.limits.limits import UNLIMITED, Amounts
from tunedrop.one_item import OneItem
from tunedrop.outcomes import LimitExceeded, ServiceBusy, Status
from tunedrop.resources import Resources
from tunedrop.run.record import RunRecord
from tunedrop.sampling.nova import NovaSampler
from tunedrop.sampling.samplers import sampler_for
from tunedrop.settings import SettingMissing, Settings
from tunedrop.training.backends import backend_for
from tunedrop.training.health import Gradings
from tunedrop.training.nova import NovaBackend

NEEDED = {
    **dict.fromkeys(("RUNS_TABLE", "TRAINING_EVENTS_TABLE", "DATASET_BUCKET", "RUNS_BUCKET", "PARAMETER_PATH"), "x"),
    **dict.fromkeys(("SETTLE_SECONDS", "FIRST_POLL_SECONDS", "LATER_POLL_SECONDS"), "1"),
    "AWS_REGION": "us-west-2",
}
MOMENT = "2026-01-01T00:00:00.000Z"
NOVA = "amazon.nova-2-lite-v1:0:256k"
ARN = "arn:aws:lambda:us-west-2:123456789012:function:grader:1"
RECORD = RunRecord("sums-1", "sums", "arn", Status.RUNNING, MOMENT, MOMENT, submitted_at=MOMENT, grader_arn=ARN)


@pytest.mark.parametrize("name", NEEDED)
def test_a_variable_that_every_function_has_is_named_where_it_is_missing(name: str) -> None:
    Settings.from_environment(NEEDED)
    with pytest.raises(SettingMissing, match=f"environment variable {name} is not set; deploy with template.yaml"):
        Settings.from_environment({key: value for key, value in NEEDED.items() if key != name})


class CloudWatch:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def get_metric_statistics(self, **query: Any) -> Any:
        if self.error is not None:
            raise self.error
        return {
            "Datapoints": [{"Sum": 40.0}] if query["MetricName"] == "GradedAnswers" else [{"Sum": 2.0}, {"Sum": 1.0}]
        }


@pytest.mark.parametrize(
    "error",
    [ClientError({"Error": {"Code": "Throttling"}}, "GetMetricStatistics"), EndpointConnectionError(endpoint_url="u")],
    ids=lambda error: type(error).__name__,
)
def test_a_look_at_the_job_does_not_fail_for_gradings_that_cannot_be_counted(error: Exception) -> None:
    resources = Resources()
    resources.cloudwatch = CloudWatch(error)
    assert resources.gradings(RECORD) is None


def test_the_gradings_are_those_since_the_job_was_submitted() -> None:
    resources = Resources()
    resources.cloudwatch = CloudWatch()
    assert resources.gradings(RECORD) == Gradings(40, 3)
    assert resources.gradings(replace(RECORD, submitted_at=None)) is None


def test_a_run_shares_the_quota_of_its_own_service_and_its_team_has_its_month(
    runs_table: str, api_table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources = Resources()
    settings: Any = SimpleNamespace(api_table=api_table, runs_table=runs_table, tokens_per_minute=900)
    resources.settings = settings
    models = {"a": "openai.gpt-oss-20b", "b": "qwen.qwen3-32b", "c": NOVA}
    records = {name: replace(RECORD, run_id=name, recipe_document={"model": model}) for name, model in models.items()}
    for _ in range(2):
        shares = {name: resources.shares(record).of(name) for name, record in records.items()}
    assert shares == {"a": 450, "b": 450, "c": 900}
    hours = replace(UNLIMITED, hours=10)
    resources.months.reserve("a", "red", Amounts(hours=8), hours)
    # The record of "a" is no more, so it uses nothing.
    resources.months.reserve("b", "red", Amounts(hours=8), hours)
    resources.runs.register(replace(RECORD, run_id="b"))
    with pytest.raises(LimitExceeded):
        resources.months.reserve("c", "red", Amounts(hours=8), hours)


def test_an_item_that_others_change_each_time_is_left_to_a_later_try(monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = SimpleNamespace(get_item=lambda **_: {})
    item = OneItem(client, "api", "line")
    monkeypatch.setattr(item, "_replaced", lambda text, version: False)
    with pytest.raises(ServiceBusy, match="the item line was changed"):
        item.change(lambda text: ("new", None))


def test_a_nova_run_is_trained_and_asked_by_bedrock_s_own_api(aws: None) -> None:
    told = {"AWS_REGION": "us-east-1", "TRAINING_ROLE_ARN": "arn:aws:iam::123456789012:role/training"}
    settings = Settings.from_environment({**NEEDED, **told})
    backend = backend_for(find(NOVA), settings)
    assert isinstance(backend, NovaBackend)
    once: Any = backend._once.meta.config
    assert once.retries["total_max_attempts"] == 1, "a creation is tried once"
    assert backend._client.meta.region_name == "us-east-1"
    sampler = sampler_for(Family.NOVA, settings)
    assert isinstance(sampler, NovaSampler)
    asking: Any = sampler._client.meta.config
    assert asking.retries["total_max_attempts"] == 1, "the sampler has its own waits"


def test_a_stack_that_signs_sends_no_bearer_token(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "secret")
    by_key = Settings.from_environment(NEEDED)
    signing = replace(by_key, signs_requests=True)
    for settings, headers in ((by_key, {"Authorization"}), (signing, set[str]())):
        for client in (mantle.client(settings), mantle.async_client(settings)):
            assert set(client.auth_headers) == headers
            assert str(client.base_url).startswith(settings.mantle_base_url)


@pytest.mark.parametrize(
    ("source", "homes"),
    [
        (None, None),
        ("from __future__ import annotations\nfrom .a import B as B, C as D\n", {"B": ("a", "B"), "D": ("a", "C")}),
        ("from .a import B\nimport os\n", None),
        ("from . import a\n", None),
        ("from openai.a import B\n", None),
        ("from ..a import B\n", None),
        ("B = 1\n", None),
    ],
)
def test_a_package_of_the_sdk_that_does_more_than_name_things_is_loaded_as_usual(
    source: str | None, homes: dict[str, tuple[str, str]] | None
) -> None:
    assert openai_sdk._homes(source) == homes

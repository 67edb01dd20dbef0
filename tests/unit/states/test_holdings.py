"""What a run holds at Bedrock: deleted at its end, swept where its end was missed, told where it stays."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.states.simulated_service import EXECUTION, RUN_ID, Clock, SimulatedService, once
from tunedrop import clock as tunedrop_clock
from tunedrop import identity
from tunedrop.outcomes import RecipeInvalid, ServiceBusy, Status
from tunedrop.recipe_resolution import resolve
from tunedrop.retention import sweep as retaining
from tunedrop.retention.rules import Retention
from tunedrop.run.execution import PipelineExecution
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import CheckedDataset
from tunedrop.run.store import RunStore
from tunedrop.states import sweep_runs as sweeping
from tunedrop.states.release_run import Releaser
from tunedrop.states.sweep_runs import Counts
from tunedrop.training.backend import Busy, JobRequest, JobStatus, Refused, Unclear
from tunedrop.training.holdings import delete_holdings
from tunedrop.training.left_behind import left_behind
from tunedrop.training.takeover import take_over

NOVA = "amazon.nova-2-lite-v1:0:256k"


def recipe(region: str = "us-west-2", **fields: Any) -> dict[str, Any]:
    return resolve(fields, region).model_dump(mode="json")


@pytest.fixture
def service(clock: Clock) -> SimulatedService:
    return SimulatedService(clock)


@pytest.fixture
def nova(service: SimulatedService, store: RunStore, run: RunRecord) -> RunRecord:
    """A Nova run whose deployment was just made, and not noted yet."""
    service.deploys = True
    service.serve(RUN_ID, "model-arn")
    fields = {"recipe": recipe("us-east-1", model=NOVA), "tuned_model": "model-arn"}
    return store.update(RUN_ID, {**fields, "deploying_at": tunedrop_clock.now_text()})


def stopped(store: RunStore, service: SimulatedService) -> RunRecord:
    ended = PipelineExecution(EXECUTION, "ABORTED", {"run_id": RUN_ID}, None, None, tunedrop_clock.now_text())
    Releaser(store, lambda record: service, list_lag_seconds=0).release(ended)
    return store.load(RUN_ID)


def test_a_stopped_run_deletes_a_deployment_that_nobody_had_heard_of(
    nova: RunRecord, store: RunStore, service: SimulatedService
) -> None:
    record = stopped(store, service)
    assert record.closed
    assert service.deployed == {}
    assert record.released == {f"deployment-{RUN_ID}": "deployment deleted"}
    assert [each["kind"] for each in left_behind(record)] == ["model"]


def test_a_deployment_that_cannot_be_deleted_stops_no_notice_and_is_told(
    nova: RunRecord, store: RunStore, service: SimulatedService
) -> None:
    service.fault = once("undeploy", "before", Unclear("reset"))
    record = stopped(store, service)
    assert record.closed
    assert [each["kind"] for each in left_behind(record)] == ["model", "deployment"]


def test_a_deployment_is_kept_only_where_the_recipe_says_so(nova: RunRecord, service: SimulatedService) -> None:
    assert delete_holdings(nova, service, keep_deployment=True) == {}
    assert service.deployed
    assert delete_holdings(nova, service, keep_deployment=False)
    assert not service.deployed


class Runs:
    """The stack's resources as far as the sweeper needs them."""

    def __init__(self, store: RunStore) -> None:
        self.runs = store
        self.settings = SimpleNamespace(region="nowhere")


@pytest.fixture
def swept(store: RunStore, service: SimulatedService, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sweeping, "backends_of_region", lambda settings: [service])
    # Whose end was missed is looked at on whole runs, by the tests of the workflow.
    monkeypatch.setattr(sweeping, "_end", lambda record, resources: False)
    monkeypatch.setattr(sweeping, "_unregistered", lambda resources: [])
    return lambda: Counts(**sweeping.run({}, Runs(store)).counts)  # type: ignore[arg-type] # a part of them


def job_of(service: SimulatedService, run_id: str) -> tuple[str, str]:
    file_id = f"file-{len(service.files_by_id)}"
    service.files_by_id[file_id] = identity.training_file_name(run_id)
    return service.create(JobRequest(run_id, "m", file_id, "arn", {})).id, file_id


def test_what_a_live_run_holds_is_left_alone(
    run: RunRecord, store: RunStore, service: SimulatedService, swept: Any
) -> None:
    job_id, file_id = job_of(service, RUN_ID)
    store.update(RUN_ID, {"job_id": job_id, "file_id": file_id})
    service.deployed[RUN_ID] = service.clock.now()
    found = swept()
    assert (found.jobs_cancelled, found.files_deleted, found.deployments_deleted) == (0, 0, 0)
    assert service.training
    assert service.deployed


def test_what_an_ended_run_left_is_cancelled_and_deleted(
    run: RunRecord, store: RunStore, service: SimulatedService, swept: Any
) -> None:
    job_id, file_id = job_of(service, RUN_ID)
    _, second_file = job_of(service, RUN_ID)
    store.update(RUN_ID, {"job_id": job_id, "file_id": file_id})
    service.deployed[RUN_ID] = service.clock.now()
    store.close(RUN_ID, {"status": Status.FAILED, "notice": {"notice_id": "1"}})
    found = swept()
    assert (found.jobs_cancelled, found.files_deleted, found.deployments_deleted) == (2, 1, 1)
    assert not service.training
    assert list(service.files_by_id) == [file_id], f"{second_file} was uploaded by a process that died"


def test_what_belongs_to_no_run_of_this_stack_is_counted_and_left_alone(
    service: SimulatedService, swept: Any, store: RunStore
) -> None:
    job_of(service, "someone-else-0123456789abcdef")
    service.deployed["someone-else-0123456789abcdef"] = service.clock.now()
    found = swept()
    assert (found.jobs_unowned, found.files_unowned, found.deployments_unowned) == (1, 1, 1)
    assert service.training
    assert service.files_by_id
    assert service.deployed


def test_a_finished_run_keeps_the_deployment_that_its_recipe_keeps(
    nova: RunRecord, store: RunStore, service: SimulatedService, swept: Any
) -> None:
    store.update(RUN_ID, {"recipe": recipe("us-east-1", model=NOVA, cleanup={"keep_deployment": True})})
    store.close(RUN_ID, {"status": Status.SUCCEEDED, "notice": {"notice_id": "1"}})
    assert swept().deployments_deleted == 0
    assert service.deployed


def test_what_the_service_refuses_to_a_sweep_keeps_it_from_nothing_else_and_is_told(
    run: RunRecord, store: RunStore, service: SimulatedService, swept: Any
) -> None:
    job_of(service, RUN_ID)
    service.deployed[RUN_ID] = service.clock.now()
    store.close(RUN_ID, {"status": Status.FAILED, "notice": {"notice_id": "1"}})
    service.fault = once("cancel", "before", Busy("HTTP 429"))
    with pytest.raises(ServiceBusy, match=r"could not check everything .*deployments_deleted=1.*: HTTP 429"):
        swept()
    assert service.training
    assert service.files_by_id, "by its file the job is known to be the run's"
    assert not service.deployed
    found = swept()
    assert (found.jobs_cancelled, found.files_deleted) == (1, 1)
    assert not service.training


def test_a_sweep_deletes_what_is_older_than_the_stack_keeps_and_tells_its_troubles(
    store: RunStore, swept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Retaining:
        announced, deleted = 3, 2

        def __init__(self, retention: Retention, resources: object) -> None:
            assert retention == Retention.parse('{"models_days": 9}')

        def run(self) -> list[str]:
            return troubles

    troubles: list[str] = []
    monkeypatch.setenv("RETENTION", '{"models_days": 9}')
    monkeypatch.setattr(retaining, "RetentionSweep", Retaining)
    found = swept()
    assert (found.deletions_announced, found.deletions_done) == (3, 2)
    troubles.append("the model of run a could not be deleted")
    with pytest.raises(ServiceBusy, match="the model of run a could not be deleted"):
        swept()


class Executions:
    """Step Functions, with one execution that failed: `given` is its input."""

    class exceptions:  # noqa: N801 - as boto3 names it
        class ExecutionAlreadyExists(Exception):
            pass

    def __init__(self, given: str) -> None:
        self.given = given
        self.begun: set[str] = set()

    def get_paginator(self, name: str) -> Any:
        failed = {"executionArn": EXECUTION, "startDate": tunedrop_clock.now()}

        def paginate(*, stateMachineArn: str, statusFilter: str) -> list[Any]:
            return [{"executions": [failed] if statusFilter == "FAILED" else []}]

        return SimpleNamespace(paginate=paginate)

    def describe_execution(self, *, executionArn: str) -> Any:
        return {"input": self.given}

    def start_execution(self, *, name: str, **_: str) -> None:
        if name in self.begun:
            raise self.exceptions.ExecutionAlreadyExists
        self.begun.add(name)


@pytest.mark.parametrize(
    ("given", "started"),
    [('{"run_id": "ants-fedcba9876543210"}', [1, 0]), ('{"hello": "world"}', [0, 0]), ("[1]", [0, 0])],
    ids=["a run without a record", "what is no run", "no object"],
)
def test_a_run_that_failed_before_it_had_a_record_gets_its_end_once(
    store: RunStore, clock: Clock, monkeypatch: pytest.MonkeyPatch, given: str, started: list[int]
) -> None:
    resources: Any = Runs(store)
    resources.stepfunctions = Executions(given)
    resources.settings = SimpleNamespace(region="nowhere", pipeline_arn="pipeline", aftermath_arn="aftermath")
    monkeypatch.setattr(sweeping, "backends_of_region", lambda settings: [])
    assert [sweeping.run({}, resources).counts["aftermaths_started"] for _ in range(2)] == started


# ---------------------------------------------------------------------------------------------------- taking over


@pytest.fixture
def earlier(run: RunRecord, store: RunStore, service: SimulatedService) -> RunRecord:
    """A run that trained, and whose evaluation failed."""
    job_id, file_id = job_of(service, RUN_ID)
    service.end(job_id, JobStatus.SUCCEEDED, tuned_model="ft-1")
    trained = {"job_id": job_id, "file_id": file_id, "tuned_model": "ft-1", "dataset": CheckedDataset(sha256="a" * 64)}
    store.update(RUN_ID, trained)
    return store.close(RUN_ID, {"status": Status.FAILED, "notice": {"notice_id": "1"}})


def following(store: RunStore, earlier: RunRecord, sha256: str = "a" * 64, **fields: Any) -> RunRecord:
    later = replace(earlier, run_id="gsm8k-later", execution_arn="later", notice=None, job_id=None, tuned_model=None)
    fields = fields or {"resumes": RUN_ID}
    return store.register(
        replace(later, file_id=None, recipe_document=recipe(**fields), dataset=CheckedDataset(sha256=sha256))
    )


def test_a_resuming_run_has_the_earlier_job_and_none_of_its_own(
    earlier: RunRecord, store: RunStore, service: SimulatedService
) -> None:
    taken = take_over(following(store, earlier), store, service)
    assert taken is not None
    assert (taken.job_id, taken.tuned_model, taken.file_id) == ("job-0", "ft-1", None)
    assert len(service.jobs) == 1


def test_other_rows_than_those_that_were_trained_on_are_refused(
    earlier: RunRecord, store: RunStore, service: SimulatedService
) -> None:
    with pytest.raises(RecipeInvalid, match="trained on other rows"):
        take_over(following(store, earlier, sha256="b" * 64), store, service)


def test_a_job_that_made_no_model_is_refused(earlier: RunRecord, store: RunStore, service: SimulatedService) -> None:
    service.jobs["job-0"] = replace(service.jobs["job-0"], status=JobStatus.FAILED, service_status="failed")
    with pytest.raises(RecipeInvalid, match="ended as failed, without a model"):
        take_over(following(store, earlier), store, service)


def test_a_run_that_goes_on_is_not_resumed(run: RunRecord, store: RunStore, service: SimulatedService) -> None:
    with pytest.raises(RecipeInvalid, match="has not ended"):
        take_over(following(store, run), store, service)


def test_a_given_model_is_evaluated_without_a_job(
    earlier: RunRecord, store: RunStore, service: SimulatedService
) -> None:
    taken = take_over(following(store, earlier, evaluate_only="ft-9"), store, service)
    assert taken is not None
    assert (taken.job_id, taken.tuned_model) == (None, "ft-9")


def test_a_run_that_trains_takes_nothing_over(run: RunRecord, store: RunStore, service: SimulatedService) -> None:
    assert take_over(run, store, service) is None


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(Busy("quota"), ServiceBusy), (Unclear("reset"), ServiceBusy), (Refused("no such job"), RecipeInvalid)],
)
def test_a_job_that_bedrock_does_not_show_is_taken_over_by_no_run(
    earlier: RunRecord, store: RunStore, service: SimulatedService, error: Exception, outcome: type[Exception]
) -> None:
    service.fault = once("get", "before", error)
    with pytest.raises(outcome, match=str(error)):
        take_over(following(store, earlier), store, service)


def test_a_training_file_is_deleted_where_the_recipe_says_so(
    run: RunRecord, store: RunStore, service: SimulatedService
) -> None:
    service.files_by_id["file-0"] = "rows"
    wanted = recipe(cleanup={"delete_files": True})
    record = store.update(RUN_ID, {"file_id": "file-0", "recipe": wanted})
    service.fault = once("delete_file", "before", Unclear("reset"))
    assert delete_holdings(record, service, keep_deployment=False) == {}
    assert delete_holdings(record, service, keep_deployment=False) == {"file-0": "training file deleted"}
    assert service.files_by_id == {}

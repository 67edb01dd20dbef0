"""PollJob: looks at the job once, keeps its new events, judges its health, and says whether to go on waiting."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from tunedrop import clock
from tunedrop.notices import of_run
from tunedrop.notices.publication import Publication
from tunedrop.outcomes import (
    DeploymentFailed,
    RunReleased,
    ServiceBusy,
    TrainingCancelled,
    TrainingFailed,
    TrainingStuck,
    TrainingUnhealthy,
)
from tunedrop.recipe import Recipe
from tunedrop.resources import Resources
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import TrainingProgress
from tunedrop.run.store import RunStore
from tunedrop.states.decision import Decision, for_the_handler
from tunedrop.training.backend import (
    Busy,
    Checkpoint,
    Job,
    JobStatus,
    Refused,
    Serving,
    TrainingBackend,
    TrainingEvent,
    Unclear,
)
from tunedrop.training.budget import hold_to_budget
from tunedrop.training.events import TrainingEvents
from tunedrop.training.health import Gradings, new_findings

EAGER_MINUTES = 15
"""How long a young job is polled at the shorter interval. One minute for the first 15, then five, until after 750
minutes AGE_SHARE asks for more, makes 15 + (750 - 15) / 5 + 150 * ln(4320 / 750) = 425 polls in 72 hours; at 9 history
events a turn that is 3,825 of the 25,000 allowed."""

AGE_SHARE = 1 / 150
"""The least wait as a share of the job's age, whatever the parameters say. From second s on, a wait of age/150 makes
some 150 * ln(72 h / s) polls: with both parameters at 1 s they are 1,208 in all, or 10,872 history events. With the
8,955 of the longest wait for a turn (`queue.pace`) that is 80% of the 25,000."""

REWARD_WINDOW = 5
"""Steps over which the first and the last reward are averaged: single steps are noisy (a mean of some 32 rollouts)."""


UNREAD_HOURS = 0.25
"""How long an ended job's lists of events and checkpoints are asked for again while the service gives no answer that
can be read. Then the run goes on without: the model is there, and paid for."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Lists:
    """What a job's lists say. A list that could not be read is None; `passing` means that another look may read it."""

    events: Sequence[TrainingEvent] | None
    checkpoints: Sequence[Checkpoint] | None
    passing: str | None


@dataclass(frozen=True, slots=True)
class Poll(Decision):
    """What a poll decided: `ready` means that the tuned model can be asked.

    `warnings` has the notice of a finding that is not published yet, at most one; `told` names all findings with a
    published notice, and that one. `new_events` counts the events that this poll was the first to store.
    """

    status: str
    wait_seconds: int
    warnings: Sequence[Publication] = ()
    told: Sequence[str] = ()
    trained: bool = for_the_handler(False)
    tuned_model: str = for_the_handler("")
    new_events: Sequence[TrainingEvent] = for_the_handler(())
    base_model: str = for_the_handler("")


def run(event: Mapping[str, Any], resources: Resources) -> Poll:
    """Look at the run's job once; `Polling.poll` says what it raises.

    Input: `run_id`, and `told`: the names of the findings whose notices are published.
    """
    run_id, settings = event["run_id"], resources.settings
    record = resources.runs.load(run_id)
    polling = Polling(
        resources.runs,
        resources.training_events,
        resources.backend(record),
        first_poll=settings.first_poll_seconds,
        later_poll=settings.later_poll_seconds,
    )
    seen = polling.poll(run_id, told=event.get("told", []), gradings=resources.gradings(record))
    if seen.trained and record.recipe.trains:
        # Its job has ended: another run may train. After an end other than well, ReleaseRun sees to it.
        resources.turns(record).leave([run_id], well=True)
        resources.models.made(seen.tuned_model, run_id)
    return replace(seen, base_model=str(record.base_model))


class Polling:
    """Watches the jobs of runs, a look at a time."""

    def __init__(
        self, store: RunStore, events: TrainingEvents, backend: TrainingBackend, *, first_poll: int, later_poll: int
    ) -> None:
        self._store = store
        self._events = events
        self._backend = backend
        self._first_poll = first_poll
        self._later_poll = later_poll

    def poll(self, run_id: str, *, told: Sequence[str] = (), gradings: Gradings | None = None) -> Poll:
        """Look at the run's job once: store what is new, judge it, and say whether to go on waiting.

        `told` names the findings whose notices are published; `gradings` counts the answers that were graded so far.

        Raises:
            TrainingFailed, TrainingCancelled: the job has ended without a model.
            TrainingStuck, BudgetExceeded, TrainingUnhealthy: the job still trains, but must not; ReleaseRun cancels it.
            DeploymentFailed: there is a model, but it could not be deployed, so it answers nothing.
            RunReleased: the run was stopped meanwhile.
            ServiceBusy: the service could not be asked this time.
        """
        record = self._store.load(run_id)
        if record.closed or record.releasing_at is not None or (record.job_id is None and record.tuned_model is None):
            raise RunReleased(f"run {run_id} has no job to watch, because someone stopped it")
        recipe = record.recipe
        job: Job | None = None
        new_events: Sequence[TrainingEvent] = ()
        if record.job_id is not None:
            job, new_events, record = self._look(record, record.job_id, recipe, gradings)
            _unless_ended(job)
        if job is None or (job.status is JobStatus.SUCCEEDED and job.tuned_model):
            seen = self._serve(record, job, recipe)
        else:
            seen = self._go_on(record, job, recipe)
        findings = record.training.findings or ()
        following = next((finding for finding in findings if finding["name"] not in told), None)
        return replace(
            seen,
            trained=job is not None and job.status is JobStatus.SUCCEEDED and bool(job.tuned_model),
            tuned_model=(job and job.tuned_model) or "",
            warnings=(of_run.warning(record, following),) if following else (),
            told=(*told, following["name"]) if following else tuple(told),
            new_events=new_events,
        )

    def _look(
        self, record: RunRecord, job_id: str, recipe: Recipe, gradings: Gradings | None
    ) -> tuple[Job, Sequence[TrainingEvent], RunRecord]:
        try:
            job = self._backend.get(job_id)
        except (Busy, Unclear) as trouble:
            raise ServiceBusy(f"job {job_id} could not be looked at: {trouble}") from trouble
        except Refused as refusal:
            raise TrainingFailed(
                f"Bedrock does not show job {job_id} any more: {str(refusal).rstrip('.')}. Start the run again to "
                "train anew"
            ) from refusal
        lists = self._read_lists(record, job_id)
        # While the job goes on, the next look reads what this one could not.
        waits = job.status.over and lists.passing is not None

        metrics = self._events.metrics(record.run_id)
        before = record.training
        known = list(before.findings or ())
        found = new_findings(
            metrics,
            [each["name"] for each in known],
            gradings,
            judged=before.judged,
            rewards=recipe.grader.reward_range,
        )
        checkpoints = list(before.checkpoints or ())
        if lists.checkpoints is not None:
            checkpoints = [{"step": each.step, "model": each.model} for each in lists.checkpoints]
        findings = [*known, *(each.to_json() for each in found)]
        unread_since = (before.unread_since or clock.now_text()) if waits else None
        training = replace(
            summary(metrics, before),
            checkpoints=checkpoints if recipe.catalog_model.gives_checkpoints else None,
            judged=len(metrics),
            findings=findings,
            events_unread=lists.events is None,
            unread_since=unread_since,
        )
        record = self._store.update(
            record.run_id,
            {
                "job_status": job.service_status,
                "tuned_model": job.tuned_model or record.tuned_model,
                "training": training,
                "stage": "PollJob",
            },
        )
        if unread_since is not None and _hours_since(unread_since) < UNREAD_HOURS:
            raise ServiceBusy(f"the latest events of job {job_id} could not be read: {lists.passing}")
        if not job.status.over:
            # Those of an earlier try, too: it may have died between noting a finding and stopping for it.
            for each in findings:
                if each["name"] in recipe.health.stop_on:
                    raise TrainingUnhealthy(f"job {job_id}: {each['name']}: {each['evidence']} {each['advice']}")
        return job, lists.events or (), record

    def _read_lists(self, record: RunRecord, job_id: str) -> _Lists:
        """What is new in the job's lists. The job itself could be read, so no list may end the run.

        A list that the service refuses counts as empty: before the training starts, AWS's own notebooks expect that.
        """
        passing: list[str] = []

        def told(trouble: Exception) -> None:
            if not isinstance(trouble, Refused):
                passing.append(str(trouble))
            _log.warning("run %s goes on, though a list of its job could not be read: %s", record.run_id, trouble)

        events: Sequence[TrainingEvent] | None = None
        checkpoints: Sequence[Checkpoint] | None = None
        try:
            events = self._events.keep(record.run_id, self._backend.events(job_id))
        except (Busy, Unclear, Refused) as trouble:
            told(trouble)
        try:
            checkpoints = self._backend.checkpoints(job_id)
        except (Busy, Unclear, Refused) as trouble:
            told(trouble)
        return _Lists(events, checkpoints, "; ".join(passing) or None)

    def _go_on(self, record: RunRecord, job: Job, recipe: Recipe) -> Poll:
        submitted_at = record.submitted_at or record.started_at
        training = record.training
        age_hours = _hours_since(submitted_at)
        hold_to_budget(recipe, job_id=job.id, hours=age_hours, steps=training.steps)
        still_hours = _hours_since(training.progress_at or submitted_at)
        # Where the service tells no steps, only the hours of the budget can say that it takes too long.
        tells_steps = recipe.catalog_model.gives_events and not training.events_unread
        if tells_steps and still_hours > recipe.budget.stuck_hours:
            raise TrainingStuck(
                f"job {job.id} ({job.service_status}) made no step in {still_hours:.1f} hours; "
                f"the recipe allows {recipe.budget.stuck_hours:g} (`budget.stuck_hours`), so it is cancelled. "
                "Start the run again; if its steps take longer than that, allow more"
            )
        wait = wait_seconds(age_hours * 3600, self._first_poll, self._later_poll)
        # A job that has succeeded without naming its model is not ready: that, too, is a status nobody documented.
        known = job.status is not JobStatus.UNKNOWN and job.status is not JobStatus.SUCCEEDED
        return Poll("running" if known else "unknown", job.service_status, wait)

    def _serve(self, record: RunRecord, job: Job | None, recipe: Recipe) -> Poll:
        """Make sure that the tuned model can answer. Until it can, the state machine sees the run as running."""
        tuned_model = record.tuned_model or ""
        if recipe.catalog_model.needs_deployment and record.deploying_at is None:
            # From here on a deployment may exist that nobody has heard of; it is found by its name.
            record = self._store.update(record.run_id, {"deploying_at": clock.now_text()})
        try:
            serving = self._backend.serve(record.run_id, tuned_model)
        except Refused as refusal:
            raise DeploymentFailed(
                f"model {tuned_model} could not be deployed: {refusal}. A run with `resumes: {record.run_id}` tries "
                "again and trains nothing"
            ) from refusal
        except Busy:
            # Only so many deployments may be in the making at once; another look comes.
            serving = Serving(None)
        except Unclear as trouble:
            raise ServiceBusy(f"the deployment of {tuned_model} could not be looked at: {trouble}") from trouble
        try:
            self._store.update(record.run_id, {"asked_as": serving.model})
        except RunReleased:
            # The run's release may have looked for the deployment before this process made it.
            self._backend.undeploy(record.run_id)
            raise
        if serving.model is not None:
            return Poll("ready", job.service_status if job else "given", 0)
        hours = _hours_since(record.deploying_at or clock.now_text())
        if hours > recipe.budget.deployment_hours:
            raise DeploymentFailed(
                f"the deployment of {tuned_model} was not active after {hours:.1f} hours; the recipe allows "
                f"{recipe.budget.deployment_hours:g} (`budget.deployment_hours`). A run with "
                f"`resumes: {record.run_id}` tries again and trains nothing; allow it more hours"
            )
        return Poll("running", "Deploying", self._first_poll)


def summary(metrics: Sequence[Mapping[str, float]], before: TrainingProgress) -> TrainingProgress:
    """What the record keeps about a training: how far it is, and the reward in its first and last steps."""
    rewards = [each["critic_rewards_mean"] for each in metrics if "critic_rewards_mean" in each]
    steps = int(metrics[-1]["step"]) if metrics else None
    progressed = steps is not None and steps != before.steps
    return replace(
        before,
        simulated=bool(before.simulated),
        steps=steps,
        total_steps=int(metrics[-1]["total_steps"]) if metrics and "total_steps" in metrics[-1] else None,
        reward_first=_mean(rewards[:REWARD_WINDOW]),
        reward_last=_mean(rewards[-REWARD_WINDOW:]),
        progress_at=clock.now_text() if progressed or before.progress_at is None else before.progress_at,
    )


def _unless_ended(job: Job) -> None:
    told = f": {job.error.rstrip('.')}" if job.error else ""
    if job.status is JobStatus.FAILED:
        raise TrainingFailed(
            f"Bedrock ended job {job.id} as failed{told}. Mend what it names and start the run again; "
            "if it names nothing, ask AWS support about the job"
        )
    if job.status is JobStatus.CANCELLED:
        raise TrainingCancelled(
            f"job {job.id} was cancelled from outside this run{told}. Start the run again to train anew; CloudTrail "
            "says who cancelled it"
        )


def wait_seconds(age_seconds: float, first: int, later: int) -> int:
    """How long to wait until the next look at a job of this age: often while it is young, and never so often that the
    longest run could pass the limit of Step Functions' history."""
    wanted = first if age_seconds < EAGER_MINUTES * 60 else later
    return max(wanted, ceil(age_seconds * AGE_SHARE))


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _hours_since(moment: str) -> float:
    return (clock.now() - clock.parse(moment)).total_seconds() / 3600

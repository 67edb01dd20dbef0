"""The two state machines: free of faults, true to the design, within the limits; and the checker that says so."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from typing import Any

import jsonata
import pytest
import yaml
from pydantic import BaseModel

from checks import sam_template, state_machines
from tests.in_prove import a_third_in_each_run
from tunedrop import recipe
from tunedrop.queue.pace import turn_wait_seconds
from tunedrop.states.plan_evaluation import LEAST_ANSWERS
from tunedrop.states.poll_job import AGE_SHARE, wait_seconds

MACHINES = sam_template.ROOT / "statemachine"

HISTORY_EVENTS = 25_000
"""Most events of one execution's history, after which it fails (Step Functions' quotas, "Execution history size")."""

EVENTS_OF_STATE = {
    "Wait": 2,  # WaitStateEntered, WaitStateExited
    "Choice": 2,  # ChoiceStateEntered, ChoiceStateExited
    "Task": 5,  # TaskStateEntered, TaskScheduled, TaskStarted, TaskSucceeded, TaskStateExited
}

STATE_BYTES = 256 * 1024
"""Most bytes of a state's input or output."""


def definition(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((MACHINES / f"{name}.asl.yaml").read_text())
    return loaded


@pytest.fixture(scope="module")
def pipeline() -> dict[str, Any]:
    return definition("rft_pipeline")


@pytest.fixture(scope="module")
def aftermath() -> dict[str, Any]:
    return definition("aftermath")


def test_the_state_machines_have_no_fault() -> None:
    assert state_machines.check_all() == []


def test_the_aftermath_has_the_states_of_the_design(aftermath: dict[str, Any]) -> None:
    assert list(aftermath["States"]) == [
        "ReleaseRun",
        "Released?",
        "WaitForRelease",
        "NothingToDo",
        "PublishNotice",
        "MarkNotified",
    ]


def test_before_the_run_is_closed_only_states_that_inform_catch_their_errors(
    pipeline: dict[str, Any],
) -> None:
    names = list(pipeline["States"])
    catching = [name for name in names if "Catch" in pipeline["States"][name]]
    assert catching == [
        "PublishStart",
        "PublishWait",
        "PublishWarning",
        "PromoteModel",
        "WaitForApproval",
    ]
    assert min(names.index(name) for name in catching[3:]) > names.index("ConcludeRun")
    assert pipeline["States"]["EvaluateShards"].get("ToleratedFailurePercentage") is None


# --------------------------------------------------------------------------------------------------------- choices


def goes_on_to(machine: dict[str, Any], choice: str, answer: dict[str, Any]) -> str | None:
    """Where the Choice leads with a function's answer; None where no rule meets it, which fails an execution.

    What the answer holds is given as variables, too: some are kept for later Choices.
    """
    state = machine["States"][choice]
    for rule in state["Choices"]:
        condition = jsonata.Jsonata(rule["Condition"].removeprefix("{%").removesuffix("%}"))
        frame = condition.create_frame()
        frame.bind("states", {"input": answer})
        for name, value in answer.items():
            frame.bind(name, value)
        met = condition.evaluate(None, frame)
        assert isinstance(met, bool), f"{rule['Condition']} is {met!r}; Step Functions takes only a boolean"
        if met:
            return str(rule["Next"])
    default = state.get("Default")
    return None if default is None else str(default)


@pytest.mark.parametrize(
    ("machine", "choice", "answer", "following"),
    a_third_in_each_run(
        [
            ("rft_pipeline", "Registered?", {"decision": "registered"}, "Settle"),
            ("rft_pipeline", "Registered?", {"decision": "duplicate"}, "Duplicate"),
            ("rft_pipeline", "Ready?", {"warnings": [], "decision": "running"}, "WaitForTraining"),
            ("rft_pipeline", "Ready?", {"warnings": [], "decision": "unknown"}, "WaitForTraining"),
            ("rft_pipeline", "Ready?", {"warnings": [], "decision": "ready"}, "PlanEvaluation"),
            ("rft_pipeline", "Ready?", {"warnings": [], "decision": "what is this"}, None),
            ("rft_pipeline", "Ready?", {"warnings": [{"subject": "s"}], "decision": "running"}, "PublishWarning"),
            ("rft_pipeline", "Compared?", {"round": 2}, "PlanEvaluation"),
            ("rft_pipeline", "Compared?", {"round": 0}, "ConcludeRun"),
            ("rft_pipeline", "Promote?", {"promotion": {"wanted": True, "approval": False}}, "PromoteModel"),
            ("rft_pipeline", "Promote?", {"promotion": {"wanted": True, "approval": True}}, "PublishNotice"),
            ("rft_pipeline", "Promote?", {"promotion": {"wanted": False, "approval": False}}, "PublishNotice"),
            ("rft_pipeline", "Told?", {"promotion": {"approval": False}}, "PublishNotice"),
            ("rft_pipeline", "Told?", {"promotion": {"approval": True}}, "Ended"),
            ("rft_pipeline", "Approval?", {"promotion": {"wanted": True, "approval": True}}, "AskForApproval"),
            ("rft_pipeline", "Approval?", {"promotion": {"wanted": True, "approval": False}}, "Ended"),
            ("aftermath", "Released?", {"decision": "publish"}, "PublishNotice"),
            ("aftermath", "Released?", {"decision": "wait"}, "WaitForRelease"),
            ("aftermath", "Released?", {"decision": "nothing"}, "NothingToDo"),
            ("aftermath", "Released?", {"decision": "what is this"}, None),
        ]
    ),
)
def test_each_answer_leads_where_the_story_goes(
    machine: str, choice: str, answer: dict[str, Any], following: str | None
) -> None:
    assert goes_on_to(definition(machine), choice, answer) == following


def test_an_unknown_status_has_a_rule_of_its_own(pipeline: dict[str, Any]) -> None:
    conditions = [rule["Condition"] for rule in pipeline["States"]["Ready?"]["Choices"]]
    assert len(conditions) == len(set(conditions)) == 4


# ---------------------------------------------------------------------------------------------------------- limits


def default(template: dict[str, Any], parameter: str) -> float:
    return float(template["Parameters"][parameter]["Default"])


def test_a_turn_of_polling_makes_three_transitions_and_nine_events(pipeline: dict[str, Any]) -> None:
    turn = ["WaitForTraining", "PollJob", "Ready?"]
    for state, following in zip(turn, [*turn[1:], turn[0]], strict=True):
        scope = state_machines.Scope(pipeline["StartAt"], pipeline["States"])
        assert following in scope.targets(state)
    assert sum(EVENTS_OF_STATE[pipeline["States"][state]["Type"]] for state in turn) == 9


def test_a_turn_of_waiting_makes_three_transitions_and_nine_events(pipeline: dict[str, Any]) -> None:
    turn = ["WaitForTurn", "AwaitTurn", "Turn?"]
    for state, following in zip(turn, [*turn[1:], turn[0]], strict=True):
        scope = state_machines.Scope(pipeline["StartAt"], pipeline["States"])
        assert following in scope.targets(state)
    assert sum(EVENTS_OF_STATE[pipeline["States"][state]["Type"]] for state in turn) == 9


@pytest.mark.parametrize("defaults", [True, False])
def test_the_longest_wait_and_the_longest_training_stay_within_the_history(
    pipeline: dict[str, Any], template: dict[str, Any], defaults: bool
) -> None:
    value = "Default" if defaults else "MinValue"
    first, later = (template["Parameters"][name][value] for name in ("FirstPollSeconds", "LaterPollSeconds"))
    waits, waited = 0, 0
    while waited <= recipe.MOST_WAIT_HOURS * 3600:
        waits, waited = waits + 1, waited + turn_wait_seconds(waited, first)
    looks, age = 0, first
    while age <= most_hours(recipe.Budget, "hours") * 3600:
        looks, age = looks + 1, age + wait_seconds(age, first, later)
    assert (waits, looks) == ((809, 425) if defaults else (995, 1208))
    turns = waits + looks
    elsewhere = sum(EVENTS_OF_STATE.get(state["Type"], 5) for state in pipeline["States"].values())
    # Every fifth look at the job fails and is made again: TaskFailed, TaskScheduled, TaskStarted.
    retries = 3 * turns / 5
    assert 9 * turns + retries + elsewhere < (0.5 if defaults else 0.9) * HISTORY_EVENTS


def test_the_description_of_later_poll_seconds_tells_the_least_wait(template: dict[str, Any]) -> None:
    told = re.search(r"at least 1/(\d+) of the job's age", template["Parameters"]["LaterPollSeconds"]["Description"])
    assert told is not None
    assert 1 / int(told[1]) == AGE_SHARE


def most_hours(section: type[BaseModel], field: str) -> float:
    """The most that the recipe's field may be."""
    return max(float(each.le) for each in section.model_fields[field].metadata if hasattr(each, "le"))


def test_the_machine_outlasts_the_longest_training_and_the_longest_approval_by_a_day(pipeline: dict[str, Any]) -> None:
    longest = most_hours(recipe.Budget, "hours") + most_hours(recipe.Promotion, "approval_hours")
    longest += most_hours(recipe.Queue, "wait_hours")
    assert pipeline["TimeoutSeconds"] == (longest + 24) * 3600


def test_what_the_shards_return_fits_into_a_state(pipeline: dict[str, Any]) -> None:
    shards = pipeline["States"]["EvaluateShards"]
    assert shards["ItemProcessor"]["States"]["EvaluateShard"]["Output"] == {}
    # 20,000 rows, three candidates, 16 samples, in the smallest shards there are; each returns {} and a comma.
    assert 20_000 * 3 * 16 / LEAST_ANSWERS * len("{},") < STATE_BYTES


def test_the_waiting_of_the_aftermath_stays_within_the_history(aftermath: dict[str, Any]) -> None:
    turn = ["ReleaseRun", "Released?", "WaitForRelease"]
    events = sum(EVENTS_OF_STATE[aftermath["States"][state]["Type"]] for state in turn)
    least_wait_seconds = 4
    assert events * aftermath["TimeoutSeconds"] / least_wait_seconds < 0.8 * HISTORY_EVENTS


def tasks(machine: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = {}
    for name, state in machine["States"].items():
        if state["Type"] == "Task":
            found[name] = state
        if "ItemProcessor" in state:
            found |= tasks(state["ItemProcessor"])
    return found


@pytest.mark.parametrize("name", ["rft_pipeline", "aftermath"])
def test_a_task_waits_a_little_longer_than_its_function_may_take(name: str, template: dict[str, Any]) -> None:
    shared = template["Globals"]["Function"]["Timeout"]
    invoking = {state: task for state, task in tasks(definition(name)).items() if "lambda" in task["Resource"]}
    assert invoking
    for state, task in invoking.items():
        assert task["Arguments"]["FunctionName"] == f"${{{state}}}", "a state's function has the state's name"
        timeout = template["Resources"][state]["Properties"].get("Timeout", shared)
        assert timeout < task["TimeoutSeconds"] <= timeout + 60, state


def test_polling_outlasts_an_outage_of_half_an_hour(pipeline: dict[str, Any]) -> None:
    retrier = pipeline["States"]["PollJob"]["Retry"][0]
    delay, waited = retrier["IntervalSeconds"], 0.0
    for _ in range(retrier["MaxAttempts"]):
        waited += min(delay, retrier["MaxDelaySeconds"]) / 2  # full jitter: half of it on the average
        delay *= retrier["BackoffRate"]
    assert waited > 30 * 60


# ------------------------------------------------------------------------------------------------- planted faults

PIPELINE_TEXT = (MACHINES / "rft_pipeline.asl.yaml").read_text()


@functools.cache
def given() -> frozenset[str]:
    """The names of the substitutions that the template gives to the pipeline."""
    return frozenset(sam_template.machines(sam_template.read())["Pipeline"]["DefinitionSubstitutions"])


@functools.cache
def _pipeline_json() -> str:
    return json.dumps(yaml.safe_load(PIPELINE_TEXT))


def planted(change: Callable[[dict[str, Any]], None]) -> list[state_machines.Fault]:
    """What the checker finds in a copy of the pipeline that has been changed."""
    machine = json.loads(_pipeline_json())
    change(machine)
    return state_machines.check("planted", json.dumps(machine), given())


def _set(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(machine: dict[str, Any]) -> None:
        inner: Any = machine
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value

    return change


def _drop(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(machine: dict[str, Any]) -> None:
        inner: Any = machine
        for step in path[:-1]:
            inner = inner[step]
        del inner[path[-1]]

    return change


STATES = "States"
SHARD = (STATES, "EvaluateShards", "ItemProcessor", STATES, "EvaluateShard")


@pytest.mark.parametrize(
    ("change", "state", "rule"),
    a_third_in_each_run(
        [
            (_set(STATES, "SubmitJob", "Next", value="WaitForTrainin"), "SubmitJob", "dangling"),
            (_set(STATES, "Ready?", "Choices", 1, "Next", value="Nowhere"), "Ready?", "dangling"),
            (_set(STATES, "Promote?", "Default", value="Nowhere"), "Promote?", "dangling"),
            (_set("StartAt", value="Register"), "RegisterRun", "dangling"),
            (_set(STATES, "Approval?", "Choices", 0, "Next", value="Ended"), "AskForApproval", "unreachable"),
            (_set(STATES, "MarkNotified", "Next", value="MarkNotified"), "MarkNotified", "endless"),
            (
                _set(STATES, "WaitForApproval", "Retry", 0, "ErrorEquals", 0, value="States.Timeout"),
                "WaitForApproval",
                "retry",
            ),
            (_set(STATES, "Ready?", "Choices", 1, "Next", value="WaitForTraining"), "PollJob", "endless"),
            (_drop(*SHARD, "End"), "EvaluateShard", "endless"),
            (_set(STATES, "PollJob", "Arguments", "FunctionName", value="${PolJob}"), "", "substitution"),
            (_set(STATES, "Settle", "Seconds", value="{% $states.input. %}"), "Settle", "jsonata"),
            (_set(STATES, "Settle", "Seconds", value="{% 1 %} second"), "Settle", "jsonata"),
            (_set(STATES, "PollJob", "Arguments", "Payload", "run_id", value="{% $runid %}"), "PollJob", "variable"),
            (_drop(STATES, "ConcludeRun", "Assign"), "PublishNotice", "variable"),
            (_set(*SHARD, "Arguments", "Payload", value="{% $run_id %}"), "EvaluateShard", "variable"),
            (_drop(STATES, "PublishNotice", "TimeoutSeconds"), "PublishNotice", "timeout"),
            (_drop(*SHARD, "TimeoutSeconds"), "EvaluateShard", "timeout"),
            (_drop("TimeoutSeconds"), "", "timeout"),
            (_drop(STATES, "PlanEvaluation", "Retry"), "PlanEvaluation", "retry"),
            (_drop(STATES, "PlanEvaluation", "Retry", 1), "PlanEvaluation", "retry"),
            (_drop(STATES, "PublishNotice", "Retry"), "PublishNotice", "retry"),
            (_drop(STATES, "PollJob", "Retry", 0, "JitterStrategy"), "PollJob", "retry"),
            (_drop(STATES, "PollJob", "Retry", 0, "MaxDelaySeconds"), "PollJob", "retry"),
            (_drop(STATES, "PollJob", "Retry", 0, "ErrorEquals", 4), "PollJob", "retry"),
            (_set(STATES, "PollJob", "Retry", 0, "ErrorEquals", 5, value="TrainingFailed"), "PollJob", "retry"),
            (_set(STATES, "PollJob", "Retry", 0, "ErrorEquals", 5, value="ServiceBsy"), "PollJob", "retry"),
            (_set(STATES, "PollJob", "Retry", 0, "ErrorEquals", 5, value="States.TaskFailed"), "PollJob", "retry"),
            (_drop(STATES, "Settle", "Comment"), "Settle", "comment"),
            (_drop(*SHARD, "Comment"), "EvaluateShard", "comment"),
            (_drop("Comment"), "", "comment"),
            (_drop("QueryLanguage"), "", "query-language"),
        ]
    ),
)
def test_a_planted_fault_is_found(change: Callable[[dict[str, Any]], None], state: str, rule: str) -> None:
    assert (state, rule) in {(fault.state, fault.rule) for fault in planted(change)}


def test_a_substitution_that_is_given_and_not_used_is_found() -> None:
    found = state_machines.check("planted", PIPELINE_TEXT, given() | {"Spare"})
    assert [(fault.rule, "Spare" in fault.message) for fault in found] == [("substitution", True)]


def test_the_unchanged_copy_has_no_fault() -> None:
    assert planted(lambda machine: None) == []


def test_a_variable_that_a_state_on_the_way_assigns_is_no_fault() -> None:
    change = _set(STATES, "Settle", "Seconds", value="{% $count([$run_id, $now(), $uuid()]) + (function($x){$x})(1) %}")
    assert planted(change) == []

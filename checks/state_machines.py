"""Faults of a state machine that no linter finds before it runs: in its graph, its expressions, its retries.

    python -m checks.state_machines       checks every state machine of template.yaml; exits 1 when it finds a fault

cfn-lint checks a definition against the language's schema; it misses a `Next` that names no state, a state that none
reaches, a JSONata expression that does not compile, a variable that may not be assigned yet, and all that is this
project's own rule: a reason on every state, a time limit and patient retries on every Task, no retry of what a run is
to end by.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonata
import yaml

from checks import sam_template
from tunedrop import outcomes

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, where this build of PyYAML has it: ten times as fast."""

LAMBDA_ERRORS = frozenset(
    {
        # The service's own: https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.TooManyRequestsException",
        # The function's process: its timeout, its exit, an end that Lambda cannot name, and no answer at all.
        "Sandbox.Timedout",
        "Runtime.ExitError",
        "Lambda.Unknown",
        "States.Timeout",
    }
)
"""What every Task that invokes a function tries again after."""

NATIVE_ERRORS = frozenset({"States.TaskFailed", "States.Timeout"})
"""What every Task that calls another service tries again after: it has no domain errors to let through."""

CATCH_ALL_ERRORS = frozenset({"States.ALL", "States.TaskFailed"})
"""What a Task that invokes a function must not name: it would run again what the run is to end by."""

_LAMBDA_INVOKE = ":states:::lambda:invoke"
_WAITING = ".waitForTaskToken"
_SUBSTITUTION = re.compile(r"\$\{([A-Za-z0-9_]+)\}")
_BUILT_IN_VARIABLES = frozenset({"states", "", "$"})
"""`$states`, and JSONata's own `$` (the context) and `$$` (the root)."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong. `state` is empty where it concerns the whole machine."""

    machine: str
    state: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{', '.join(filter(None, (self.machine, self.state)))}: {self.message} [{self.rule}]"


@dataclass(frozen=True, slots=True)
class Scope:
    """States that can follow each other: the machine's own, or those of one Map's processor."""

    start: str
    states: Mapping[str, Mapping[str, Any]]

    def targets(self, name: str) -> set[str]:
        """The names that state `name` can go on to, whether they exist or not."""
        state = self.states[name]
        choices = [each["Next"] for each in state.get("Choices", ()) if "Next" in each]
        catches = [each["Next"] for each in state.get("Catch", ()) if "Next" in each]
        single = [state[field] for field in ("Next", "Default") if field in state]
        return {*choices, *catches, *single}

    def reachable(self, start: str) -> set[str]:
        """Every state that an execution at `start` may be in, now or later."""
        seen: set[str] = set()
        ahead = {start} & self.states.keys()
        while ahead:
            name = ahead.pop()
            seen.add(name)
            ahead |= (self.targets(name) & self.states.keys()) - seen
        return seen

    def ends(self, name: str) -> bool:
        """Whether an execution may end with state `name`."""
        state = self.states[name]
        return state.get("End") is True or state["Type"] in {"Succeed", "Fail"}


def check(machine: str, text: str, given: frozenset[str]) -> list[Fault]:
    """The faults of one machine: `text` is its definition in YAML, `given` the names of its DefinitionSubstitutions."""
    definition = yaml.load(text, _LOADER)  # noqa: S506 - it is one of the safe ones
    found = {Fault(machine, "", rule, message) for rule, message in _machine_faults(definition, given)}
    for scope in _scopes(definition):
        for name, state in scope.states.items():
            for rule, message in (*_graph_faults(scope, name), *_state_faults(state), *_expression_faults(state)):
                found.add(Fault(machine, name, rule, message))
        for name, rule, message in _variable_faults(scope):
            found.add(Fault(machine, name, rule, message))
    return sorted(found)


def check_all(root: Path = sam_template.ROOT) -> list[Fault]:
    """The faults of every state machine in the SAM template below `root`."""
    found = []
    for properties in sam_template.machines(sam_template.read(root)).values():
        path = properties["DefinitionUri"]
        given = frozenset(properties.get("DefinitionSubstitutions", {}))
        found += check(path, (root / path).read_text(), given)
    return found


def _scopes(definition: Mapping[str, Any]) -> Iterator[Scope]:
    yield Scope(definition["StartAt"], definition["States"])
    for state in definition["States"].values():
        for inner in (state.get("ItemProcessor"), *state.get("Branches", ())):
            if inner is not None:
                yield from _scopes(inner)


def _machine_faults(definition: Mapping[str, Any], given: frozenset[str]) -> Iterator[tuple[str, str]]:
    if definition.get("QueryLanguage") != "JSONata":
        yield "query-language", "QueryLanguage must be JSONata for the whole machine"
    if "TimeoutSeconds" not in definition:
        yield "timeout", "the machine has no TimeoutSeconds; without one an execution may last a year"
    if not definition.get("Comment"):
        yield "comment", "the machine has no Comment"
    used = {name for each in _texts(definition) for name in _SUBSTITUTION.findall(each)}
    for name in sorted(used - given):
        yield "substitution", f"${{{name}}} is used, and the template's DefinitionSubstitutions do not give it"
    for name in sorted(given - used):
        yield "substitution", f"the template's DefinitionSubstitutions give {name}, and the definition does not use it"


def _graph_faults(scope: Scope, name: str) -> Iterator[tuple[str, str]]:
    for target in sorted(scope.targets(name) - scope.states.keys()):
        yield "dangling", f"goes on to {target}, which is no state"
    if scope.start not in scope.states:
        yield "dangling", f"StartAt names {scope.start}, which is no state"
    reached = scope.reachable(scope.start)
    if name not in reached:
        yield "unreachable", f"no state that {scope.start} leads to goes on to it"
    state = scope.states[name]
    leads_on = state["Type"] in ("Choice", "Succeed", "Fail") or "Next" in state or state.get("End")
    if not leads_on or not any(scope.ends(each) for each in scope.reachable(name)):
        yield "endless", "no way from here comes to an end"


def _state_faults(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not state.get("Comment"):
        yield "comment", "has no Comment that gives its reason"
    if state["Type"] != "Task":
        return
    if "TimeoutSeconds" not in state:
        yield "timeout", "has no TimeoutSeconds; a Task without one waits for as long as the machine may run"
    invokes = state["Resource"].endswith(_LAMBDA_INVOKE)
    retried = {error for each in state.get("Retry", ()) for error in each["ErrorEquals"]}
    # Where a person's answer is waited for, silence is an answer.
    silence = {"States.Timeout"} if state["Resource"].endswith(_WAITING) else set()
    for error in sorted((LAMBDA_ERRORS if invokes else NATIVE_ERRORS - silence) - retried):
        yield "retry", f"does not retry {error}"
    for error in sorted(silence & retried):
        yield "retry", f"retries {error}, and so waits again for an answer that did not come"
    for retrier in state.get("Retry", ()):
        if retrier.get("JitterStrategy") != "FULL" or "MaxDelaySeconds" not in retrier:
            yield "retry", f"retries {', '.join(retrier['ErrorEquals'])} without full jitter and a MaxDelaySeconds"
    if invokes:
        yield from _domain_retry_faults(retried)


def _domain_retry_faults(retried: set[str]) -> Iterator[tuple[str, str]]:
    for error in sorted(retried & CATCH_ALL_ERRORS):
        yield "retry", f"retries {error}, and with it the errors that a run is to end by"
    for error in sorted(each for each in retried if "." not in each):
        known = getattr(outcomes, error, None)
        if not (isinstance(known, type) and issubclass(known, outcomes.Transient)):
            yield "retry", f"retries {error}, which is not a transient error of tunedrop.outcomes"


def _expression_faults(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for text in _texts(_without_inner_states(state)):
        if not ("{%" in text or "%}" in text):
            continue
        expression = _expression(text)
        if expression is None:
            yield "jsonata", f"{text!r} is taken as it stands: an expression fills its whole text, from {{% to %}}"
            continue
        try:
            jsonata.Jsonata(expression)
        except jsonata.JException as error:
            yield "jsonata", f"{text!r} does not compile: {error}"


def _variable_faults(scope: Scope) -> Iterator[tuple[str, str, str]]:
    """Variables that some way through the graph uses before it assigns them: AWS fails the execution there."""
    assigned = _assigned_before(scope)
    for name in sorted(scope.reachable(scope.start)):
        for text in _texts(_without_inner_states(scope.states[name])):
            for variable in sorted(_variables(text) - assigned[name]):
                yield name, "variable", f"{text!r} uses ${variable}, which no state has assigned on some way to here"


def _assigned_before(scope: Scope) -> dict[str, set[str]]:
    """For each reachable state, the variables that every way to it has assigned: the usual forward analysis."""
    reached = scope.reachable(scope.start)
    everything = {variable for name in reached for variable in _all_assigned(scope.states[name])}
    before = {name: set() if name == scope.start else set(everything) for name in reached}
    changed = True
    while changed:
        changed = False
        for name in reached:
            for target, assigns in _steps(scope.states[name]):
                if target not in before:
                    continue
                kept = before[target] & (before[name] | assigns)
                changed = changed or kept != before[target]
                before[target] = kept
    return before


def _steps(state: Mapping[str, Any]) -> Iterator[tuple[str, set[str]]]:
    """Each way out of a state, with what is assigned on it: a Choice rule and a Catch have their own Assign."""
    own = set(state.get("Assign", ()))
    for each in (*state.get("Choices", ()), *state.get("Catch", ())):
        yield each.get("Next", ""), set(each.get("Assign", ()))
    for field in ("Next", "Default"):
        if field in state:
            yield state[field], own


def _all_assigned(state: Mapping[str, Any]) -> set[str]:
    return set(state.get("Assign", ())).union(*(assigns for _, assigns in _steps(state)))


def _variables(text: str) -> set[str]:
    """The workflow variables that an expression reads; none for a text that is no expression or does not compile."""
    expression = _expression(text)
    if expression is None:
        return set()
    try:
        tree = jsonata.Jsonata(expression).ast
    except jsonata.JException:
        return set()
    bound: set[str] = set(_BUILT_IN_VARIABLES)
    read: set[str] = set()
    for node in _nodes(tree):
        kind = getattr(node, "type", None)
        if kind == "variable":
            read.add(str(node.value))
        elif kind == "bind":
            bound.add(str(node.lhs.value))
        elif kind == "lambda":
            bound |= {str(each.value) for each in node.arguments}
    functions = {name for name in read if _is_function(name)}
    return read - bound - functions


def _is_function(name: str) -> bool:
    # Step Functions adds $partition, $range, $hash, $random, $uuid and $parse to JSONata's own functions:
    # https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
    added = {"partition", "range", "hash", "random", "uuid", "parse"}
    return name in added or jsonata.Jsonata.static_frame.lookup(name) is not None


def _nodes(node: Any, seen: set[int] | None = None) -> Iterator[Any]:
    """Every node of a JSONata syntax tree, whichever attribute it hangs on."""
    seen = set() if seen is None else seen
    if isinstance(node, (list, tuple)):
        for each in node:
            yield from _nodes(each, seen)
    elif hasattr(node, "__dict__") and hasattr(node, "type") and id(node) not in seen:
        seen.add(id(node))
        yield node
        for name, each in vars(node).items():
            if not name.startswith("_outer"):
                yield from _nodes(each, seen)


def _expression(text: str) -> str | None:
    """What stands between {% and %} where these are the text's two ends, else None."""
    bare = text.strip()
    return bare[2:-2] if bare.startswith("{%") and bare.endswith("%}") and len(bare) >= len("{%%}") else None


def _without_inner_states(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """The state without its Comment, which is prose, and without the states within it, which are checked apart."""
    return {name: value for name, value in state.items() if name not in {"Comment", "ItemProcessor", "Branches"}}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def main() -> int:
    """Print what is wrong; 1 when something is."""
    faults = check_all()
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

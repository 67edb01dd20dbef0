"""No option without a run: each field of a recipe and each parameter of the template is used by a run of the list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from checks import sam_template
from tests.driven_runs import NOT_ON_ONE_MACHINE, RUNS, DrivenRun, named
from tunedrop import catalog
from tunedrop.graders.kinds import KINDS
from tunedrop.recipe import Recipe

GIVEN_BY_THE_LOCAL_STACK = {"MantleBaseUrl"}
HYPERPARAMETERS = "hyperparameters."


def fields(model: type[BaseModel], within: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Path, type and default of each field of a recipe that is no section itself."""
    for name, field in model.model_fields.items():
        path = f"{within}{name}"
        section = section_of(field.annotation)
        if section is not None:
            yield from fields(section, f"{path}.")
        elif path != "hyperparameters":
            yield path, field.annotation, field.default


def section_of(annotation: Any) -> type[BaseModel] | None:
    for each in (annotation, *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
    return None


def values_of(annotation: Any) -> tuple[Any, ...]:
    """The values of a closed set, or of a list from one; none for any other type."""
    if annotation is bool:
        return (True, False)
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return next((found for each in get_args(annotation) if (found := values_of(each))), ())


def what_runs(kind: str) -> str:
    """The trust of a kind of grader, as kinds of one trust differ in nothing that a run sees; others by their names."""
    described = KINDS.get(kind)
    return kind if described is None or described.composed else described.trust


def model_of(run: DrivenRun) -> str:
    told = (run.recipe or {}).get("model")
    return catalog.find(told).id if told else catalog.default_for_region(run.deployment.region).id


def undriven(runs: tuple[DrivenRun, ...]) -> set[str]:
    """Each option, and each value of a closed set, that none of the runs uses."""
    used: dict[str, list[Any]] = {}
    for run in runs:
        for path, value in named(run.recipe or {}):
            where = f"{path} of {model_of(run)}" if path.startswith(HYPERPARAMETERS) else path
            used.setdefault(where, []).extend(value if isinstance(value, (list, tuple)) else [value])
    found = set()
    for path, annotation, default in fields(Recipe):
        told = used.get(path, [])
        if path == "model":
            told = [model_of(run) for run in runs]
        if not [value for value in told if value != default]:
            found.add(f"field {path}")
        wanted = tuple(each.id for each in catalog.models()) if path == "model" else values_of(annotation)
        if path == "grader.kind":
            wanted, told = tuple(map(what_runs, wanted)), list(map(what_runs, [*told, default]))
        found |= {f"field {path}: {value}" for value in wanted if value not in (*told, default)}
    for model in catalog.models():
        for name, bounds in model.hyperparameters.items():
            where = f"{HYPERPARAMETERS}{name} of {model.id}"
            told = used.get(where, [])
            if not [value for value in told if value != bounds.default]:
                found.add(f"field {where}")
            found |= {f"field {where}: {value}" for value in bounds.choices if value not in told}
    return found | undriven_parameters(runs)


def undriven_parameters(runs: tuple[DrivenRun, ...]) -> set[str]:
    found = set()
    deployments = {run.deployment.name: run.deployment for run in runs}.values()
    for name, parameter in sam_template.read()["Parameters"].items():
        default = parameter.get("Default")
        given = [each.parameters.get(name, default) for each in deployments]
        if name not in GIVEN_BY_THE_LOCAL_STACK and not [value for value in given if value != default]:
            found.add(f"parameter {name}")
        found |= {f"parameter {name}: {value}" for value in parameter.get("AllowedValues", ()) if value not in given}
    return found


def test_each_option_is_used_by_a_run_from_its_start_to_its_notice() -> None:
    assert undriven(RUNS) == NOT_ON_ONE_MACHINE.keys(), (
        "put these options, with values other than their defaults, into a recipe of tests/driven_runs.py or a "
        "deployment of tests/driven_deployments.py, or say why none can use them"
    )


def test_an_option_that_no_run_uses_is_named() -> None:
    nothing = undriven(())
    assert {f"field {path}" for path, _, _ in fields(Recipe)} <= nothing
    assert {"field health.stop_on: verbosity", "field grader.kind: judge", "field model: qwen.qwen3-32b"} <= nothing
    assert "field hyperparameters.reasoningEffort of amazon.nova-2-lite-v1:0:256k: high" in nothing
    assert {"parameter Encryption: aws", "parameter Teams"} <= nothing


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_each_run_of_the_list_has_a_name_of_its_own_and_ends_by_name(run: DrivenRun) -> None:
    assert [each.name for each in RUNS].count(run.name) == 1
    assert (run.status == "SUCCEEDED") == (run.error == "")
    assert not run.after or run.after in {each.name for each in RUNS if each.deployment is run.deployment}


@pytest.mark.parametrize("reason", NOT_ON_ONE_MACHINE.values())
def test_what_holds_an_undriven_option_exists(reason: str) -> None:
    (path,) = re.findall(r"tests/\S+\.py", reason)
    assert (sam_template.ROOT / path).is_file()

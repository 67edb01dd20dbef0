"""The pictures of the documents, as Mermaid: the states from the state machines, the package from its imports."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import grimp
import yaml

from checks import sam_template
from tunedrop.stages import BY_NAME, ORDER, STAGE_OF_STATE

_ROOT = sam_template.ROOT
_SHAPES = {"Choice": '{{"{}"}}', "Wait": '(["{}"])', "Succeed": '((("{}")))', "Fail": '((("{}")))', "Map": '[["{}"]]'}
_DECISION = re.compile(r"(?:decision|wait_seconds|\$word|next_round|wanted|approval)\W.*?'(\w+)'")

_COMMON_LINES = 4
"""The lowest lines of the contract: small modules that everything above them may use. The picture leaves them out."""

Arrows = Mapping[str, frozenset[str]]


def machine(name: str) -> str:
    """A state machine: its states, and where each leads; dotted, where an error leads that is caught."""
    states = _states(name)
    lines = ["flowchart TB"]
    lines += [f"    {_id(state)}{_SHAPES.get(each['Type'], '[{}]').format(state)}" for state, each in states.items()]
    for state, each in states.items():
        for target, label, caught in _transitions(each):
            arrow = "-. error .->" if caught else f"-- {label} -->" if label else "-->"
            lines.append(f"    {_id(state)} {arrow} {_id(target)}")
    return _mermaid(lines)


def stages() -> str:
    """The stages of the pipeline: the way of a run through them, and the ways that only some runs take (dotted)."""
    leads = {
        (STAGE_OF_STATE[state], STAGE_OF_STATE[target])
        for state, each in _states("rft_pipeline").items()
        if state in STAGE_OF_STATE
        for target, _, _ in _transitions(each)
        if target in STAGE_OF_STATE
    }
    usual = [name for name in ORDER if not BY_NAME[name].optional]
    chain = list(pairwise(usual))
    others = sorted(
        ((one, other) for one, other in leads if one != other and (one, other) not in chain),
        key=lambda each: (ORDER.index(each[0]), ORDER.index(each[1])),
    )
    missing = [each for each in chain if each not in leads]
    if missing:
        raise ValueError(f"the pipeline has no way from {missing[0][0]} to {missing[0][1]}")
    lines = ["flowchart LR", f"    {' --> '.join(usual)}"]
    return _mermaid([*lines, *(f"    {one} -.-> {other}" for one, other in others)])


def package() -> str:
    """The package's parts, and which imports which; an arrow that follows from others is left out."""
    layers = _layers()
    shown = [part for layer in layers[:-_COMMON_LINES] for part in layer]
    arrows = _reduced({part: imported & frozenset(shown) for part, imported in _imports().items() if part in shown})
    lines = ["flowchart TB"]
    lines += [f"    {part} --> {' & '.join(sorted(arrows[part], key=shown.index))}" for part in shown if arrows[part]]
    return _mermaid(lines)


def _states(machine_name: str) -> Mapping[str, Any]:
    states: Mapping[str, Any] = yaml.safe_load((_ROOT / f"statemachine/{machine_name}.asl.yaml").read_text())["States"]
    return states


def _transitions(state: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Where a state leads: the next state, the decision that leads there, and whether that is a caught error."""
    for choice in state.get("Choices", ()):
        found = _DECISION.search(choice["Condition"])
        yield choice["Next"], found[1] if found else "", False
    for name in ("Next", "Default"):
        if name in state:
            yield state[name], "", False
    for catcher in state.get("Catch", ()):
        if catcher["Next"] != state.get("Next"):
            yield catcher["Next"], "", True


def _layers() -> list[list[str]]:
    """The lines of the contract on the package's layers, the highest first."""
    settings = tomllib.loads((_ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    (lines,) = (each["layers"] for each in contracts if each.get("containers") == ["tunedrop"])
    return [[part.strip() for part in line.split("|")] for line in lines]


def _imports() -> Arrows:
    """The package's parts, and the parts that each imports."""
    graph = grimp.build_graph("tunedrop", exclude_type_checking_imports=True, cache_dir=None)
    found: dict[str, set[str]] = {}
    for module in graph.modules:
        part = _part(module)
        imported = {_part(each) for each in graph.find_modules_directly_imported_by(module)}
        found.setdefault(part, set()).update(imported - {part, ""})
    return {part: frozenset(imported) for part, imported in found.items()}


def _part(module: str) -> str:
    """The part of the package that a module belongs to; "" for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def _reduced(arrows: Arrows) -> Arrows:
    """The arrows without those that follow from two or more others. There must be no circle."""

    def reached(part: str) -> frozenset[str]:
        return frozenset().union(arrows[part], *(reached(each) for each in arrows[part]))

    def beyond(parts: Iterable[str]) -> frozenset[str]:
        return frozenset().union(*(reached(each) for each in parts))

    return {part: imported - beyond(imported) for part, imported in arrows.items()}


def _id(state: str) -> str:
    """A state's name as Mermaid takes it for a node; `end` alone would be one of its words."""
    return re.sub(r"\W", "_", state)


def _mermaid(lines: Iterable[str]) -> str:
    return "\n".join(["```mermaid", *lines, "```"])

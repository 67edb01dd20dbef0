"""The tables of the report's page that are made from several figures: parts, training, rehearsal, hyperparameters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tunedrop.catalog import Model, models
from tunedrop.evaluation.answers import BASE, TUNED
from tunedrop.reporting.page_data import CURVES
from tunedrop.reporting.wording import counted, number, words

Row = dict[str, Any]

MOST_PARTS = 40
"""Most fields or labels that the page lists."""

FEW_PARTS = 10
"""So many of them are listed even where they cost nothing."""

_LEAST_COMMON = 20
"""Characters with which all prompts must begin before their titles leave them out."""

_TITLES = {BASE: "Base", TUNED: "Tuned"}


def parts_table(evaluation: Mapping[str, Any]) -> Row | None:
    """What each field, label or part cost, or how many tests passed; None where the grader tells no parts."""
    parts = evaluation.get("parts")
    if not parts:
        return None
    if parts["of"] == "tests":
        return _tests(parts["passed"])
    rows = parts["rows"]
    names = _ordered({name for row in rows for name in row["candidates"]})
    made = _labels(rows, names) if parts["of"] == "labels" else _fields(rows, names, parts["of"])
    matrices = [_matrix(name, parts["confusion"][name]) for name in names if name in parts["confusion"]]
    return {**made, "left_out": len(rows) - len(made["lines"]), "matrices": matrices}


def _told_rows(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The parts that cost something, and some of the others where those are few; they come by their cost."""
    costly = sum(any(figures["cost"] for figures in row["candidates"].values()) for row in rows)
    return rows[: min(MOST_PARTS, max(costly, FEW_PARTS))]


def _tests(passed: Mapping[str, Mapping[str, int]]) -> Row:
    lines = [
        [_title(name), *(_share(passed[name][kind], sum(passed[name].values())) for kind in ("all", "some", "none"))]
        for name in _ordered(passed)
    ]
    return {
        "title": "What passed the tests",
        "note": "Answers by how many of their row's tests they passed. An opened row shows which ones.",
        "columns": ["Model", "All tests", "Some", "None"],
        "lines": lines,
        "left_out": 0,
        "matrices": [],
    }


def _fields(rows: Sequence[Mapping[str, Any]], names: Sequence[str], of: str) -> Row:
    """`of`: "fields", or "parts" where several graders grade an answer."""
    columns = [of.removesuffix("s").capitalize()]
    for name in names:
        columns += [f"{_title(name)}: right", f"{_title(name)}: cost"]
    lines = []
    for row in _told_rows(rows):
        line = [row["name"]]
        for name in names:
            figures = row["candidates"].get(name)
            line += (
                [_share(figures["right"], figures["answers"]), number(figures["cost"], "reward")]
                if figures
                else ["–", "–"]
            )
        lines.append(line)
    return {
        "title": f"What each {of.removesuffix('s')} cost",
        "note": _PARTS_NOTE if of == "parts" else _FIELDS_NOTE,
        "columns": columns,
        "lines": lines,
    }


_FIELDS_NOTE = (
    "Right: in how many of the answers that have the field or should have it. Cost: how much of the mean reward it "
    "took away. Those that cost the most come first."
)
_PARTS_NOTE = (
    "Right: in how many of the answers this part had its full score. Cost: how much higher the mean reward would be if "
    "this part alone were right. What a part's own grader reports, such as a field, is under the part's name."
)


def _labels(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Row:
    columns = ["Label"]
    for name in names:
        columns += [f"{_title(name)}: found", f"{_title(name)}: rightly given", f"{_title(name)}: cost"]
    lines = []
    for row in rows[:MOST_PARTS]:
        line = [row["name"]]
        for name in names:
            figures = row["candidates"].get(name)
            line += (
                [
                    _share(figures["both"], figures["expected"]),
                    _share(figures["both"], figures["given"]),
                    number(figures["cost"], "reward"),
                ]
                if figures
                else ["–"] * 3
            )
        lines.append(line)
    return {
        "title": "Label by label",
        "note": "Found: of the answers in which the label is right, those that give it (recall). Rightly given: of "
        "those that give it, those in which it is right (precision). Cost: how much of the mean reward it took away.",
        "columns": columns,
        "lines": lines,
    }


def _matrix(name: str, matrix: Mapping[str, Any]) -> Row:
    return {
        "title": f"{_title(name)}: which label was given for which",
        "given": matrix["given"],
        "lines": [
            {
                "name": right,
                "cells": [
                    {"count": f"{count:,}", "tone": "" if not count else "right" if given == right else "wrong"}
                    for given, count in zip(matrix["given"], counts, strict=True)
                ],
            }
            for right, counts in zip(matrix["right"], matrix["counts"], strict=True)
        ],
    }


def training_facts(report: Mapping[str, Any]) -> list[Row]:
    """What the service tells of the training and what it does not, measure by measure."""
    training = report["training"]
    series = training.get("metrics") or []
    rows: list[tuple[str, str]] = []
    if not series:
        missing = ", ".join(curve.title.lower() for curve in CURVES)
        told = f"{missing}, groups without signal, grader errors, length of thoughts, samples of what the model tried"
        return [{"name": "Not reported by the service", "value": told, "code": False}]
    for curve in CURVES:
        if not any(step.get(key) is not None for key in curve.keys for step in series):
            rows.append((curve.title, _NOT_TOLD))
    rows += [("Groups without signal", _without_signal(series)), ("Length of thoughts", _thoughts(series))]
    errors = next((each["message"] for each in training.get("health") or [] if each["rule"] == "grader_errors"), None)
    rows.append(("Grader errors", errors or "none noticed; Tunedrop reports them from 2% of the answers on"))
    rows.append(("Rollouts", "not given by the service: there is no sample of what the model tried while it trained"))
    return [{"name": name, "value": value, "code": False} for name, value in rows]


_NOT_TOLD = "not reported by the service"


def _without_signal(series: Sequence[Mapping[str, Any]]) -> str:
    """Steps whose advantages and loss are all zero: the only sign that means over a step give of equal groups."""
    known = [
        each
        for each in series
        if each.get("critic_advantages_mean") is not None and each.get("actor_pg_loss") is not None
    ]
    if not known:
        return _NOT_TOLD
    equal = sum(abs(each["critic_advantages_mean"]) < 1e-9 and abs(each["actor_pg_loss"]) < 1e-9 for each in known)
    return (
        f"in {equal:,} of {counted(len(known), 'step')} the rewards of every group were equal, so the step taught "
        "nothing. The service reports only means over a step, not how many groups of a step had no signal"
    )


def _thoughts(series: Sequence[Mapping[str, Any]]) -> str:
    keys = sorted({key for each in series for key in each if "thought" in key or "reasoning" in key})
    return f"reported as {', '.join(keys)}" if keys else _NOT_TOLD


def no_metrics(report: Mapping[str, Any]) -> str:
    """Why there is no curve."""
    model = _model(report)
    if model is not None and not model.gives_events:
        return (
            "Bedrock gives no events for jobs of this model, and wrote no metrics into the job's output, so there is "
            "no curve and no number of steps."
        )
    return "The service reported no metrics for this job."


def _model(report: Mapping[str, Any]) -> Model | None:
    return next((model for model in models() if model.id == report["base_model"]), None)


def checkpoints(training: Mapping[str, Any]) -> list[Row]:
    """The models among which the best was chosen; empty where nothing was chosen."""
    choice = training.get("choice") or {}
    return [{**each, "chosen": each["name"] == choice.get("chosen")} for each in choice.get("figures") or []]


def hyperparameters(report: Mapping[str, Any]) -> list[Row]:
    """The hyperparameters of the run, each with what it does."""
    given = (report["recipe"] or {}).get("hyperparameters") or {}
    model = _model(report)
    known = model.hyperparameters if model else {}
    return [
        {"name": name, "value": value, "meaning": known[name].meaning if name in known else ""}
        for name, value in given.items()
    ]


def sampled(report: Mapping[str, Any]) -> Row | None:
    """What the rehearsal sampled, in the page's words; None where the report has no samples.

    A cheat is `paid` where it earned more than honest wrong answers by more than the recipe's margin.
    """
    rehearsal = report["rehearsal"] or {}
    told = rehearsal.get("sampled")
    if not told:
        return None
    low, high = rehearsal.get("reward_range") or (0.0, 1.0)
    margin = ((report["recipe"] or {}).get("gates") or {}).get("cheat_margin") or 0.0
    honest = next((each["reward"] for each in told["cheats"] if each["cheat"] is None), None)
    most = None if honest is None else honest + margin * (high - low)
    cheats = [
        {
            **each,
            "paid": bool(each["cheat"] and most is not None and each["reward"] is not None and each["reward"] > most),
        }
        for each in told["cheats"]
    ]
    begins = common_beginning([each["prompt"] for each in told["groups"]])
    groups = [_group(place, each, begins) for place, each in enumerate(told["groups"], start=1)]
    return {**told, "cheats": cheats, "groups": groups}


def common_beginning(prompts: Sequence[str]) -> str:
    """What all prompts begin with, up to a white space; empty for one prompt, and where it is short."""
    if len(prompts) < 2:
        return ""
    first, last = min(prompts), max(prompts)
    same = next((place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), None)
    shared = first if same is None else first[:same]
    end = len(shared) - len(re.split(r"\s", shared)[-1])
    return shared[:end] if end >= _LEAST_COMMON else ""


def _group(place: int, group: Mapping[str, Any], begins: str) -> Row:
    answers = [{**each, "grade": _grade(each)} for each in group["answers"]]
    rewards = [f"{each['reward']:.3g}" if each["reward"] is not None else "–" for each in answers]
    own = group["prompt"].removeprefix(begins)
    shown, mark = (own, "… " * bool(begins)) if own.strip() else (group["prompt"], "")
    first = mark + next((line for line in shown.splitlines() if line.strip()), "")
    return {
        **group,
        "title": f"Prompt {place}: {first[:90]}",
        "rewards": f"rewards {', '.join(rewards)}",
        "answers": answers,
    }


def _grade(answer: Mapping[str, Any]) -> str:
    cut_off = ", truncated" if answer["truncated"] else ""
    if answer["ungraded"]:
        return f"Not graded: {words(answer['ungraded'])}{cut_off}"
    return f"Reward {number(answer['reward'], 'reward')}{cut_off}"


def _ordered(names: Any) -> list[str]:
    return [name for name in (BASE, TUNED) if name in names] + sorted(set(names) - {BASE, TUNED})


def _title(name: str) -> str:
    return _TITLES.get(name, name)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%} ({part:,} of {whole:,})" if whole else "–"

"""The tables of facts on the report's page: names and values, as a reader sees them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tunedrop.reporting.wording import duration, number, seconds, words

Row = dict[str, Any]


def _facts(*rows: tuple[str, Any] | tuple[str, Any, bool]) -> list[Row]:
    """Rows of a table of facts: name, value, whether the value is to be copied as it is; without a value, no row."""
    return [
        {"name": row[0], "value": row[1], "code": len(row) > 2 and row[2]}
        for row in rows
        if row[1] is not None and row[1] != ""
    ]


def dataset_facts(report: Mapping[str, Any]) -> list[Row]:
    """The files that were trained and tested on."""
    dataset, test = report["dataset"] or {}, report["test_set"] or {}
    return _facts(
        ("Training rows", number(dataset.get("rows"), "count")),
        ("Training file", dataset.get("uri"), True),
        ("Test rows", number(test["rows"], "count") if test.get("rows") is not None else None),
        ("Test file", test.get("uri"), True),
        ("Origin of the test rows", test.get("origin")),
    )


def rehearsal_facts(rehearsal: Mapping[str, Any], recipe: Mapping[str, Any] | None) -> list[Row]:
    """What the rehearsal measured, and what it says of the job to come."""

    def shown(key: str, kind: str) -> str | None:
        return number(rehearsal[key], kind) if rehearsal.get(key) is not None else None

    latency = [seconds(rehearsal[key]) for key in ("latency_p50", "latency_p99") if rehearsal.get(key) is not None]
    return _facts(
        ("Prompts", shown("prompts", "count")),
        ("Answers", shown("samples", "count")),
        ("Mean reward of the base model", shown("mean_reward", "reward")),
        ("Groups with something to learn", shown("groups_with_signal", "share")),
        ("Mean reward of the references", shown("reference_reward", "reward")),
        ("Grader errors", shown("grader_errors", "share")),
        ("Truncated answers", shown("truncated", "share")),
        ("Unfinished thoughts", shown("unfinished_thoughts", "share")),
        ("Latency p50 / p99", " / ".join(latency)),
        ("What the test set can show", _resolution(rehearsal.get("test_set") or {})),
        ("What the job would need", _estimate(rehearsal.get("estimate") or {}, recipe or {})),
    )


def _estimate(estimate: Mapping[str, Any], recipe: Mapping[str, Any]) -> str | None:
    """Steps, gradings and tokens of the job, and what steps and gradings cost by the recipe's prices."""
    if not estimate:
        return None
    told = [f"{number(estimate['steps'], 'count')} steps", f"{number(estimate['gradings'], 'count')} gradings"]
    if estimate.get("completion_tokens") is not None:
        told.append(f"about {number(estimate['completion_tokens'], 'count')} tokens of answers")
    prices = (recipe.get("budget") or {}).get("prices") or {}
    by_step, by_grading, by_hour = (float(prices.get(name) or 0) for name in ("step", "grading", "hour"))
    if by_step or by_grading:
        told.append(f"${estimate['steps'] * by_step + estimate['gradings'] * by_grading:,.2f} by the recipe's prices")
    if by_hour:
        told.append(f"${by_hour:,.2f} for each hour of training")
    return ", ".join(told)


def _resolution(test_set: Mapping[str, Any]) -> str | None:
    """What was known of the test set's power before the training was paid for."""
    if not test_set:
        return None
    least = test_set["least_detectable"]
    shown = f"differences of accuracy from {number(least, 'share')} on" if least is not None else "no difference"
    return (
        f"{number(test_set['rows'], 'count')} rows: {shown}, with a chance of {test_set['power']:.0%}, if "
        f"{test_set['assumed_discordant']:.0%} of the rows come out differently (assumed)"
    )


def cost_facts(report: Mapping[str, Any]) -> list[Row]:
    """Where the time went, the tokens, and the money by the recipe's prices."""
    rows: list[tuple[str, Any]] = [("Whole run", _elapsed(report["started_at"], report["finished_at"]))]
    rows += [(str(stage.get("name")), duration(stage.get("seconds"))) for stage in report["stages"]]
    for name, tokens in (report["tokens"] or {}).items():
        told = [
            f"{number(tokens[kind], 'count')} {kind}" for kind in ("prompt", "completion") if tokens[kind] is not None
        ]
        rows.append((f"Tokens, {name}", ", ".join(told) or "not reported by the service"))
    rows += [(words(name).capitalize(), str(value)) for name, value in report["cost"].items()]
    if not report["cost"]:
        rows.append(("Money", "not estimated: the recipe gives no prices"))
    return _facts(*rows)


def provenance(report: Mapping[str, Any]) -> list[Row]:
    """Versions and hashes of all that went in, and what came out."""
    dataset, test, grader = report["dataset"] or {}, report["test_set"] or {}, report["grader"] or {}
    training = report["training"] or {}
    return _facts(
        ("Run", report["run_id"], True),
        ("Execution", report["execution_arn"], True),
        ("Training file", dataset.get("uri"), True),
        ("Its version", dataset.get("version"), True),
        ("Its SHA-256", dataset.get("sha256"), True),
        ("Test file", test.get("uri"), True),
        ("Its version", test.get("version"), True),
        ("Its SHA-256", test.get("sha256"), True),
        ("Base model", report["base_model"], True),
        ("Tuned model", report["tuned_model"], True),
        ("Training job", training.get("job_id"), True),
        ("Grader", grader.get("arn") or grader.get("kind"), True),
        ("Seeds", ", ".join(f"{name} {seed}" for name, seed in report["seeds"].items())),
        ("Tunedrop", report["code_version"], True),
    )


def _elapsed(started: str | None, finished: str | None) -> str | None:
    if not started or not finished:
        return None
    try:
        between = datetime.fromisoformat(finished) - datetime.fromisoformat(started)
    except (ValueError, TypeError):
        return None
    return duration(between.total_seconds())

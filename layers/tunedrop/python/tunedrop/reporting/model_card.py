"""model_card.md: the tuned model in a page of Markdown, for the one who is to use it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tunedrop.reporting.promotion_rows import BEGIN, END, promotion_rows, replaced
from tunedrop.reporting.wording import NOTHING, number, seconds

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&])")


def render_model_card(report: Mapping[str, Any]) -> str:
    """The model card of a report (as `build_report` made it). Text from outside is escaped, on one line."""
    parts = [
        f"# Model card: {_text(report['name'])}",
        _simulated(report),
        f"**{_text(report['sentence'])}**",
        "## Model",
        _table(
            ("Base model", _base(report)),
            ("Tuned model", report["tuned_model"]),
            ("Method", f"reinforcement fine-tuning ({_method(report)}) on {report['trained_on']}"),
            ("Grader", (report["grader"] or {}).get("arn") or (report["grader"] or {}).get("kind")),
            ("Hyperparameters", _pairs((report["recipe"] or {}).get("hyperparameters") or {})),
            ("Run", report["run_id"]),
            ("Finished", report["finished_at"]),
        ),
        "## Intended use",
        "The task of the prompts that it was tuned and tested on, in their wording and language. It was tested on "
        "nothing else: safety, other tasks and other languages may have changed with the tuning and were not measured.",
        "## Training data",
        _data(report),
        "## Evaluation",
        *_evaluation(report["evaluation"]),
        "## Limits",
        *_limits(report),
        _promotion(report["promotion"]),
        "## Provenance",
        f"Tunedrop {_text(report['code_version'] or NOTHING)}, run {_code(report['run_id'])}. `manifest.json` beside "
        "this card has the versions and hashes of every input; `report.html` has the curves, slices and every row.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def with_promotion(card: bytes, promotion: Mapping[str, Any]) -> bytes:
    """A card with another part about the promotion. All else stays to the byte; a card without one gets it."""
    part = _promotion(promotion)
    if not part:
        return card
    return replaced(card, part) or card.rstrip(b"\n") + f"\n\n{part}\n".encode("utf-8", "replace")


def _promotion(promotion: Mapping[str, Any] | None) -> str:
    """What becomes of the model; nothing where the recipe wants no promotion."""
    if not promotion or not promotion["wanted"]:
        return ""
    return f"{BEGIN}\n\n## Promotion\n\n{_table(*promotion_rows(promotion))}\n\n{END}"


def _simulated(report: Mapping[str, Any]) -> str:
    if not report["simulated"]:
        return ""
    return (
        "> **Simulated.** No model was trained: the answers and the training come from a small simulated policy on one "
        "machine. No number below says what a model can do."
    )


def _base(report: Mapping[str, Any]) -> Any:
    """The base model; with a language model on one machine, the weights that stood in for it."""
    weights = report["weights"]
    if not weights:
        return report["base_model"]
    return f"{weights['name']} (licence: {weights['licence']}), in the place of {report['base_model']}"


def _method(report: Mapping[str, Any]) -> str:
    return "GRPO with LoRA" if report["weights"] else "GRPO"


def _data(report: Mapping[str, Any]) -> str:
    rows = []
    for title, data in (("Training", report["dataset"] or {}), ("Test", report["test_set"] or {})):
        rows += [
            (f"{title} rows", number(data["rows"], "count") if data.get("rows") is not None else None),
            (f"{title} file", data.get("uri")),
            (f"{title} version", data.get("version")),
            (f"{title} SHA-256", data.get("sha256")),
        ]
    errors = len(report["findings"])
    rows.append(("Remarks on the data", f"{errors} (findings.json)" if errors else "none"))
    return _table(*rows)


def _evaluation(evaluation: Mapping[str, Any] | None) -> list[str]:
    if evaluation is None:
        return ["Not evaluated: the run ended before its evaluation."]
    compared = evaluation["comparison"]
    lines = [
        f"| | base | tuned | difference | {1 - evaluation['level']:.0%} interval | p |",
        "|---|---|---|---|---|---|",
    ]
    for title, measure, kind in (("mean reward", "reward", "reward"), ("accuracy", "accuracy", "share")):
        measured = compared[measure]
        if measured is None:
            continue
        lines.append(
            f"| {title} | {number(measured['first']['mean'], kind)} | {number(measured['second']['mean'], kind)} "
            f"| {number(measured['difference'], 'change')} "
            f"| {number(measured['low'], 'change')} to {number(measured['high'], 'change')} "
            f"| {number(measured['p_value'], 'p')} |"
        )
    tuned = evaluation["candidates"]["tuned"]
    told = [f"{compared['pairs']:,} rows, graded by the version of the grader that trained the model."]
    low, high = evaluation["reward_range"]
    if (low, high) != (0, 1):
        told.append(f"Its rewards go from {low:g} to {high:g}.")
    if tuned["completion_tokens_an_answer"] is not None:
        told.append(f"{number(tuned['completion_tokens_an_answer'], 'count')} tokens an answer.")
    if tuned["latency_p50_seconds"] is not None:
        told.append(f"Latency {seconds(tuned['latency_p50_seconds'])} (median).")
    return ["\n".join(lines), " ".join(told)]


def _limits(report: Mapping[str, Any]) -> Iterable[str]:
    evaluation = report["evaluation"]
    if evaluation is None:
        yield "No verdict; do not choose this model because of this card."
        return
    left_out = evaluation["comparison"]["left_out"]["rows"]
    if left_out:
        yield f"- {left_out:,} of {evaluation['rows']:,} test rows lack a graded answer of both models."
    if evaluation["comparison"]["lost"]:
        yield f"- {evaluation['comparison']['lost']:,} rows that the base model had right went wrong."
    for finding in evaluation["guard_rails"]:
        yield f"- {'**Broken guard rail.** ' if finding['broken'] else ''}{_text(finding['message'])}"
    yield "- The grader is the only measure: nobody measured what it does not see."


def _table(*rows: tuple[str, Any]) -> str:
    shown = [f"| {name} | {_text(str(value))} |" for name, value in rows if value not in (None, "")]
    return "\n".join(["| | |", "|---|---|", *shown])


def _pairs(mapping: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in mapping.items())


def _text(text: str) -> str:
    """Text from outside as Markdown that shows it as it is."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def _code(text: str) -> str:
    return f"`{str(text).replace('`', '')}`"

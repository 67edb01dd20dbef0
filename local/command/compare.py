"""`tunedrop compare RUN RUN`: two runs side by side, row by row, after a grader or a recipe was changed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from local.command import exits, kept_runs, places, which_stack
from local.command.help_text import Wrapped
from local.command.report import summary

if TYPE_CHECKING:
    from tunedrop.evaluation.answers import Answer

_DESCRIPTION = """\
Shows two ended runs side by side: what changed between them, each run's verdict, and how much the second tuned model
differs from the first on the test rows that both runs asked, tested in pairs. It compares the base models in the same
way: if they differ, the two runs did not ask or grade alike.

With --stack, the stack's API gives the reports. A report does not hold the answers, so rows are compared only for runs
whose files are on this machine (`tunedrop report RUN --bucket BUCKET` fetches them)."""

_EXAMPLES = """\
examples:
  tunedrop compare gsm8k-37866e5aac893f84 gsm8k-full-c32768445976ec4f
  tunedrop compare gsm8k-37 gsm8k-c3 --json"""

LEVEL = 0.05
FIRST, SECOND = "first", "second"
_TEST_ROWS = "evaluation/rows.jsonl"


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "compare",
        help="show two runs side by side, row by row",
        description=_DESCRIPTION,
        epilog=f"{_EXAMPLES}\n\n{exits.TEXT}",
        formatter_class=Wrapped,
    )
    parser.add_argument("first", help="a run's id, its beginning, its folder, or the name of a run (the latest one)")
    parser.add_argument("second", help="the run to compare it with")
    which_stack.add_options(parser)
    parser.add_argument("--json", action="store_true", help="print the comparison as one JSON line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare; 0 whatever came of it."""
    if which_stack.named(arguments):
        _fetch(arguments)
    first, second = kept_runs.find(arguments.first), kept_runs.find(arguments.second)
    compared = side_by_side(first, second)
    if arguments.json:
        print(json.dumps(compared, ensure_ascii=False))
    else:
        _show(compared)
    return exits.SUCCEEDED


def _fetch(arguments: argparse.Namespace) -> None:
    """Fetch the reports of those that are not on this machine yet. Raises CommandError if one has none."""
    from local.command.api_run import fetch_report

    client = which_stack.required(arguments)
    for run_id in (arguments.first, arguments.second):
        if not (places.RUNS / run_id / kept_runs.REPORT).is_file() and fetch_report(client, run_id) is None:
            raise exits.CommandError(f"run {run_id} has no report yet")


def side_by_side(first: kept_runs.KeptRun, second: kept_runs.KeptRun) -> dict[str, Any]:
    """`runs` (what each is and said), `changed` (path to both values), `tuned` and `base` (paired comparisons).

    A comparison is None where the two runs have no row in common with graded answers of that model.
    """
    return {
        "runs": [{**summary(each), "models": _models(each.report)} for each in (first, second)],
        "simulated": bool(first.report["simulated"] or second.report["simulated"]),
        "changed": changes(_inputs(first.report), _inputs(second.report)),
        "tuned": _paired(first, second, "tuned"),
        "base": _paired(first, second, "base"),
    }


def changes(first: Any, second: Any, path: str = "") -> dict[str, list[Any]]:
    """The values that differ between two JSON documents, by their path; None where there is none."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        found: dict[str, list[Any]] = {}
        for name in sorted({*first, *second}):
            found |= changes(first.get(name), second.get(name), f"{path}.{name}" if path else name)
        return found
    return {} if first == second else {path: [first, second]}


def _inputs(report: Mapping[str, Any]) -> dict[str, Any]:
    """What went into a run, as far as it decides what comes out."""
    return {
        "recipe": report["recipe"],
        "grader": report["grader"],
        "train": (report["dataset"] or {}).get("sha256"),
        "test": (report["test_set"] or {}).get("sha256"),
        "tuned_model": report["tuned_model"],
        "code_version": report["code_version"],
    }


def _models(report: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of each model of a run; empty where it was not evaluated."""
    candidates = (report["evaluation"] or {}).get("candidates", {})
    shown = ("model", "mean_reward", "accuracy", "completion_tokens_an_answer", "latency_p50_seconds", "ungraded")
    return {name: {each: figures.get(each) for each in shown} for name, figures in candidates.items()}


def _paired(first: kept_runs.KeptRun, second: kept_runs.KeptRun, candidate: str) -> dict[str, Any] | None:
    """The second run's model against the first's, on the prompts that both asked."""
    from tunedrop.evaluation.comparison import compare
    from tunedrop.evaluation.tally import Tally

    answers = [list(_answers(run, candidate)) for run in (first, second)]
    # A prompt that the test set has twice cannot be told apart, and needs not be: its answers are one row's.
    shared = {each.prompt_sha256 for each in answers[0]} & {each.prompt_sha256 for each in answers[1]}
    if not shared:
        return None
    rows = {prompt: row for row, prompt in enumerate(sorted(shared))}
    tally = Tally(len(rows), samples=1 + max(each.sample for side in answers for each in side))
    for name, side in ((FIRST, answers[0]), (SECOND, answers[1])):
        for answer in side:
            if answer.prompt_sha256 in rows:
                tally.add(replace(answer, row=rows[answer.prompt_sha256], candidate=name))
    compared = compare(tally, FIRST, SECOND, level=LEVEL)
    return None if compared is None else compared.to_json()


def _answers(run: kept_runs.KeptRun, candidate: str) -> Iterator[Answer]:
    """The model's answers to the test set, without their texts."""
    from tunedrop.evaluation.answers import read_answers

    plan = run.folder / "evaluation/plan.json"
    shards = json.loads(plan.read_bytes())["shards"] if plan.is_file() else []
    for shard in shards:
        if shard["candidate"] != candidate or shard.get("rows_file", _TEST_ROWS) != _TEST_ROWS:
            continue
        for part in sorted((run.folder / "evaluation/answers" / f"{shard['number']:05}").glob("*.jsonl")):
            with part.open("rb") as lines:
                for answer in read_answers(lines, source=str(part)):
                    yield replace(answer, answer="", explanation="")


def _show(compared: Mapping[str, Any]) -> None:
    if compared["simulated"]:
        print("Simulated: these figures say nothing about real models.\n")
    for name, run in zip(("first", "second"), compared["runs"], strict=True):
        print(f"{name:<7} {run['run_id']}: {run['sentence']}")
    print("\nchanged between them")
    for path, (before, after) in compared["changed"].items():
        print(f"  {path}: {_short(before)} -> {_short(after)}")
    if not compared["changed"]:
        print("  no known change: the same inputs, grader, recipe and model")
    print("\nsecond compared with first, on the rows that both asked")
    for which in ("tuned", "base"):
        print(f"  {which:<6} {_told(compared[which])}")
    changed = compared["changed"]
    graders_differ = "grader.arn" in changed or any(path.startswith("recipe.grader") for path in changed)
    if graders_differ and "recipe.model" not in changed:
        print("\nThe graders differ: if the base models differ, the graders are the reason and not the models.")


def _told(paired: Mapping[str, Any] | None) -> str:
    if paired is None:
        return "unknown: on this machine, no row has graded answers of both runs"
    reward = paired["reward"]
    p_value = "p < 0.0001" if reward["p_value"] < 0.0001 else f"p = {reward['p_value']:.4f}"
    return (
        f"mean reward {reward['first']['mean']:.3f} -> {reward['second']['mean']:.3f}, {reward['difference']:+.3f} "
        f"(95% interval {reward['low']:+.3f} to {reward['high']:+.3f}), {p_value}, {paired['pairs']:,} rows; "
        f"{paired['gained']:,} came right, {paired['lost']:,} went wrong"
    )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."

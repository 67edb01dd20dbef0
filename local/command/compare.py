"""`tunedrop compare RUN RUN…`: two to five runs side by side, row by row, after a grader or a recipe was changed."""

from __future__ import annotations

import argparse
import json
import sys
import webbrowser
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from local.command import exits, kept_runs, places, which_stack
from local.command.differences import changes, graders_differ, in_words, inputs, told
from local.command.help_text import Wrapped
from local.command.kept_answers import answers_of, has_all_answers, shared_prompts
from local.command.printable import say
from local.command.report import has_screen, summary

_DESCRIPTION = """\
Show two to five ended runs side by side: what changed between them, each run's verdict, and how much each further
tuned model differs from the first run's, row by row, on the test rows that both runs asked. The command compares the
base models in the same way: if they differ, the two runs did not ask or grade alike.

It also writes a page: the training curves in one chart, and every row that the runs share, with all answers.

With --stack, the rows and answers come from the runs' reports, which have at most four answers of each model to a row.
To compare all answers, fetch each run first: `tunedrop report RUN --bucket BUCKET`."""

_EXAMPLES = """\
examples:
  tunedrop compare gsm8k-37866e5aac893f84 gsm8k-full-c32768445976ec4f
  tunedrop compare gsm8k-37 gsm8k-c3 gsm8k-d1 --page build/three-runs
  tunedrop compare gsm8k-37 gsm8k-c3 --json
  tunedrop compare gsm8k-37866e5aac893f84 gsm8k-c32768445976ec4f --stack tunedrop-dev"""

LEVEL = 0.05
FIRST, SECOND = "first", "second"
MOST_RUNS = 5
"""More lines in one chart, and more columns in one table, nobody can read."""

_ORDINALS = ("first", "second", "third", "fourth", "fifth")


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "compare",
        help="show two to five runs side by side, row by row",
        description=_DESCRIPTION,
        epilog=f"{_EXAMPLES}\n\n{which_stack.HELP_OF_KEPT}\n\n{exits.TEXT}",
        formatter_class=Wrapped,
    )
    parser.add_argument("first", help="a run's id, its beginning, its folder, or the name of a run (the latest one)")
    parser.add_argument("others", nargs="+", metavar="run", help="the runs to compare with it, at most four")
    which_stack.add_options(parser)
    parser.add_argument(
        "--page", metavar="FOLDER", type=Path, help="where to write the page (default: build/compared/RUN-RUN)"
    )
    parser.add_argument("--no-open", action="store_true", help="do not open the page in the browser")
    parser.add_argument("--json", action="store_true", help="print the comparison as one JSON line; writes no page")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare; 0 whatever came of it."""
    names = [arguments.first, *arguments.others]
    if len(names) > MOST_RUNS:
        raise exits.UsageError(f"at most {MOST_RUNS} runs can be compared at once, got {len(names)}")
    if which_stack.named(arguments):
        names = _fetched(arguments, names)
    runs = [kept_runs.find(name) for name in names]
    _require_different(runs)
    compared = side_by_side(*runs)
    if arguments.json:
        print(json.dumps(compared, ensure_ascii=False))
        return exits.SUCCEEDED
    _show(compared)
    from local.command.comparison_page import write_page

    folder = arguments.page or places.RUNS.parent / "compared" / "-".join(each.run_id for each in runs)[:200]
    page = write_page(runs, compared, folder)
    say(f"\npage     {places.shown(page)}")
    if not arguments.no_open and sys.stdout.isatty() and has_screen():
        webbrowser.open(page.resolve().as_uri())
    return exits.SUCCEEDED


def _require_different(runs: Sequence[kept_runs.KeptRun]) -> None:
    """Refuse one run twice: the name of a run stands for its latest run, so `compare mine mine` compares nothing."""
    ids = [each.run_id for each in runs]
    twice = next((each for each in runs if ids.count(each.run_id) > 1), None)
    if twice is None:
        return
    name = twice.report["name"]
    others = [each.run_id for each in kept_runs.newest_first() if each.report["name"] == name]
    told = f"the runs of that name: {', '.join(others[:5])}" if len(others) > 1 else f"it is the only run of {name}"
    raise exits.UsageError(
        f"run {twice.run_id} is named twice; a name stands for its latest run, so name two ids or their beginnings; "
        f"{told}"
    )


def _fetched(arguments: argparse.Namespace, names: Sequence[str]) -> list[str]:
    """The ids of the runs, after their reports that are not on this machine yet were fetched.

    Raises:
        CommandError: a run has no report yet, or there is none of this name.
    """
    from local.command.api_run import fetch_report, run_id_of

    client = which_stack.required(arguments)
    run_ids = [run_id_of(client, name) for name in names]
    for run_id in run_ids:
        if not (places.RUNS / run_id / kept_runs.REPORT).is_file() and fetch_report(client, run_id) is None:
            raise exits.CommandError(f"run {run_id} has no report yet; follow it with `tunedrop watch`")
    return run_ids


def side_by_side(first: kept_runs.KeptRun, *others: kept_runs.KeptRun) -> dict[str, Any]:
    """`runs` (what each is and said), and `comparisons`: of each further run with the first.

    A comparison has `run_id`, `changed` (path to both values), `tuned` and `base` (paired comparisons, None where the
    two runs have no row in common with graded answers of that model). Those of the second run also stand beside `runs`.
    `all_answers` says whether each answer of each run was at hand.
    """
    comparisons = [
        {
            "run_id": other.run_id,
            "changed": changes(inputs(first.report), inputs(other.report)),
            "tuned": _paired(first, other, "tuned"),
            "base": _paired(first, other, "base"),
        }
        for other in others
    ]
    runs = (first, *others)
    return {
        "runs": [{**summary(each), "models": _models(each.report)} for each in runs],
        "simulated": any(each.report["simulated"] for each in runs),
        "all_answers": all(has_all_answers(each) for each in runs),
        **{name: comparisons[0][name] for name in ("changed", "tuned", "base")},
        "comparisons": comparisons,
    }


def _models(report: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of each model of a run; empty where it was not evaluated."""
    candidates = (report["evaluation"] or {}).get("candidates", {})
    shown = ("model", "completion_tokens_an_answer", "latency_p50_seconds", "ungraded")
    return {
        name: {
            "mean_reward": (figures.get("reward") or {}).get("mean"),
            "accuracy": (figures.get("accuracy") or {}).get("mean"),
            **{each: figures.get(each) for each in shown},
        }
        for name, figures in candidates.items()
    }


def _paired(first: kept_runs.KeptRun, second: kept_runs.KeptRun, candidate: str) -> dict[str, Any] | None:
    """The second run's model against the first's, on the prompts that both asked."""
    from tunedrop.evaluation.comparison import compare
    from tunedrop.evaluation.tally import Tally
    from tunedrop.graders.reward_range import UNIT, RewardRange

    # Without their texts: there may be many.
    sides = [
        [replace(answer, answer="", explanation="", parts=()) for answer in answers_of(run, candidate)]
        for run in (first, second)
    ]
    rows = shared_prompts(sides)
    if not rows:
        return None
    ranges = [(run.report["evaluation"] or {}).get("reward_range") or UNIT for run in (first, second)]
    rewards = RewardRange(min(low for low, _ in ranges), max(high for _, high in ranges))
    samples = 1 + max(answer.sample for side in sides for answer in side)
    tally = Tally(len(rows), samples=samples, rewards=rewards)
    for name, side in ((FIRST, sides[0]), (SECOND, sides[1])):
        for answer in side:
            if answer.prompt_sha256 in rows:
                tally.add(replace(answer, row=rows[answer.prompt_sha256], candidate=name))
    compared = compare(tally, FIRST, SECOND, level=LEVEL)
    return None if compared is None else compared.to_json()


def _show(compared: Mapping[str, Any]) -> None:
    if compared["simulated"]:
        say("Simulated: these figures say nothing about real models.\n")
    for name, each in zip(_ORDINALS, compared["runs"], strict=False):
        say(f"{name:<7} {each['run_id']}: {each['sentence']}")
    if not compared["all_answers"]:
        from tunedrop.reporting.row_texts import MOST_SAMPLES

        print(
            f"\nOf each model, only the first {MOST_SAMPLES} answers to a row are compared: the reports have no more."
        )
    several = len(compared["comparisons"]) > 1
    for name, comparison in zip(_ORDINALS[1:], compared["comparisons"], strict=False):
        say(f"\nchanged between {f'first and {name}' if several else 'them'}")
        for path, (before, after) in comparison["changed"].items():
            say(f"  {in_words(path, before, after)}")
        if not comparison["changed"]:
            say("  no known change: the same inputs, grader, recipe and model")
        say(f"\n{name} compared with first, on the rows that both asked")
        for which in ("tuned", "base"):
            say(f"  {which:<6} {told(comparison[which])}")
        if graders_differ(comparison["changed"]):
            say("\nThe graders differ: if the base models differ, the graders are the reason and not the models.")

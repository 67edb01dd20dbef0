"""The page of a comparison of runs: their curves in one chart, what changed, and every row that all of them share.

It uses the parts of the report's page: the table of rows and its scripts, with runs in the place of models. Like a
report, it loads nothing but the files of rows beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from markupsafe import Markup
from pydantic import ValidationError

from local.command.differences import graders_differ, in_words, told
from local.command.kept_answers import answers_of, rows_of, shared_prompts
from local.command.kept_runs import KeptRun
from tunedrop.dataset.bounds import MIN_ROWS
from tunedrop.dataset.written_rows import as_dropped
from tunedrop.evaluation.tally import Tally
from tunedrop.graders.reward_range import UNIT, RewardRange
from tunedrop.recipe import GraderChoice, Recipe
from tunedrop.rehearsal.answer_forms import ideal_answer
from tunedrop.reporting.page import (
    CHART_LIBRARY,
    FILL_ROWS,
    ROWS_SCRIPTS,
    content_security_policy,
    data_block,
    page_environment,
    page_file,
    rows_told,
    script_text,
)
from tunedrop.reporting.page_data import ALL_CURVES, ROWS_FOLDER, curves
from tunedrop.reporting.row_index import row_index
from tunedrop.reporting.row_texts import MOST_SAMPLES, Limits, PageRows, RowTexts, row_text, told_answer
from tunedrop.reporting.wording import number

_FILES = Path(__file__).with_name("compare_page")

TONES = ("base", "tuned", "other", "good", "even")
"""The colours of the runs, as the style names them."""


def write_page(runs: Sequence[KeptRun], compared: Mapping[str, Any], folder: Path) -> Path:
    """Write the page of compared runs into a folder, with the files of its rows; the page."""
    folder.mkdir(parents=True, exist_ok=True)
    names = _names(runs)
    rows = _rows(runs, names, folder)
    drawn = _curves(runs, names)
    data = {
        "curves": drawn,
        "runs": [{"name": name, "tone": tone} for name, tone in zip(names, TONES, strict=False)],
        "rows": rows.index if rows else None,
        "rowFiles": [list(file) for file in rows.files] if rows else [],
        "rowsFolder": ROWS_FOLDER,
    }
    own = (_FILES / "compare.js").read_text(encoding="utf-8")
    scripts = [
        *(page_file(name) for name in CHART_LIBRARY),
        own,
        *(page_file(name) for name in (ROWS_SCRIPTS if rows else ())),
    ]
    html = (
        page_environment(_FILES)
        .get_template("compare.html.j2")
        .render(
            title=" and ".join(names) if len(names) == 2 else f"{len(names)} runs",
            policy=content_security_policy(scripts),
            style=Markup(page_file("report.css")),  # noqa: S704 - our own file
            scripts=[Markup(script) for script in scripts],  # noqa: S704 - our own files and pinned libraries
            data=Markup(data_block(data)),  # noqa: S704 - holds no "<"
            simulated=compared["simulated"],
            runs=_table(compared["runs"], names),
            comparisons=[
                _comparison(each, name) for each, name in zip(compared["comparisons"], names[1:], strict=True)
            ],
            first_run=names[0],
            curves=[curve for curve in ALL_CURVES if curve.id in drawn],
            rows=rows,
            rows_told=rows_told(rows) if rows else "",
            rows_folder=ROWS_FOLDER,
            row_texts=Markup(script_text(b"[" + b",".join(rows.texts) + b"]")) if rows else "",  # noqa: S704 - holds no "<"
            least_rows=MIN_ROWS,
            fill_rows=FILL_ROWS,
            run_id=runs[0].run_id,
        )
    )
    page = folder / "compare.html"
    page.write_text(html, encoding="utf-8", errors="replace")
    return page


def _names(runs: Sequence[KeptRun]) -> list[str]:
    """What the page calls each run: its name, or its id where two have the same name."""
    names = [str(run.report["name"]) for run in runs]
    if len(set(names)) == len(names):
        return names
    ids = [run.run_id for run in runs]
    return [each if ids.count(each) == 1 else f"{each} ({place})" for place, each in enumerate(ids, start=1)]


def _table(runs: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, str]]:
    rows = []
    for run, name, tone in zip(runs, names, TONES, strict=False):
        tuned, base = (run["models"].get(which) or {} for which in ("tuned", "base"))
        rows.append(
            {
                "name": name,
                "tone": tone,
                "run_id": run["run_id"],
                "verdict": str(run["verdict"] or run["status"].lower()),
                "base": number(base.get("mean_reward"), "reward"),
                "tuned": number(tuned.get("mean_reward"), "reward"),
                "accuracy": number(tuned.get("accuracy"), "share"),
                "tokens": number(tuned.get("completion_tokens_an_answer"), "count"),
            }
        )
    return rows


def _comparison(comparison: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {
        "name": name,
        "changed": [in_words(path, before, after) for path, (before, after) in comparison["changed"].items()],
        "tuned": told(comparison["tuned"]),
        "base": told(comparison["base"]),
        "graders_differ": graders_differ(comparison["changed"]),
    }


def _curves(runs: Sequence[KeptRun], names: Sequence[str]) -> dict[str, Any]:
    """Of each curve the series of every run that has it."""
    drawn: dict[str, Any] = {}
    for run, name in zip(runs, names, strict=True):
        for curve, points in curves(run.report["training"]).items():
            drawn.setdefault(curve, {"zero": points["zero"], "series": []})
            drawn[curve]["series"] += [{**point, "run": name, "window": points["window"]} for point in points["series"]]
    return drawn


def _grader(run: KeptRun) -> GraderChoice | None:
    """The grader of a run's recipe; None where this version cannot read it."""
    try:
        return Recipe.model_validate(run.report["recipe"]).grader
    except ValidationError:
        return None


def _rows(runs: Sequence[KeptRun], names: Sequence[str], folder: Path) -> PageRows | None:
    """All rows that every run's tuned model was asked, with the answers; None where they share none."""
    sides = [list(answers_of(run, "tuned")) for run in runs]
    shared = shared_prompts(sides)
    lines = {prompt: (line, row) for prompt, line, row in rows_of(runs[0]) if prompt in shared}
    prompts = list(lines)
    if not prompts:
        return None
    places = {prompt: place for place, prompt in enumerate(prompts)}
    ranges = [(run.report["evaluation"] or {}).get("reward_range") or UNIT for run in runs]
    rewards = RewardRange(min(low for low, _ in ranges), max(high for _, high in ranges))
    tally = Tally(len(prompts), samples=1 + max(each.sample for side in sides for each in side), rewards=rewards)
    limits = Limits.of(rows=len(prompts), answers=len(prompts) * len(runs))
    answers: list[list[list[Any]]] = [[] for _ in prompts]
    for run_number, (name, side) in enumerate(zip(names, sides, strict=True)):
        for answer in side:
            place = places.get(answer.prompt_sha256)
            if (
                place is not None
                and tally.add(replace(answer, row=place, candidate=name))
                and answer.sample < MOST_SAMPLES
            ):
                answers[place].append(told_answer(answer, run_number, limits))
    if any(name not in tally.candidates for name in names):
        return None
    models = {name: str(run.report["tuned_model"] or "") for name, run in zip(names, runs, strict=True)}
    index = row_index(tally, labels={}, models=models, names=names) | {"short_titles": ["1st", "2nd"]}
    beside = folder / ROWS_FOLDER
    grader = _grader(runs[0])

    def write(name: str, script: bytes) -> None:
        beside.mkdir(exist_ok=True)
        (beside / name).write_bytes(script)

    texts = RowTexts(index["states"], write)
    for place, prompt in enumerate(prompts):
        line, row = lines[prompt]
        shown = "\n\n".join(str(turn.get("content", "")) for turn in row["messages"])
        texts.add(
            place,
            row_text(
                place,
                as_dropped(line, grader) if grader else line,
                prompt=shown,
                reference=ideal_answer(row),
                answers=answers[place],
                limits=limits,
            ),
        )
    return texts.close(index)

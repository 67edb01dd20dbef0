"""report.html: the report as one page that needs nothing but itself.

No network: style, scripts and data are in the page, and its content security policy allows no more than those. The text
of models, datasets and graders is hostile: Jinja escapes what goes into the page's text, and what the scripts show they
set as text, from a data block in which no `<` is left.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tunedrop import clock
from tunedrop.dataset.bounds import MIN_ROWS
from tunedrop.evaluation.answers import BASE, TUNED
from tunedrop.reporting.page_data import ALL_CURVES, ROWS_FOLDER, page_data
from tunedrop.reporting.page_facts import cost_facts, dataset_facts, provenance, rehearsal_facts
from tunedrop.reporting.page_tables import (
    checkpoints,
    hyperparameters,
    no_metrics,
    parts_table,
    sampled,
    training_facts,
)
from tunedrop.reporting.promotion_rows import BEGIN, END, promotion_rows, replaced
from tunedrop.reporting.row_index import State
from tunedrop.reporting.row_texts import PageRows
from tunedrop.reporting.wording import coded, counted, file_name, number, seconds, words

_FILES = Path(__file__).with_name("page")
CHART_LIBRARY = ("vendor/d3.min.js", "vendor/plot.umd.min.js")
ROWS_SCRIPTS = ("rows/store.js", "rows/diff.js", "rows/detail.js", "rows/export.js", "rows/table.js")
_TONES = {"improved": ("good", "▲"), "regressed": ("bad", "▼"), "tied": ("even", "＝")}  # noqa: RUF001 - a sign, as wide as the arrows
_LINES_SHOWN = 5
_SEVERITIES = {
    "error": ("bad", "error"),
    "stop": ("bad", "stop"),
    "critical": ("bad", "critical"),
    "warning": ("even", "warning"),
}

FILL_ROWS = MIN_ROWS * 5 // 4
"""To how many rows an exported training set is filled up: a tenth is held out by default, and more by chance."""

REASON_CHARACTERS = 300
"""As much of a run's reason as is shown unfolded: what a notice tells of it, too."""

Row = dict[str, Any]


def render_html(report: Mapping[str, Any], rows: PageRows | None = None) -> str:
    """The page of a report (as `build_report` made it), whole, with the test rows where there are any."""
    headline, tone, mark = _headline(report)
    evaluation, training = report["evaluation"], report["training"]
    data = page_data(report, rows)
    has_charts = bool(evaluation or data["curves"])
    charts = (*CHART_LIBRARY, "charts.js") if has_charts else ()
    scripts = [page_file(name) for name in (*charts, *(ROWS_SCRIPTS if rows else ()))]
    parts = parts_table(evaluation) if evaluation else None
    return (
        page_environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            policy=content_security_policy(scripts),
            style=Markup(page_file("report.css")),  # noqa: S704 - our own file
            scripts=[Markup(script) for script in scripts],  # noqa: S704 - our own file and pinned libraries
            data=Markup(data_block(data)),  # noqa: S704 - holds no "<"
            headline=headline,
            explanation=_explanation(report),
            tone=tone,
            mark=mark,
            evaluation=evaluation,
            confidence=f"{1 - evaluation['level']:.0%}" if evaluation else "",
            cards=_cards(evaluation) if evaluation else [],
            candidates=_candidates(evaluation) if evaluation else [],
            passes=list(evaluation["candidates"][TUNED]["pass_at"]) if evaluation else [],
            statistics_note=_statistics_note(evaluation) if evaluation else "",
            rails=[_rail(each) for each in evaluation["guard_rails"]] if evaluation else [],
            **_promotion(report["promotion"]),
            training=training,
            training_note=_training_note(training, curves=bool(data["curves"])) if training else "",
            curves=[curve for curve in ALL_CURVES if curve.id in data["curves"]],
            health=[finding_row(each) for each in (training or {}).get("health") or []],
            training_facts=training_facts(report) if training else [],
            no_metrics=no_metrics(report),
            checkpoints=checkpoints(training or {}),
            rows=rows,
            rows_told=rows_told(rows) if rows else "",
            rows_folder=ROWS_FOLDER,
            row_texts=Markup(script_text(b"[" + b",".join(rows.texts) + b"]")) if rows else "",  # noqa: S704 - holds no "<"
            least_rows=MIN_ROWS,
            fill_rows=FILL_ROWS,
            parts=parts,
            places=_places(report, rows=rows, parts=parts),
            sampled=sampled(report),
            hyperparameters=hyperparameters(report),
            dataset_facts=dataset_facts(report),
            dataset_findings=_dataset_findings(report["findings"]),
            rehearsal_facts=rehearsal_facts(report["rehearsal"] or {}, report["recipe"]),
            rehearsal_findings=[finding_row(each) for each in (report["rehearsal"] or {}).get("findings") or []],
            cost_facts=cost_facts(report),
            provenance=provenance(report),
            recipe=json.dumps(report["recipe"], indent=2, ensure_ascii=False) if report["recipe"] else "",
        )
    )


def with_promotion(page: bytes, promotion: Mapping[str, Any]) -> bytes:
    """A page with another part about the promotion. All else stays, and so does a page without that part."""
    part = page_environment().get_template("promotion.html.j2").render(**_promotion(promotion)).strip("\n")
    return replaced(page, part) or page


def _promotion(promotion: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the part about the promotion is rendered from; no rows where the recipe wants none."""
    wanted = promotion is not None and promotion["wanted"]
    rows = promotion_rows(promotion) if wanted and promotion is not None else ()
    return {
        "promotion": [{"name": name, "value": value, "code": False} for name, value in rows],
        "marks": {"begin": Markup(BEGIN), "end": Markup(END)},  # noqa: S704 - our own texts
    }


def content_security_policy(scripts: Sequence[str]) -> str:
    """Nothing may be sent, and no script run but these, named by their hashes, and those that they load themselves.

    They load the files of rows beside the page and nothing else. A hash cannot name those: browsers check the hash of
    no file that they read from a folder. Styles may be inline, since the chart library sets them on what it draws.
    """
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes} 'strict-dynamic'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@lru_cache(maxsize=4)
def page_environment(*folders: Path) -> Environment:
    """What renders the templates of the page, and those in other folders that include parts of them."""
    loader = FileSystemLoader([*folders, _FILES])
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        coded=coded, counted=counted, moment=clock.for_people, number=number, seconds=seconds, words=words
    )
    return environment


@lru_cache(maxsize=16)
def page_file(name: str) -> str:
    """A file of the page: a style or a script."""
    return (_FILES / name).read_text(encoding="utf-8")


def data_block(data: Mapping[str, Any]) -> str:
    """Data as JSON for a block of a page that no text in it can end."""
    return script_text(json.dumps(data, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"))


def script_text(document: bytes) -> str:
    """JSON for a block of a page that no text in it can end."""
    # "<" must not occur: "</script" would end the block, "<!--" open a comment. The others are for older parsers.
    text = document.decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _headline(report: Mapping[str, Any]) -> tuple[str, str, str]:
    evaluation = report["evaluation"]
    if evaluation is None:
        return str(report["status"]).capitalize(), "even" if report["status"] == "CANCELLED" else "bad", "■"
    tone, mark = _TONES[evaluation["verdict"]]
    if evaluation["suspected_reward_hacking"]:
        return "Not improved: suspected reward hacking", "bad", "⚠"
    return str(evaluation["verdict"]).capitalize(), tone, mark


def _explanation(report: Mapping[str, Any]) -> dict[str, str]:
    """The report's sentence without the word that the headline says already: `short`, and where it is long, the `rest`.

    Many findings in one reason would be a wall: what comes behind the first sentences is folded away.
    """
    _, colon, rest = str(report["sentence"]).partition(": ")
    told = str(report["sentence"])
    if colon:
        # A reason may begin with a file's name, which keeps its spelling.
        told = rest[:1].upper() + rest[1:] if report["evaluation"] else rest
    if len(told) <= REASON_CHARACTERS:
        return {"short": told, "rest": ""}
    end = max(told.rfind(mark, 0, REASON_CHARACTERS) for mark in (". ", "; "))
    head = told[: end + 1] if end > 0 else told[:REASON_CHARACTERS]
    return {"short": head if head.endswith(".") else f"{head.rstrip(';')} …", "rest": told}


def rows_told(rows: PageRows) -> str:
    """How many rows there are in each state."""
    titles = {
        State.WENT_WRONG: "went wrong",
        State.STILL_WRONG: "still wrong",
        State.CAME_RIGHT: "came right",
        State.STILL_RIGHT: "still right",
        State.NOT_GRADED: "not graded",
    }
    return ", ".join(f"{rows.index['states'].count(state):,} {title}" for state, title in titles.items())


def _places(report: Mapping[str, Any], *, rows: PageRows | None, parts: Row | None) -> list[tuple[str, str]]:
    """The sections that the page has, for the links at its head."""
    evaluation = report["evaluation"]
    return [
        (name, title)
        for name, title, there in (
            ("models", "Base against tuned", evaluation),
            ("rows", "Every row", rows),
            ("parts", str((parts or {}).get("title")), parts),
            ("rails", "Guard rails", evaluation),
            ("promotion", "Promotion", (report["promotion"] or {}).get("wanted")),
            ("training", "Training", report["training"]),
            ("distribution", "Rewards", evaluation),
            ("slices", "Parts of the test set", evaluation and evaluation["slices"]),
            ("dataset", "Dataset", report["dataset"] or report["findings"]),
            ("rehearsal", "Rehearsal", report["rehearsal"]),
            ("cost", "Time and cost", True),
            ("reproduce", "Reproduce", True),
        )
        if there
    ]


def _cards(evaluation: Mapping[str, Any]) -> list[Row]:
    compared = evaluation["comparison"]
    reward, accuracy = compared["reward"], compared["accuracy"]
    level = f"{1 - evaluation['level']:.0%}"
    cards = [
        {
            "title": "Difference of mean reward",
            "big": number(reward["difference"], "change"),
            "small": f"{level} interval {number(reward['low'], 'change')} to {number(reward['high'], 'change')}",
        },
        {
            "title": "Mean reward",
            "big": f"{number(reward['first']['mean'], 'reward')} → {number(reward['second']['mean'], 'reward')}",
            "small": f"p {number(reward['p_value'], 'p')} ({reward['test']}){_on_range(evaluation)}",
        },
    ]
    if accuracy:
        cards.append(
            {
                "title": "Accuracy",
                "big": f"{number(accuracy['first']['mean'], 'share')} → {number(accuracy['second']['mean'], 'share')}",
                "small": f"{compared['gained']:,} rows came right, {compared['lost']:,} went wrong",
            }
        )
    left_out = compared["left_out"]["rows"]
    cards.append(
        {
            "title": "Test rows compared",
            "big": f"{compared['pairs']:,}",
            "small": f"{left_out:,} of {compared['rows']:,} left out" if left_out else "none left out",
        }
    )
    return cards


def _on_range(evaluation: Mapping[str, Any]) -> str:
    """What the rewards lie between, where it is not 0 and 1."""
    low, high = evaluation["reward_range"]
    return "" if (low, high) == (0, 1) else f"; the grader's rewards go from {low:g} to {high:g}"


def _candidates(evaluation: Mapping[str, Any]) -> list[Row]:
    names = [name for name in (BASE, TUNED) if name in evaluation["candidates"]]
    names += [name for name in evaluation["candidates"] if name not in names]
    return [
        {
            "name": name.capitalize() if name in (BASE, TUNED) else name,
            "tone": name if name in (BASE, TUNED) else "other",
            **evaluation["candidates"][name],
            "ungraded_total": sum(evaluation["candidates"][name]["ungraded"].values()),
        }
        for name in names
    ]


def _statistics_note(evaluation: Mapping[str, Any]) -> str:
    compared = evaluation["comparison"]
    left_out = compared["left_out"]
    note = (
        f"Interval: {compared['reward']['method']}. Test: {compared['reward']['test']}. A row counts where both models "
        "have a graded answer"
    )
    note += ", several answers to a row as one. " if evaluation["samples"] > 1 else ". "
    if left_out["rows"]:
        note += (
            f"{left_out['rows']:,} rows do not count ({left_out['only_second_graded']:,} ungraded for the base model, "
            f"{left_out['only_first_graded']:,} for the tuned one, {left_out['neither_graded']:,} for both); had they "
            f"all gone one way, the difference would lie between {left_out['worst_case_difference']:+.3f} and "
            f"{left_out['best_case_difference']:+.3f}. "
        )
    detectable = evaluation["resolution"]["least_detectable"]
    if detectable:
        note += (
            f"With {evaluation['resolution']['discordant']:.0%} of the rows coming out differently, this test set "
            f"shows a difference of accuracy of {detectable:.1%} four times in five."
        )
    return note


def _training_note(training: Mapping[str, Any], *, curves: bool) -> str:
    parts = []
    if training.get("steps") is not None:
        total = training.get("total_steps")
        of = f" of {total:,}" if total and total != training["steps"] else ""
        parts.append(f"{training['steps']:,}{of} steps")
    if training.get("reward_first") is not None and training.get("reward_last") is not None:
        parts.append(f"reward {training['reward_first']:.3f} at first, {training['reward_last']:.3f} at last")
    if training.get("job_id"):
        parts.append(f"job {training['job_id']}")
    told = ", ".join(parts)
    sentences = [f"{told[:1].upper()}{told[1:]}."] if told else []
    if curves:
        sentences.append("Thin lines show single steps, thick lines a running mean.")
    return " ".join(sentences)


def _rail(finding: Mapping[str, Any]) -> Row:
    tone, label = ("bad", "broken") if finding["broken"] else ("", "noted")
    return {**finding, "tone": tone, "label": label, "where": ""}


def finding_row(finding: Mapping[str, Any]) -> Row:
    """A finding of the dataset, the rehearsal or the training, in the one shape that the page shows."""
    tone, label = _SEVERITIES.get(
        str(finding.get("severity", "")).lower(), ("", str(finding.get("severity") or "note"))
    )
    place = [file_name(str(finding["file"]))] if finding.get("file") else []
    place += [f"{name} {finding[name]}" for name in ("line", "step") if finding.get(name) is not None]
    return {
        "tone": tone,
        "label": label,
        "rule": str(finding.get("rule", "")),
        "message": _sentence(str(finding.get("message", ""))),
        "advice": str(finding.get("advice") or finding.get("hint") or ""),
        "where": ", ".join(place),
        "evidence": str(finding.get("evidence") or ""),
    }


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."


def _dataset_findings(findings: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The findings of the lines: those that say the same of many lines of a file are one, with the first lines."""
    alike: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for finding in findings:
        said = ("rule", "severity", "file", "message", "hint")
        alike.setdefault(tuple(str(finding.get(name)) for name in said), []).append(finding)
    shown: list[Row] = []
    for members in alike.values():
        row = finding_row(members[0])
        lines = [str(each["line"]) for each in members if each.get("line") is not None]
        if len(lines) > 1:
            more = f" and {len(lines) - _LINES_SHOWN:,} more" if len(lines) > _LINES_SHOWN else ""
            named = [file_name(str(members[0]["file"]))] if members[0].get("file") else []
            row["where"] = ", ".join([*named, f"lines {', '.join(lines[:_LINES_SHOWN])}{more}"])
        shown.append(row)
    return shown

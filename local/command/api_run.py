"""One run by the API of any stack: started with a folder, followed with the view, and its report fetched."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from local.command import exits, kept_runs, places, which_stack
from local.command.api_progress import ApiProgress
from local.command.differences import p_value
from tunedrop.notices.plain_text import plain
from tunedrop.run.decisions import in_words

if TYPE_CHECKING:
    from local.command.dataset_folder import DatasetFolder
    from local.command.views import View
    from tunedrop_client import Client
    from tunedrop_client.documents import RunDocument

RUN_ID = re.compile("[a-z0-9][a-z0-9-]*-[0-9a-f]{16}")
"""A run's id: its name, as far as it can be part of an id, and a hash."""

LOCAL_LOOK_SECONDS = 0.5
"""How often a run of this machine is looked at, where seconds are long."""

_STYLES = {"improved": "green", "tied": "yellow", "regressed": "red", "REJECTED": "yellow", "CANCELLED": "yellow"}
_SIMULATED = "Simulated: these figures say nothing about real models."


def take_through(
    client: Client, dataset: DatasetFolder, arguments: argparse.Namespace, *, evaluate_only: str | None = None
) -> int:
    """Start a run with the folder's files, follow it, fetch its report, show what came of it; the exit code."""
    from local.command.terminal import open_view

    console, view = open_view(to_stderr=arguments.json, plain=arguments.plain)
    view.tell(f"Uploading {dataset.train.parent} to {client.place.api_url}")
    run = client.start_folder(dataset.train.parent, dataset.name, evaluate_only=evaluate_only)
    view.tell(f"Started run {run['run_id']}")
    return follow_and_tell(client, run["run_id"], console, view, as_json=arguments.json)


def follow_and_tell(client: Client, run_id: str, console: Console, view: View, *, as_json: bool) -> int:
    """Follow a run to its end, fetch its report, and show what came of it; the exit code that its status has."""
    progress = ApiProgress(client)
    run: RunDocument | None = None
    try:
        every = LOCAL_LOOK_SECONDS if client.place.local else None
        for run in client.follow(run_id, every=every, on_failure=_Silence(client.place.api_url, run_id, view)):
            view.show(progress.of(run))
    except KeyboardInterrupt:
        view.close()
        raise exits.Detached(f"run {run_id} goes on; follow it with `tunedrop watch {run_id}`") from None
    finally:
        view.close()
    if run is None:
        raise AssertionError("a run that is followed is seen at least once")
    kept = fetch_report(client, run_id)
    show_end(console, run, kept)
    if as_json:
        print(json.dumps(run, ensure_ascii=False), flush=True)
    return exits.of_status(run["status"])


class _Silence:
    """Tells that the API gives no answer, more seldom the longer it lasts; ends the command if its stack has ended."""

    def __init__(self, url: str, run_id: str, view: View) -> None:
        self._url, self._run_id, self._view = url, run_id, view
        self._last_seconds = self._next_seconds = 0.0

    def __call__(self, error: Exception, seconds: float) -> None:
        """A look failed, `seconds` after the last answer. Raises CommandError."""
        if which_stack.has_ended(self._url):
            raise exits.CommandError(
                f"the stack at {self._url} has ended, and run {self._run_id} with it; start one with `tunedrop up`, "
                "and start the run again"
            )
        if seconds < self._last_seconds:  # there were answers in between
            self._next_seconds = 0.0
        self._last_seconds = seconds
        if seconds < self._next_seconds:
            return
        self._next_seconds = max(60.0, 2 * seconds)
        self._view.tell(
            f"No answer for {seconds:.0f} s ({error}). The run goes on; this command asks again, for up to an hour. "
            "Ctrl-C ends only the command"
        )


def run_id_of(client: Client, name: str) -> str:
    """The id of the run that is called so: by its id, or by its name, which means the latest run of it.

    Raises:
        CommandError: the caller's team has no run of this name there.
    """
    if RUN_ID.fullmatch(name):
        return name
    latest = next(client.runs(name=name, most=1), None)
    if latest is None:
        raise exits.CommandError(f"there is no run {name!r} at {client.place.api_url}; `tunedrop runs` lists them")
    return latest["run_id"]


def model_of(client: Client, name: str) -> str:
    """The id of the model that is called so: by its own id, or by that of the run whose tuned model it is.

    Raises:
        CommandError: the run has no tuned model.
    """
    if not RUN_ID.fullmatch(name):
        return name
    model = client.run(name)["tuned_model"]
    if model is None:
        raise exits.CommandError(f"run {name} has no tuned model; name a model's id")
    return model


def fetch_report(client: Client, run_id: str) -> Path | None:
    """The run's folder below build/runs with its report; None where the run has none."""
    from tunedrop_client import Problem

    folder = places.RUNS / run_id
    try:
        client.fetch_report(run_id, folder)
    except Problem as problem:
        if problem.kind == "not-ready":
            return None
        raise
    return folder


def show_end(console: Console, run: RunDocument, kept: Path | None) -> None:
    """What came of a run: its status or verdict, why, and where the report lies."""
    verdict = run["verdict"] if run["status"] == "SUCCEEDED" else None
    word = str(verdict or run["status"])
    console.print()
    console.print(
        Text.assemble((f" {word.upper()} ", f"bold reverse {_STYLES.get(word, 'red')}"), f"  {_sentence(run)}")
    )
    if run["simulated"]:
        console.print(Text(_SIMULATED, style="dim italic"))
    console.print()
    lines = [("run", run["run_id"]), ("model", run["tuned_model"] or "")]
    if kept is not None:
        lines.append(("report", places.shown(kept / kept_runs.PAGE)))
    if run["promotion"] is not None and run["promotion"]["state"] == "waiting":
        lines.append(("next", f"tunedrop approve {run['run_id']}, or tunedrop reject {run['run_id']}"))
    lines += [("promotion", told) for told in promotion_lines(run)]
    for name, value in lines:
        if value:
            console.print(Text.assemble((f"{name:<10}", "dim"), value), soft_wrap=True)


def promotion_lines(run: RunDocument) -> list[str]:
    """Why a person is asked about the promotion, or is not, and who decided what, when and why: a line each."""
    promotion = run["promotion"]
    if promotion is None:
        return []
    why = promotion.get("asked_why")
    asked = [f"{'a person is asked' if promotion.get('asked') else 'nobody is asked'}: {why}"] if why else []
    return [str(plain(each)) for each in (*asked, *map(in_words, promotion.get("decisions", [])))]


def _sentence(run: RunDocument) -> str:
    if run["reason"] is not None:
        return f"{run['reason']['error']}: {run['reason']['message']}"
    evaluation: dict[str, Any] = run["evaluation"] or {}
    if run["difference"] is None:
        return run["progress"]
    return (
        f"mean reward {run['difference']:+.3f} ({evaluation['ci_low']:+.3f} to {evaluation['ci_high']:+.3f}), "
        f"{p_value(evaluation['p_value'])}, {evaluation['rows']:,} rows"
    )

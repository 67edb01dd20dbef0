"""The report of a run in its folder: report.json, report.html, model_card.md and manifest.json."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import tunedrop
from tunedrop.catalog import who_trains
from tunedrop.outcomes import RunFileBroken, RunFileMissing, Status
from tunedrop.recipe import FindingName
from tunedrop.reporting import run_time
from tunedrop.reporting.facts import RunFacts
from tunedrop.reporting.manifest import build_manifest
from tunedrop.reporting.model_card import render_model_card
from tunedrop.reporting.page import render_html
from tunedrop.reporting.rehearsal_samples import samples
from tunedrop.reporting.report import build_report
from tunedrop.reporting.row_texts import PageRows
from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder
from tunedrop.run.promotion import standing
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import CheckedDataset
from tunedrop.settings import Settings

_log = logging.getLogger(__name__)


def write_report(
    run_folder: RunFolder,
    record: RunRecord,
    *,
    status: Status,
    reason: Mapping[str, str] | None,
    finished_at: str,
    metrics: Sequence[Mapping[str, float]] = (),
    evaluation: Mapping[str, Any] | None = None,
    flips: Mapping[str, Any] | None = None,
    rows: PageRows | None = None,
    settings: Settings,
) -> str:
    """Write the report of a run, however far it came; the address of the page.

    `settings` say who trains and answers here, so that a run without any training is labelled, too.
    """
    facts = _facts(
        run_folder,
        record,
        status=status,
        reason=reason,
        finished_at=finished_at,
        metrics=metrics,
        evaluation=evaluation,
        flips=flips,
        settings=settings,
    )
    report = build_report(facts)
    page = render_html(report, rows).encode("utf-8", "replace")
    card = render_model_card(report).encode("utf-8", "replace")
    run_folder.write_json(names.REPORT, report)
    run_folder.write(names.REPORT_PAGE, page, "text/html; charset=utf-8")
    run_folder.write(names.MODEL_CARD, card, "text/markdown; charset=utf-8")
    run_folder.write_json(
        names.AUDIT_MANIFEST,
        build_manifest(facts, files={names.REPORT_PAGE: page, names.MODEL_CARD: card}),
    )
    return run_folder.uri(names.REPORT_PAGE)


def _facts(
    run_folder: RunFolder,
    record: RunRecord,
    *,
    status: Status,
    reason: Mapping[str, str] | None,
    finished_at: str,
    metrics: Sequence[Mapping[str, float]],
    evaluation: Mapping[str, Any] | None,
    flips: Mapping[str, Any] | None,
    settings: Settings,
) -> RunFacts:
    dataset, training = record.dataset, record.training
    findings = _findings(run_folder)
    return RunFacts(
        run_id=record.run_id,
        name=record.name,
        status=str(status),
        reason=reason,
        **who_trains(
            simulated=settings.simulated or bool(training.simulated), weights=training.weights or settings.weights
        ),
        execution_arn=record.execution_arn,
        started_at=record.started_at,
        finished_at=finished_at,
        stages=run_time.stages(record, finished_at),
        base_model=record.base_model,
        tuned_model=record.tuned_model,
        recipe=record.recipe_document,
        grader={"kind": record.grader_kind, "arn": record.grader_arn} if record.grader_kind else None,
        dataset=None
        if record.train is None
        else {
            "uri": record.train.uri,
            "version": record.train.version_id,
            "rows": dataset.rows,
            "sha256": dataset.sha256,
        },
        test_set=_test_set(record, dataset, run_folder),
        findings=findings,
        rehearsal=_rehearsal(run_folder, record),
        training=None
        if record.job_id is None
        else {
            **{name: value for name, value in training.to_document().items() if name != "findings"},
            "job_id": record.job_id,
            "metrics": [dict(each) for each in metrics],
            "health": [_health(each) for each in training.findings or ()],
        },
        evaluation=evaluation,
        flips=flips,
        promotion=standing(record, status),
        cost=run_time.cost(record),
        code_version=tunedrop.__version__,
        seeds={"evaluation": record.recipe.evaluation.seed} if record.resolved else {},
    )


def _findings(run_folder: RunFolder) -> list[Any]:
    """The findings about the dataset; none where their file is gone or broken: a report must not fail for them."""
    if not run_folder.exists(names.FINDINGS):
        return []
    try:
        document = run_folder.read_json(names.FINDINGS)
    except (RunFileMissing, RunFileBroken) as error:
        _log.warning("the report is written without the dataset's findings: %s", error)
        return []
    found = document.get("findings") if isinstance(document, dict) else None
    return found if isinstance(found, list) else []


def _rehearsal(run_folder: RunFolder, record: RunRecord) -> dict[str, Any] | None:
    """The rehearsal's figures, with what was sampled where rehearsal.json can be read."""
    figures = record.rehearsal.document
    if not figures:
        return None
    try:
        document = run_folder.read_json(names.REHEARSAL, most_bytes=_LONGEST_REHEARSAL)
    except (RunFileMissing, RunFileBroken) as error:
        _log.warning("the report is written without the rehearsal's samples: %s", error)
        document = None
    return {**figures, "sampled": samples(document) if isinstance(document, dict) else None}


_LONGEST_REHEARSAL = 64 * 1024 * 1024
"""Bytes of rehearsal.json that a report reads: its answers are as long as a recipe lets them be."""


def _health(finding: Mapping[str, Any]) -> dict[str, Any]:
    """A finding about the training in the shape of the report's other findings; `metric` names the curve it is of."""
    return {
        "rule": finding["name"],
        "severity": "warning",
        "step": finding["step"],
        "metric": _CURVES.get(finding["name"]),
        "message": finding["evidence"],
        "advice": finding["advice"],
    }


_CURVES: Mapping[FindingName, str] = {
    "reward_plateau": "reward",
    "entropy_collapse": "entropy",
    "exploding_gradients": "gradient",
    "verbosity": "length",
}
"""The curve of the page on which a finding is marked; any other is marked on all of them."""


def _test_set(record: RunRecord, dataset: CheckedDataset, run_folder: RunFolder) -> dict[str, Any] | None:
    if dataset.test_rows is None:
        return None
    dropped = record.test
    return {
        "uri": dropped.uri if dropped else run_folder.uri(names.TEST),
        "version": dropped.version_id if dropped else None,
        "rows": dataset.test_rows,
        "sha256": dataset.test_sha256,
        "origin": "dropped" if dropped else "split off",
    }

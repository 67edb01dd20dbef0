"""A rehearsal with a real model at an endpoint, graded on this machine."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from local.endpoint.dataset import Rows
from local.endpoint.grader_here import grader_here
from local.endpoint.model import ServedModel
from tunedrop.catalog import Family
from tunedrop.outcomes import GraderUnsound, NoSignal, ServiceBusy
from tunedrop.rehearsal import verdict
from tunedrop.rehearsal.conduct import rehearse


def rehearse_at(model: ServedModel, rows: Rows) -> tuple[dict[str, Any], dict[str, Any]]:
    """What came of it, as `tunedrop rehearse` tells it, and the document with every answer.

    Raises:
        RecipeInvalid: the grader cannot run on this machine.
    """
    recipe = rows.recipe
    told: dict[str, Any] = {"status": "GO", "reason": None, "rehearsal": None, **what_is_real(model.told)}
    if rows.errors:
        reason = {"error": "DatasetInvalid", "message": "; ".join(rows.errors[:5])}
        return {**told, "status": "REJECTED", "reason": reason}, {}
    grader = grader_here(recipe)
    nova = recipe.catalog_model.family is Family.NOVA
    try:
        made = rehearse(
            rows.to_rehearse(),
            recipe=recipe,
            asked_as=model.id,
            sampler=model.sampler(nova=nova),
            grader=grader,
            train_rows=len(rows.train),
            test_rows=len(rows.test),
        )
    except ServiceBusy as error:
        return {**told, "status": "FAILED", "reason": {"error": "ServiceBusy", "message": model.silent(error)}}, {}
    findings = [asdict(each) for each in made.findings]
    told["rehearsal"] = {**made.figures, "verdict": str(verdict.verdict_of(made.findings)), "findings": findings}
    try:
        verdict.stop_if_hopeless(made.findings)
    except (NoSignal, GraderUnsound) as error:
        told |= {"status": "REJECTED", "reason": {"error": type(error).__name__, "message": str(error)}}
    return told, {**verdict.document(made.trial, made.figures, made.findings), **what_is_real(model.told)}


def what_is_real(*models: str) -> dict[str, Any]:
    """What every output says of where its figures come from."""
    return {
        "simulated": False,
        "answers_from": list(models),
        "graded_on": "this machine, by the recipe's grader",
        "trained": "nothing",
    }

"""A recipe's grader in this process, asked as a deployed one is."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, cast

from tunedrop.graders.batch import grade_batch
from tunedrop.graders.deployed import DeployedGrader
from tunedrop.graders.sample import Grader
from tunedrop.graders.workers import Workers
from tunedrop.outcomes import RecipeInvalid
from tunedrop.recipe import Recipe
from tunedrop.recipe_grader import grader_of_rows

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

BATCH_SECONDS = 300.0
"""As the deployed graders' timeout."""


def grader_here(recipe: Recipe) -> DeployedGrader:
    """The recipe's grader on this machine.

    Raises:
        RecipeInvalid: it needs something that is not on this machine, or its options are wrong.
    """
    kind = recipe.grader.kind_of_rows
    grader = None if kind is None else grader_of_rows(recipe)
    if kind is None or grader is None or "judge" in json.dumps([kind, recipe.grader.options]):
        raise RecipeInvalid(
            f"grader {recipe.grader.kind} is a function at AWS or asks a model there, so it cannot run on this machine"
        )
    return DeployedGrader(cast("LambdaClient", _InThisProcess(grader)), kind, rewards=recipe.grader.reward_range)


class _InThisProcess:
    """In the place of Lambda: `invoke` grades here."""

    def __init__(self, grader: Grader) -> None:
        self._grader = grader
        self._workers = Workers(grader)

    def invoke(self, *, FunctionName: str, Payload: bytes, ClientContext: str) -> dict[str, Any]:  # noqa: N803, ARG002 - boto3's
        answers = grade_batch(
            json.loads(Payload), self._grader, budget_seconds=BATCH_SECONDS, explain=True, workers=self._workers
        )
        return {"Payload": io.BytesIO(json.dumps(answers).encode())}

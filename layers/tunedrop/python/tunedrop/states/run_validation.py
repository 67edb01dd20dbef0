"""RunValidation: checks a dataset that the API was asked to check. This takes minutes, too long for a request."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from tunedrop import outcomes
from tunedrop.outcomes import InputMissing, RecipeInvalid
from tunedrop.recipe_resolution import resolve
from tunedrop.recipe_text import RECIPE_BYTES, parse
from tunedrop.resources import Resources
from tunedrop.run.inputs import fetch_plain, pin_object, read
from tunedrop.run.storable import text_of
from tunedrop.states.decision import Decision, for_the_handler
from tunedrop.validations import Validations, findings_key

SHOWN_FINDINGS = 50
SHOWN_OF_A_KIND = 3
SHOWN_BYTES = 128 * 1024
"""Findings in the answer itself, and bytes of them as JSON; the link leads to all. Together with a recipe of 128 KB
they stay below the 400 KB of an item in DynamoDB."""


@dataclass(frozen=True, slots=True)
class Checked(Decision):
    """The dataset is `validated`: it is `valid` or not, or `reason` says why it could not be checked."""

    valid: bool | None
    reason: Mapping[str, str] | None = for_the_handler()


def run(event: Mapping[str, Any], resources: Resources) -> Checked:
    """Check the dataset that a validation names, keep all findings, and note the result for the API.

    Input: `validation_id`.
    """
    validation_id = event["validation_id"]
    validations = Validations(resources.dynamodb, os.environ["API_TABLE"])
    source = validations.load(validation_id)["source"]
    try:
        report = _check(source, resources)
    except (RecipeInvalid, InputMissing) as error:
        result: dict[str, Any] = {"reason": {"error": type(error).__name__, "message": outcomes.reason(str(error))}}
    else:
        resources.s3.put_object(
            Bucket=resources.settings.runs_bucket,
            Key=findings_key(validation_id),
            Body=json.dumps(report, ensure_ascii=False).encode("utf-8", "surrogatepass"),
            ContentType="application/json",
        )
        result = {name: report[name] for name in ("valid", "rows", "counts")}
        result["findings"] = shown(few_of_each_kind(report["findings"]))
    validations.finish(validation_id, result)
    return Checked("validated", valid=result.get("valid"), reason=result.get("reason"))


def shown(findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The first findings: as many as fit into the API's answer and into an item."""
    room, first = SHOWN_BYTES, []
    for finding in findings[:SHOWN_FINDINGS]:
        room -= len(text_of(finding).encode()) + 1  # with its comma
        if room < 0:
            break
        first.append(finding)
    return first


def few_of_each_kind(findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The first findings of each rule and file, so that one mistake in every row does not hide the others."""
    met: Counter[tuple[str, str]] = Counter()
    few = []
    for finding in findings:
        kind = (finding["rule"], finding["file"])
        met[kind] += 1
        if met[kind] <= SHOWN_OF_A_KIND:
            few.append(finding)
    return few


def _check(source: Mapping[str, Any], resources: Resources) -> dict[str, Any]:
    s3 = resources.s3
    written: Mapping[str, Any] = source.get("recipe") or {}
    if "recipe_file" in source:
        pinned = pin_object(s3, source["recipe_file"])
        written = parse(read(s3, pinned, most_bytes=RECIPE_BYTES), pinned.key.rpartition("/")[2])
    recipe = resolve(written, resources.settings.region, parameter_path=resources.settings.parameter_path)
    train = pin_object(s3, source)
    test = pin_object(s3, source["test"]) if "test" in source else None
    with tempfile.TemporaryFile() as train_file, tempfile.TemporaryFile() as test_file:
        packing = {"train": fetch_plain(s3, train, cast(BinaryIO, train_file))}
        if test is not None:
            packing["test"] = fetch_plain(s3, test, cast(BinaryIO, test_file))
        from tunedrop.dataset.with_recipe import check_with_recipe  # the API starts without it

        tested = cast(BinaryIO, test_file) if test is not None else None
        report = check_with_recipe(cast(BinaryIO, train_file), test=tested, recipe=recipe, packing=packing)
    return report.to_json()

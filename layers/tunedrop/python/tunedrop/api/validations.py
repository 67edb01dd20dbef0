"""Checking a dataset without a run: asked for by the API, done by a function of its own, as it takes up to minutes."""

from __future__ import annotations

import json
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from tunedrop import clock, outcomes
from tunedrop.api.problems import Problem
from tunedrop.outcomes import InputMissing, RecipeInvalid
from tunedrop.recipe import resolve
from tunedrop.recipe_text import RECIPE_BYTES, parse
from tunedrop.resources import Resources
from tunedrop.run.inputs import open_pinned, pin_object, read
from tunedrop.run.record import PinnedObject
from tunedrop.run.storable import text_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_SECONDS = 7 * 24 * 3600
"""How long a validation can be asked for."""

LONGEST_SECONDS = 3 * 900 + 600
"""The function's timeout, thrice, as Lambda tries an asynchronous call again twice, and its waits between."""

SHOWN_FINDINGS = 50
SHOWN_OF_A_KIND = 3
SHOWN_BYTES = 128 * 1024
"""Findings in the answer itself, and bytes of them as JSON; the link leads to all. Together with a recipe of 128 KB
they stay below the 400 KB of an item in DynamoDB."""


class Validations:
    """The validations that were asked for, an item each, with a time to live."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def ask(self, team: str, source: Mapping[str, Any]) -> str:
        """Note a new validation; its id."""
        validation_id = secrets.token_hex(16)
        self._client.put_item(
            TableName=self._table,
            Item={
                **_id(validation_id),
                "team": {"S": team},
                "source": {"S": text_of(source)},
                "asked_at": {"S": clock.now_text()},
                "expires_at": {"N": str(int(time.time()) + KEPT_SECONDS)},
            },
        )
        return validation_id

    def load(self, validation_id: str, team: str | None = None) -> dict[str, Any]:
        """What was asked for, and what came of it (`result`, None until it is there).

        Raises:
            Problem: not-found: there is none, or it is not `team`'s, where that is given.
        """
        answer = self._client.get_item(TableName=self._table, Key=_id(validation_id), ConsistentRead=True)
        item = answer.get("Item")
        if item is None or (team is not None and item["team"]["S"] != team):
            raise Problem("not-found", f"Your team has no validation {validation_id!r}.")
        return {
            "source": json.loads(item["source"]["S"]),
            "asked_at": item["asked_at"]["S"],
            "result": json.loads(item["result"]["S"]) if "result" in item else None,
        }

    def finish(self, validation_id: str, result: Mapping[str, Any]) -> None:
        """Note what came of it."""
        self._client.update_item(
            TableName=self._table,
            Key=_id(validation_id),
            UpdateExpression="SET #result = :result",
            ConditionExpression="attribute_exists(id)",
            ExpressionAttributeNames={"#result": "result"},
            ExpressionAttributeValues={":result": {"S": text_of(result)}},
        )


def document(validation_id: str, told: Mapping[str, Any], link: str | None) -> dict[str, Any]:
    """A validation as the API tells it. `link` leads to all findings."""
    result = told["result"]
    reason = (result or {}).get("reason")
    if result is None:
        age = (clock.now() - clock.parse(told["asked_at"])).total_seconds()
        if age > LONGEST_SECONDS:
            reason = {"error": "ValidationLost", "message": "The check did not come to its end; ask for it again."}
    status = "FAILED" if reason else "DONE" if result else "RUNNING"
    done = result if status == "DONE" else {}
    return {
        "validation_id": validation_id,
        "url": f"/validations/{validation_id}",
        "status": status,
        "valid": done.get("valid"),
        "rows": done.get("rows"),
        "counts": done.get("counts"),
        "findings": done.get("findings"),
        "findings_link": link if status == "DONE" else None,
        "reason": reason,
    }


def findings_key(validation_id: str) -> str:
    """Where all findings of a validation lie in the bucket of the runs."""
    return f"validations/{validation_id}/findings.json"


def validate(validation_id: str, validations: Validations, resources: Resources) -> dict[str, Any]:
    """Check the dataset that a validation names, keep all findings, and note the result."""
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
    return result


def shown(findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The first findings: as many as an answer and an item have room for."""
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
        _fetch(resources, train, cast(BinaryIO, train_file))
        if test is not None:
            _fetch(resources, test, cast(BinaryIO, test_file))
        from tunedrop.dataset.with_recipe import check_with_recipe  # the API starts without it

        tested = cast(BinaryIO, test_file) if test is not None else None
        report = check_with_recipe(cast(BinaryIO, train_file), test=tested, recipe=recipe)
    return report.to_json()


def _fetch(resources: Resources, pinned: PinnedObject, file: BinaryIO) -> None:
    body = open_pinned(resources.s3, pinned)
    while chunk := body.read(1 << 20):
        file.write(chunk)
    file.seek(0)


def _id(validation_id: str) -> dict[str, Any]:
    return {"id": {"S": f"validation/{validation_id}"}}

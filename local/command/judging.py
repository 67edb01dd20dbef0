"""What `tunedrop grade` needs to ask a model, and how far its verdicts agree with people's labels."""

from __future__ import annotations

import json
import os
import shlex
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from local.command import exits, places

_NEEDED = (
    "this grader asks a model. Run `tunedrop up` in another terminal for a simulated one, or set OPENAI_BASE_URL and "
    "OPENAI_API_KEY to an endpoint of OpenAI's interface"
)
_SECONDS = 10.0


def require_endpoint() -> None:
    """Let the judge ask the endpoint that the environment names, or else that of a running `tunedrop up`.

    Raises:
        UsageError: there is neither, or it does not answer.
    """
    base_url, key = os.environ.get("OPENAI_BASE_URL", ""), os.environ.get("OPENAI_API_KEY", "")
    if not base_url:
        running = _of_running_stack()
        base_url, key = running.get("OPENAI_BASE_URL", ""), running.get("OPENAI_API_KEY", "")
    if not base_url:
        raise exits.UsageError(_NEEDED)
    os.environ["MANTLE_BASE_URL"], os.environ["OPENAI_API_KEY"] = base_url, key
    os.environ["JUDGE_MODELS"] = ",".join(_models(base_url, key))


def _of_running_stack() -> dict[str, str]:
    try:
        lines = places.UP_ENVIRONMENT.read_text().splitlines()
    except OSError:
        return {}
    words = [shlex.split(line.removeprefix("export ")) for line in lines if line.startswith("export ")]
    return dict(word[0].split("=", 1) for word in words if word)


def _models(base_url: str, key: str) -> list[str]:
    request = urllib.request.Request(  # noqa: S310 (the user's own endpoint)
        f"{base_url.rstrip('/')}/models", headers={"Authorization": f"Bearer {key}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            listed = json.load(answer)["data"]
        return [str(model["id"]) for model in listed]
    except (OSError, urllib.error.URLError, ValueError, KeyError, TypeError) as error:
        raise exits.UsageError(f"{base_url} does not answer with its models ({error}): {_NEEDED}") from None


class Labels:
    """The labels of people beside the grader's verdicts, row by row."""

    def __init__(self, field: str) -> None:
        self._field = field
        self._pairs: list[tuple[bool | None, bool]] = []
        self._unlabelled = 0

    def add(self, row: Mapping[str, Any], told: Mapping[str, Any]) -> None:
        """One row with its answer."""
        metadata = row.get("metadata")
        inner = metadata if isinstance(metadata, Mapping) else {}
        label = row.get(self._field, inner.get(self._field))
        if not isinstance(label, (bool, int, float)):
            self._unlabelled += 1
            return
        metrics = {metric["name"]: metric["value"] for metric in told["metrics_list"]}
        accepted = metrics.get("accuracy", told["aggregate_reward_score"]) >= 0.5
        self._pairs.append((None if "grader_error" in metrics else accepted, label >= 0.5))

    def told(self) -> str:
        """What was found, as sentences."""
        from tunedrop.evaluation.judge_agreement import agreement_of

        try:
            found = agreement_of(self._pairs)
        except ValueError as error:
            return f"Agreement with `{self._field}`: {error}."
        kappa = "" if found.kappa is None else f", Cohen's kappa {found.kappa:.2f}"
        told = (
            f"Agreement with `{self._field}`: {found.agreed:,} of {found.graded:,} rows ({found.share:.1%}, 95% "
            f"interval {found.low:.1%} to {found.high:.1%}{kappa}). Wrongly accepted: {found.false_accepts:,}, wrongly "
            f"rejected: {found.false_rejects:,}, ungraded: {found.ungraded:,}."
        )
        return f"{told} Rows without a label: {self._unlabelled:,}." if self._unlabelled else told

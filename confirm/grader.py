"""The walk's grader: deployed for the walk alone, asked for what it logged of its batches, deleted at the end."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

MOST_BATCHES = 5
"""How many of the logged batches are recorded."""


class ShapeGrader:
    """A function named `name`. `functions` and `logs` are boto3 clients of the Region in which the model is tuned."""

    def __init__(self, functions: Any, logs: Any, *, name: str, role: str) -> None:
        self._functions = functions
        self._logs = logs
        self._name = name
        self._role = role

    def deploy(self) -> str:
        """The function's ARN, once it can be invoked."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as written:
            written.writestr("app.py", (Path(__file__).parent / "shape_grader.py").read_text())
        made = self._functions.create_function(
            FunctionName=self._name,
            Runtime="python3.13",
            Role=self._role,
            Handler="app.handler",
            Code={"ZipFile": archive.getvalue()},
            Timeout=300,
        )
        self._functions.get_waiter("function_active_v2").wait(FunctionName=self._name)
        return str(made["FunctionArn"])

    def batches(self) -> list[dict[str, Any]]:
        """What it logged of the first batches; none where it was never asked."""
        with suppress(self._logs.exceptions.ResourceNotFoundException):
            events = self._logs.filter_log_events(logGroupName=f"/aws/lambda/{self._name}", filterPattern="BATCH")
            told = [each["message"].partition("BATCH ")[2] for each in events["events"]]
            return [json.loads(text) for text in told if text][:MOST_BATCHES]
        return []

    def delete(self) -> None:
        """Delete the function."""
        self._functions.delete_function(FunctionName=self._name)

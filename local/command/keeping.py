"""Runs of the stack that `tunedrop up` keeps running: once ended, each is copied to build/runs, whoever started it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from local.command.following import LOGS, copy_run_folder, keep_model
from local.command.subscriber import messages_of, subscribe

if TYPE_CHECKING:
    from pathlib import Path

    from local.stack import LocalStack


class Keeper:
    """Subscribes to the ends of all runs."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._sqs = stack.aws.client("sqs")
        topic = stack.outputs["NoticesTopicArn"]
        self._queue = subscribe(self._sqs, stack.aws.client("sns"), topic, "tunedrop-up", {"event": ["run_ended"]})

    def keep_ended(self) -> list[Path]:
        """Copy the runs whose notices have come since the last call; their folders."""
        return [self._keep(message) for _, message in messages_of(self._sqs, self._queue)]

    def _keep(self, message: dict[str, Any]) -> Path:
        folder = copy_run_folder(self._stack, str(message["run_id"]))
        shutil.copytree(self._stack.folder / "aws/logs", folder / LOGS, dirs_exist_ok=True)
        keep_model(self._stack, str(message.get("tuned_model") or ""), folder)
        return folder

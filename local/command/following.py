"""One run from the upload to its notice: what `tunedrop run` and `tunedrop demo` do."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.bedrock.handle import LocalBedrockFailed
from local.command import places
from local.command.copying import copy_folder
from local.command.dataset_folder import DatasetFolder
from local.command.exits import CommandError
from local.command.progress import Progress, reader
from local.command.subscriber import Received, Subscriber
from local.command.views import View
from tunedrop.identity import INBOX, Upload, run_id_for_upload
from tunedrop.run.folder import RunFolder

if TYPE_CHECKING:
    from local.stack import LocalStack

LOOK_SECONDS = 0.25
START_SECONDS = 60.0
"""How long an upload may take to become a run. It takes one cold start, a second or two."""

KEPT_MODEL = "kept_model.json"
"""The tuned model in the copy of the run's folder, for `tunedrop evaluate`."""

ADAPTER = "adapter"
"""What a training on this machine added to a language model's weights, beside it; in PEFT's format."""

LOGS = "logs"
"""Where the functions' logs go in the copy of the run's folder: one file a function."""

NOTICE_SECONDS = 180.0
"""How long after the execution's end its notice may take: the aftermath machine, with its retries."""


@dataclass(frozen=True, slots=True)
class FollowedRun:
    """A run that has ended: how it went, its notice as the subscriber got it, and the copy of its folder."""

    progress: Progress
    notice: Received
    folder: Path
    seconds: float


def take_through(stack: LocalStack, dataset: DatasetFolder, view: View) -> FollowedRun:
    """Drop the dataset into the inbox, follow the run to its notice, and copy its folder to `build/runs/`.

    Raises:
        CommandError: no run or no notice came of it in time, or the local Bedrock has ended; says where to look.
    """
    aws, outputs = stack.aws, stack.outputs
    subscriber = Subscriber(aws.client("sqs"), aws.client("sns"), outputs["NoticesTopicArn"], dataset.name)
    bucket = outputs["DatasetBucketName"]
    began = time.monotonic()
    key, version = dataset.upload(aws.client("s3"), bucket)
    names = [*(each.name for each in dataset.siblings), dataset.train.name]
    view.tell(f"Dropped {', '.join(names)} into s3://{bucket}/{INBOX}{dataset.name}/")
    run_id = run_id_for_upload(Upload(bucket, key, version))
    progress, notice = _follow(stack, run_id, subscriber, view)
    folder = copy_run_folder(stack, run_id)
    shutil.copytree(stack.folder / "aws/logs", folder / LOGS, dirs_exist_ok=True)
    keep_model(stack, str(notice.message.get("tuned_model") or ""), folder)
    return FollowedRun(progress, notice, folder, time.monotonic() - began)


def _follow(stack: LocalStack, run_id: str, subscriber: Subscriber, view: View) -> tuple[Progress, Received]:
    aws = stack.aws
    progress_reader = reader(
        run_id,
        dynamodb=aws.client("dynamodb"),
        s3=aws.client("s3"),
        stepfunctions=aws.client("stepfunctions"),
        outputs=stack.outputs,
    )
    notice: Received | None = None
    waited_since = time.monotonic()
    while True:
        progress = progress_reader.read()
        view.show(progress)
        notice = notice or subscriber.receive(run_id)
        over = progress.ended or progress.waits_for_approval
        if notice is not None and over and progress.notified:
            return progress, notice
        if progress.record is not None and not progress.ended:
            waited_since = time.monotonic()
        if not over and (how := stack.bedrock.how_it_ended()):
            stage = progress.last_stage or "the first state"
            raise CommandError(f"run {run_id} was in {stage}, and cannot go on: {how}\nRun the command again.")
        waited = time.monotonic() - waited_since
        if progress.record is None and waited > START_SECONDS:
            raise CommandError(f"the upload started no run within {START_SECONDS:.0f} s; {_logs(stack)}")
        if waited > NOTICE_SECONDS:
            missing = "its notice" if notice is None else "the mark that its notice is out"
            raise CommandError(
                f"run {run_id} ended as {progress.execution_status} ({progress.error}), but {missing} did not come "
                f"within {NOTICE_SECONDS:.0f} s; {_logs(stack)}"
            )
        time.sleep(LOOK_SECONDS)


def keep_model(stack: LocalStack, model: str, folder: Path) -> None:
    """Keep the tuned model: Bedrock's outlives the run, and `tunedrop evaluate` asks it again."""
    if model:
        with suppress(LocalBedrockFailed):  # a model that is none of this stack's
            shown = stack.bedrock.policy(model)
            if shown.get("adapter"):
                kept = shutil.copytree(shown["adapter"], folder / ADAPTER, dirs_exist_ok=True)
                shown |= {"adapter": str(kept.resolve()), "weights": stack.bedrock.weights}
            (folder / KEPT_MODEL).write_text(json.dumps(shown))


def copy_run_folder(stack: LocalStack, run_id: str) -> Path:
    """Everything that the run wrote, as files below `build/runs/<run_id>/`."""
    run_folder = RunFolder(stack.aws.client("s3"), stack.outputs["RunsBucketName"], run_id)
    return copy_folder(run_folder, places.RUNS / run_id)


def _logs(stack: LocalStack) -> str:
    return f"the functions' logs are in {places.shown(stack.folder / 'aws/logs')}"

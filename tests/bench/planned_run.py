"""A run on the local stack that stands just before its evaluation, without a training: what is measured comes next."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from local.stack import LocalStack
from tunedrop import clock, recipe_resolution
from tunedrop.dataset.written_rows import RowsFile, rows_of
from tunedrop.outcomes import Status
from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore

SUFFIX = ' Let\'s think step by step and output the final answer after "####".'


def sums(count: int) -> Iterator[bytes]:
    """So many different rows with their answers."""
    for number in range(count):
        boxes, each = divmod(number, 150)
        text = f"A shop has {boxes + 3} boxes of {each + 2} apples. How many apples are that?{SUFFIX}"
        answer = f"{boxes + 3}*{each + 2} = {(boxes + 3) * (each + 2)} #### {(boxes + 3) * (each + 2)}"
        row = {"messages": [{"role": "user", "content": text}], "reference_answer": answer}
        yield json.dumps(row).encode() + b"\n"


@dataclass(frozen=True)
class PlannedRun:
    """A run whose states are invoked one by one, as the state machine invokes them."""

    stack: LocalStack
    run_id: str
    shards: int

    def evaluate(self, shard: int) -> dict[str, Any]:
        return invoke(self.stack, "EvaluateShard", {"run_id": self.run_id, "shard": shard})

    def evaluate_all(self, at_once: int) -> None:
        with ThreadPoolExecutor(at_once) as threads:
            for _ in threads.map(self.evaluate, range(self.shards)):
                pass

    def conclude(self) -> dict[str, Any]:
        return invoke(self.stack, "ConcludeRun", {"run_id": self.run_id})

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.stack.aws.client("s3"), self.stack.outputs["RunsBucketName"], self.run_id)


def planned_run(stack: LocalStack, *, rows: int, tuned_model: str, **evaluation: Any) -> PlannedRun:
    """A run over `rows` sums, base against `tuned_model`, planned by the deployed PlanEvaluation."""
    run_id = f"measured-{uuid.uuid4().hex[:12]}"
    now = clock.now_text()
    test = b"".join(sums(rows))
    stack.bedrock.teach(test)
    resolved = recipe_resolution.resolve({"evaluate_only": tuned_model, "evaluation": evaluation}, stack.region)
    store = RunStore(stack.aws.client("dynamodb"), stack.outputs["RunsTableName"])
    pipeline = stack.outputs["PipelineArn"].replace(":stateMachine:", ":execution:")
    store.register(RunRecord(run_id, run_id, f"{pipeline}:{run_id}", Status.RUNNING, started_at=now, updated_at=now))
    store.update(
        run_id,
        {
            "recipe": resolved.model_dump(mode="json"),
            "grader_arn": stack.outputs["GraderPlainArn"],
            "tuned_model": tuned_model,
            "rehearsal": {"latency_p99": 0.01},
            "training": {"simulated": True},
        },
    )
    folder = RunFolder(stack.aws.client("s3"), stack.outputs["RunsBucketName"], run_id)
    written = io.BytesIO()
    file = RowsFile(written, resolved.grader)
    for row in rows_of(io.BytesIO(test)):
        file.write(row)
    folder.write(names.TEST, written.getvalue())
    invoke(stack, "PlanEvaluation", {"run_id": run_id})
    return PlannedRun(stack, run_id, len(folder.read_json(names.MANIFEST)))


def invoke(stack: LocalStack, function: str, event: dict[str, Any]) -> dict[str, Any]:
    """Invoke a deployed function. Fails with its error."""
    answer = stack.aws.client("lambda").invoke(
        FunctionName=stack.resources[function], Payload=json.dumps(event).encode()
    )
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload

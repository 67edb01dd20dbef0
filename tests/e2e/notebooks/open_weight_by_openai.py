"""The calls of AWS's notebooks on reinforcement fine-tuning of open-weight models: nothing here names an endpoint.

The last line on stdout is a JSON object that says how it went.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
from openai import OpenAI, OpenAIError

ROWS = Path(__file__).resolve().parents[3] / "events/datasets/gsm8k/train.jsonl"

boto3.client("lambda").get_function(FunctionName=os.environ["TUNEDROP_PLAIN_GRADER"])
client = OpenAI()
rows = ROWS.read_bytes().replace(b'{"messages"', b'{"tunedrop_grader": {"kind": "math"}, "messages"')
file = client.files.create(file=("train.jsonl", rows), purpose="fine-tune")
client.files.retrieve(file.id)
method: Any = {
    "type": "reinforcement",
    "reinforcement": {
        "grader": {"type": "lambda", "lambda": {"function": os.environ["TUNEDROP_PLAIN_GRADER"]}},
        "hyperparameters": {"n_epochs": 1, "batch_size": 32, "learning_rate_multiplier": 1.0},
    },
}
job = client.fine_tuning.jobs.create(model="openai.gpt-oss-20b", training_file=file.id, extra_body={"method": method})
while job.status not in ("succeeded", "failed", "cancelled"):
    with suppress(OpenAIError):  # the notebooks take it that the list may be refused before the training
        client.fine_tuning.jobs.checkpoints.list(job.id)
    time.sleep(0.5)
    job = client.fine_tuning.jobs.retrieve(job.id)
if job.fine_tuned_model is None:
    sys.exit(f"the job has ended as {job.status}: {job.error}")
events = list(client.fine_tuning.jobs.list_events(job.id, limit=50))
checkpoints = client.fine_tuning.jobs.checkpoints.list(job.id).data

question = json.loads(ROWS.read_text().splitlines()[0])["messages"][-1]["content"]
answers = {
    model: client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": question}], max_tokens=512, temperature=0
    )
    .choices[0]
    .message.content
    for model in ("openai.gpt-oss-20b", job.fine_tuned_model, checkpoints[0].fine_tuned_model_checkpoint)
}
kinds = [
    event.type
    for event in client.responses.create(
        model=job.fine_tuned_model,
        input=[{"role": "user", "content": question}],
        stream=True,
        reasoning={"effort": "low"},
    )
]
first = client.responses.create(model=job.fine_tuned_model, input=question)
second = client.responses.create(model=job.fine_tuned_model, input="Again.", previous_response_id=first.id)
client.files.delete(file.id)
sys.stdout.write(
    json.dumps(
        {
            "job": job.status,
            "listed": job.id in [listed.id for listed in client.fine_tuning.jobs.list(limit=20)],
            "metrics": any(event.type == "metrics" for event in events),
            "checkpoints": bool(checkpoints),
            "answers": [text is not None for text in answers.values()],
            "streamed": "response.reasoning_text.delta" in kinds and kinds[-1] == "response.completed",
            "second_turn": second.status,
        }
    )
)

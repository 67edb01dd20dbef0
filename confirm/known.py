"""Which open questions a recording answers, and how."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

Steps = Mapping[str, Any]


def _ids(steps: Steps) -> str:
    said = [f"file {_form(steps['file_uploaded']['id'])}", f"job {_form(steps['create']['body']['id'])}"]
    if steps["job"].get("fine_tuned_model"):
        said.append(f"model {_form(steps['job']['fine_tuned_model'])}")
    return ", ".join(said)


def _form(text: str) -> str:
    """An id with its digits and letters of chance replaced, so that its form shows."""
    uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
    return re.sub(r"[0-9a-z]{20,}", "<letters>", uuid.sub("<uuid>", text))


def _metrics(steps: Steps) -> list[Mapping[str, Any]]:
    return [each["data"] for each in steps["events"]["body"]["data"] if each.get("type") == "metrics"]


def _order(steps: Steps) -> str:
    numbers = [each["step"] for each in _metrics(steps)]
    if len(numbers) < 2:
        return "too few events to tell"
    return "newest first" if numbers[0] > numbers[-1] else "oldest first"


def _refusal(step: str) -> Callable[[Steps], str]:
    return lambda steps: f"HTTP {steps[step]['status']}: {json.dumps(steps[step]['body'])[:300]}"


def _early(step: str) -> Callable[[Steps], str]:
    """How a list answered before the training: refused, or with how many entries."""

    def tell(steps: Steps) -> str:
        answer = steps[step]
        if answer["status"] >= 300:
            return _refusal(step)(steps)
        return f"HTTP {answer['status']}, {len(answer['body'].get('data', []))} entries"

    return tell


Questions = Mapping[str, tuple[str, Callable[[Steps], str]]]
"""By the question: the step that must have been recorded, and what it says."""

OPEN_WEIGHT: Questions = {
    "status of a file after its upload": ("file_uploaded", lambda steps: str(steps["file_uploaded"].get("status"))),
    "download of a file's content": ("file_content", lambda steps: f"HTTP {steps['file_content']['status']}"),
    "form of ids": ("job", _ids),
    "whether `method` is echoed": (
        "create",
        lambda steps: "echoed" if steps["create"]["body"].get("method") else "not echoed",
    ),
    "steps of the job": (
        "events",
        lambda steps: str(next((each.get("total_steps") for each in _metrics(steps)), "no metrics")),
    ),
    "statuses, in order": ("statuses", lambda steps: " → ".join(each["status"] for each in steps["statuses"])),
    "how far the list lags": ("create_listed", lambda steps: f"{steps['create_listed']['seconds']} s"),
    "cancelling a cancelled job": ("cancel_again", lambda steps: f"HTTP {steps['cancel_again']['status']}"),
    "pause": ("pause", lambda steps: f"HTTP {steps['pause']['status']}"),
    "order of events": ("events", _order),
    "default page of events": ("events_unlimited", lambda steps: str(len(steps["events_unlimited"]["body"]["data"]))),
    "events before the training": ("early_events", _early("early_events")),
    "checkpoints before the training": ("early_checkpoints", _early("early_checkpoints")),
    "the error for a job that does not exist": ("refused_job", _refusal("refused_job")),
    "the error for a file that does not exist": ("refused_file", _refusal("refused_file")),
    "the error for a model that does not exist": ("refused_create", _refusal("refused_create")),
    "whether a grader may install a system call filter": (
        "grader_batches",
        lambda steps: str(
            steps["grader_batches"][0]["system_call_filter"] if steps["grader_batches"] else "not logged"
        ),
    ),
    "keys of a metrics event": (
        "events",
        lambda steps: ", ".join(sorted(next(iter(_metrics(steps)), {}))) or "no metrics",
    ),
    "checkpoints": (
        "checkpoints",
        lambda steps: str([each.get("step_number") for each in steps["checkpoints"]["body"]["data"]]),
    ),
    "the grader's batch": (
        "grader_batches",
        lambda steps: str(steps["grader_batches"][0] if steps["grader_batches"] else "none was logged"),
    ),
    "whether `seed` is taken": (
        "tuned_model_with_seed",
        lambda steps: f"HTTP {steps['tuned_model_with_seed']['status']}",
    ),
    "tuned models in the list of models": (
        "models",
        lambda steps: str(
            any(m.get("id") == steps["job"]["fine_tuned_model"] for m in steps["models"]["body"]["data"])
        ),
    ),
}


def _nova_ids(steps: Steps) -> str:
    said = [f"job {_form(steps['nova_create']['body']['jobArn'])}"]
    if steps["nova_job"].get("outputModelArn"):
        said.append(f"model {_form(steps['nova_job']['outputModelArn'])}")
    if "nova_deployed" in steps:
        said.append(f"deployment {_form(steps['nova_deployed']['arn'])}")
    return ", ".join(said)


def _created_again(steps: Steps) -> str:
    again = steps["nova_create_again"]
    if again["status"] >= 300:
        return _refusal("nova_create_again")(steps)
    same = again["body"]["jobArn"] == steps["nova_create"]["body"]["jobArn"]
    return "the same job" if same else "another job"


def _converse(steps: Steps) -> str:
    answer = steps["nova_converse"]["body"]
    blocks = ", ".join(next(iter(block)) for block in answer["output"]["message"]["content"])
    return f"{answer['stopReason']}; blocks: {blocks}; usage: {', '.join(sorted(answer['usage']))}"


NOVA: Questions = {
    "Nova: statuses, in order": ("nova_statuses", lambda steps: " → ".join(steps["nova_statuses"])),
    "Nova: form of ARNs": ("nova_job", _nova_ids),
    "Nova: a creation that is sent again with its token": ("nova_create_again", _created_again),
    "Nova: whether `customizationConfig` is echoed": (
        "nova_job",
        lambda steps: "echoed" if steps["nova_job"].get("customizationConfig") else "not echoed",
    ),
    "Nova: members of a job": ("nova_job", lambda steps: ", ".join(sorted(steps["nova_job"]))),
    "Nova: the error for a job that does not exist": ("nova_refused_job", _refusal("nova_refused_job")),
    "Nova: the grader's batch": (
        "nova_grader_batches",
        lambda steps: str(steps["nova_grader_batches"][0] if steps["nova_grader_batches"] else "none was logged"),
    ),
    "Nova: asking before the deployment is active": ("nova_early_converse", _refusal("nova_early_converse")),
    "Nova: how a deployment ends": (
        "nova_deployed",
        lambda steps: f"{steps['nova_deployed']['status']} after {steps['nova_deployed']['seconds']} s",
    ),
    "Nova: Converse of the tuned model": (
        "nova_converse",
        _converse,
    ),
    "Nova: members of InvokeModel's answer": (
        "nova_invoke",
        lambda steps: ", ".join(sorted(steps["nova_invoke"]["body"]["answer"])),
    ),
    "Nova: deleting a model whose deployment is gone": (
        "nova_model_deleted",
        lambda steps: f"HTTP {steps['nova_model_deleted']['status']}",
    ),
}


def answers(questions: Questions, steps: Steps) -> dict[str, str | None]:
    """What is known of each question now; None where the walk did not come that far, or had no permission to."""
    refused = refusals(steps)
    return {
        question: _told(tell, steps, step) if step in steps and step not in refused else None
        for question, (step, tell) in questions.items()
    }


def refusals(steps: Steps) -> dict[str, str]:
    """The steps that the caller had no permission for, each with the service's words."""
    return {
        name: _refusal(name)(steps)
        for name, step in steps.items()
        if isinstance(step, dict) and step.get("status") in (401, 403)
    }


def _told(tell: Callable[[Steps], str], steps: Steps, step: str) -> str:
    """The answer; where the service answered in another form than expected, that form."""
    try:
        return tell(steps)
    except (KeyError, TypeError, AttributeError, IndexError, StopIteration):
        return f"in a form that was not expected: {json.dumps(steps[step])[:300]}"


def page(known: Mapping[str, str | None], *, simulated: bool) -> str:
    """What is known now, as a page of Markdown: each question is CONFIRMED with its answer, or still UNCONFIRMED."""
    head = "# What the service answered\n\n"
    if simulated:
        head += "**Simulated: this was not the service, and confirms nothing.**\n\n"
    word = "SIMULATED" if simulated else "CONFIRMED"
    rows = [
        f"| {question} | {'UNCONFIRMED' if answer is None else word} | {_cell(answer or 'not reached')} |"
        for question, answer in known.items()
    ]
    return head + "\n".join(["| question | standing | answer |", "|---|---|---|", *rows]) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")

"""What a subscriber by e-mail reads: a few sentences made from the same JSON document that every other one gets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from tunedrop.outcomes import RepeatedDrop

_REASON_CHARACTERS = 2_000
"""A reason in an e-mail; the JSON document, and the findings that it names, have all of it."""

_STEERING = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")
"""Characters of control, of the ends of lines and of the direction of writing; halves of characters."""

Body = Mapping[str, Any]


def text_of(body: Body) -> str:
    """The text of a notice: what happened, the figures, what to do next, the links."""
    body = _on_one_line(body)
    paragraphs = _PARAGRAPHS[body["event"]](body)
    return "\n\n".join([*(each for each in paragraphs if each), _ending(body)]) + "\n"


def _on_one_line(value: Any) -> Any:
    """The document with a question mark for each character in its texts that would end a line or steer a terminal:
    no name of a folder makes sentences of its own in the e-mail. The lines of a reason become one."""
    if isinstance(value, str):
        return _STEERING.sub("?", value)
    if isinstance(value, Mapping):
        return {
            name: _on_one_line(" ".join(each.split("\n")) if name == "message" else each)
            for name, each in value.items()
        }
    return [_on_one_line(each) for each in value] if isinstance(value, list) else value


def _ended(body: Body) -> list[str]:
    evaluation = body["evaluation"]
    if body["status"] == "SUCCEEDED":
        what = _VERDICT.get((evaluation or {}).get("verdict", ""), "it ended well")
    else:
        what = _SAME_AGAIN if _repeats(body) else _END[body["status"]]
    reason = ""
    if body["reason"]:
        message = body["reason"]["message"]
        cut = message if len(message) <= _REASON_CHARACTERS else message[: _REASON_CHARACTERS - 1] + "…"
        reason = f"{body['reason']['error']}: {cut}"
    return [
        f"The run of {body['name']} is over: {what}.",
        reason,
        _evaluation(evaluation) if evaluation else "",
        _training(body["training"]) if body["training"] else "",
        _next_step(body),
        _costs(body.get("may_still_cost") or []),
    ]


def _started(body: Body) -> list[str]:
    found, dataset = body["found"], body["dataset"]
    beside = " and ".join(
        told
        for told in (
            f"a test set ({found['test']['uri']})" if found["test"] else "",
            f"a recipe ({found['recipe']['uri']})" if found["recipe"] else "",
        )
        if told
    )
    missing = [
        told
        for told in (
            "" if found["test"] else "a share of the training rows is held out to test on",
            "" if found["recipe"] else "the default recipe applies",
        )
        if told
    ]
    return [
        f"A run of {body['name']} has begun, from {dataset['uri']} ({dataset['bytes']:,} bytes).",
        f"Found beside it: {beside or 'nothing'}." + (f" So {' and '.join(missing)}." if missing else ""),
        f"It tunes {body['base_model']} with the {body['grader']} grader. What you drop from now on changes nothing "
        "for it. If this is not what you meant, stop its execution, and drop the files anew.",
    ]


def _warned(body: Body) -> list[str]:
    finding = body["finding"]
    return [
        f"The training of {body['name']} goes on, but shows something: {finding['name']}.",
        f"{finding['evidence']} {finding['advice']}",
        "Nothing has been stopped. To have such a finding end the run, name it in the recipe's `health.stop_on`.",
    ]


def _approval(body: Body) -> list[str]:
    difference = body["difference"]
    told = f" (difference in mean reward {difference:+.3f})" if difference is not None else ""
    return [
        f"The tuned model of {body['name']} is {body['verdict']} against its base{told}, and waits for your word.",
        f"To have {body['tuned_model']} put into the parameter {body['parameter']}, POST "
        f"/runs/{body['run_id']}/approve. To leave the parameter as it is, POST /runs/{body['run_id']}/reject, or wait "
        f"{body['hours']:g} hours.",
    ]


def _upload(body: Body) -> list[str]:
    return [f"{body['upload']['uri']} {body['problem']}", body["advice"]]


_PARAGRAPHS: Mapping[str, Callable[[Body], list[str]]] = {
    "run_started": _started,
    "training_warning": _warned,
    "approval_wanted": _approval,
    "run_ended": _ended,
    "upload_ignored": _upload,
    "upload_late": _upload,
}

_END = {
    "REJECTED": "what was dropped cannot be trained on, so nothing was trained and nothing paid for training",
    "FAILED": "it failed",
    "CANCELLED": "it was stopped",
}

_SAME_AGAIN = "the same files were dropped before, so it started nothing, and nothing was paid for"

_VERDICT = {
    "improved": "the tuned model is better than its base",
    "tied": "the test set shows no difference between the tuned model and its base",
    "regressed": "the tuned model is worse than its base",
}

_NEXT = {
    "improved": "Next: ask the tuned model by its id, and read in the report where it still fails.",
    "tied": "Next: the report says how many test rows would show such a difference, and where the answers differ.",
    "regressed": "Next: keep the base model. The report shows the rows that it got right and the tuned one does not.",
}


def _next_step(body: Body) -> str:
    status = body["status"]
    if status == "SUCCEEDED":
        return _NEXT.get((body["evaluation"] or {}).get("verdict", ""), "")
    if _repeats(body):
        return "Next: wait for the notice of the run that the reason names; the reason says how to train once more."
    if status == "REJECTED":
        return "Next: mend what the reason names, and drop the dataset anew."
    if body["tuned_model"] or body["training"]:
        return (
            f"Next: what was trained is not lost. A run whose recipe says `resumes: {body['run_id']}` takes the job "
            "over if that made a model, and trains nothing again."
        )
    return "Next: drop the dataset anew to start again; nothing was trained."


def _repeats(body: Body) -> bool:
    return bool(body["reason"]) and body["reason"]["error"] == RepeatedDrop.__name__


def _evaluation(evaluation: Mapping[str, Any]) -> str:
    base, tuned = evaluation.get("base") or {}, evaluation.get("tuned") or {}
    told = (
        f"Over {_number(evaluation.get('rows'), ',')} test rows the mean reward went from "
        f"{_number(base.get('mean_reward'), '.3f')} to {_number(tuned.get('mean_reward'), '.3f')}: a difference of "
        f"{_number(evaluation.get('difference'), '+.3f')} (95% interval {_number(evaluation.get('ci_low'), '+.3f')} to "
        f"{_number(evaluation.get('ci_high'), '+.3f')}, p {_p_value(evaluation.get('p_value'))})."
    )
    if base.get("accuracy") is not None and tuned.get("accuracy") is not None:
        told += f" Right answers: {base['accuracy']:.1%} before, {tuned['accuracy']:.1%} now."
    if evaluation.get("reward_range"):
        told += " The grader's rewards go from {:g} to {:g}.".format(*evaluation["reward_range"])
    if evaluation.get("suspected_reward_hacking"):
        told += " But what the grader does not see got worse: the report says why reward hacking is suspected."
    return told


def _p_value(value: float | None) -> str:
    """As the report has it: what a p-value far below one in ten thousand is exactly, tells nobody anything."""
    return "= an unknown number" if value is None else "below 0.0001" if value < 0.0001 else f"= {value:.4f}"


def _number(value: float | None, form: str) -> str:
    """No figure may keep a notice from being sent, least of all one that is missing."""
    return "an unknown number" if value is None else format(value, form)


def _training(training: Mapping[str, Any]) -> str:
    told = f"Training job {training['job_id']}"
    if training["steps"] is not None:
        told += f": {training['steps']:,} steps"
    if training["reward_first"] is not None and training["reward_last"] is not None:
        told += f", reward from {training['reward_first']:.3f} to {training['reward_last']:.3f}"
    if training["findings"]:
        told += f"; found: {', '.join(training['findings'])}"
    return f"{told}." + (" Training and model were simulated on one machine." if training["simulated"] else "")


def _costs(left: list[Mapping[str, str]]) -> str:
    if not left:
        return ""
    return "What stays at Bedrock: " + "; ".join(f"{each['kind']} {each['id']}: {each['why']}" for each in left) + "."


def _ending(body: Body) -> str:
    arn = body.get("execution_arn")
    lines = [f"Run: {body['run_id']}"] if body.get("run_id") else []
    if body.get("base_model"):
        lines.append(f"Base model: {body['base_model']}")
    if body.get("tuned_model"):
        lines.append(f"Tuned model: {body['tuned_model']}")
    if body.get("report_uri"):
        lines.append(f"Report: {body['report_uri']}")
    if arn:
        region = arn.split(":")[3]
        details = f"https://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/"
        lines.append(f"Execution: {details}{quote(arn, safe=':')}")
    lines.append(f"Notice: {body['notice_id']}")
    return "\n".join(lines)

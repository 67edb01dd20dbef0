"""What a subscriber by e-mail reads: first what happened and what to do, then figures, links, commands, names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tunedrop import clock
from tunedrop.notices.plain_text import count, plain, sentence
from tunedrop.run.decisions import in_words

Document = Mapping[str, Any]


def text_of(document: Document) -> str:
    """The text of a notice, made from its document alone."""
    document = plain(document)
    blocks = [
        [document["headline"], document["next"]],
        *([each] for each in _figures(document)),
        [f"{each['title']}: {each['url']}" for each in document["links"]],
        [line for each in document["commands"] for line in (f"{each['title']}:", f"    {each['command']}")],
        list(_facts(document)),
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def _figures(document: Document) -> Iterator[str]:
    if document["event"] == "training_warning":
        name = document["finding"]["name"]
        yield f"Nothing was stopped. To end a run that shows this, add {name} to the recipe's `health.stop_on`."
    if document["event"] == "deletion_announced":
        yield "\n".join(_deleted(each) for each in document["runs"])
    if document.get("evaluation"):
        yield _evaluation(document["evaluation"])
    if document.get("training"):
        yield _training(document["training"])
    yield from _promotion(document)
    if document.get("may_still_cost"):
        yield _left(document["may_still_cost"])


def _deleted(run: Mapping[str, Any]) -> str:
    what = ", ".join(f"{each['what'].replace('_', ' ')} from {each['at'][:10]}" for each in run["deletes"])
    return f"{run['run_id']} ({run['name']}): {what}"


def _evaluation(evaluation: Mapping[str, Any]) -> str:
    base, tuned = evaluation.get("base") or {}, evaluation.get("tuned") or {}
    told = (
        f"Over {count(evaluation.get('rows'), 'test row')} the mean reward went from "
        f"{_number(base.get('mean_reward'), '.3f')} to {_number(tuned.get('mean_reward'), '.3f')}: a difference of "
        f"{_number(evaluation.get('difference'), '+.3f')} (95% interval {_number(evaluation.get('ci_low'), '+.3f')} to "
        f"{_number(evaluation.get('ci_high'), '+.3f')}, p {_p_value(evaluation.get('p_value'))})."
    )
    if base.get("accuracy") is not None and tuned.get("accuracy") is not None:
        told += f" Right answers: {base['accuracy']:.1%} before, {tuned['accuracy']:.1%} now."
    if evaluation.get("reward_range"):
        told += " The grader's rewards go from {:g} to {:g}.".format(*evaluation["reward_range"])
    return told


def _p_value(value: float | None) -> str:
    """As the report has it: how far a p-value is below one in ten thousand tells nobody anything."""
    return "= an unknown number" if value is None else "below 0.0001" if value < 0.0001 else f"= {value:.4f}"


def _number(value: float | None, form: str) -> str:
    """No figure may keep a notice from being sent, least of all one that is missing."""
    return "an unknown number" if value is None else format(value, form)


def _training(training: Mapping[str, Any]) -> str:
    told = f"Training job {training['job_id']}"
    if training["steps"] is not None:
        told += f": {count(training['steps'], 'step')}"
    if training["reward_first"] is not None and training["reward_last"] is not None:
        told += f", reward from {training['reward_first']:.3f} to {training['reward_last']:.3f}"
    if training["findings"]:
        told += f"; found: {', '.join(training['findings'])}"
    return f"{told}.{_who(training)}"


def _who(training: Mapping[str, Any]) -> str:
    if training["simulated"]:
        return " Training and model were simulated on one machine."
    weights = training["weights"]
    if weights is None:
        return ""
    return (
        f" The weights of {weights['name']} (licence: {weights['licence']}) were trained on {training['trained_on']}."
    )


def _promotion(document: Document) -> Iterator[str]:
    """Why a person is asked about the promotion, or is not, and who decided what, when and why."""
    if document["event"] == "approval_wanted" and document.get("why"):
        yield f"You are asked because {document['why']}."
    promotion = document if document["event"] == "promotion_decided" else document.get("promotion") or {}
    approval = promotion.get("approval")
    if approval:
        who = "A person" if approval["asked"] else "Nobody"
        when = "was" if document["event"] == "promotion_decided" else "is"
        yield f"{who} {when} asked about the promotion: {approval['why']}."
    in_the_headline = document["event"] == "promotion_decided" and len(document["decisions"]) == 1
    if promotion.get("decisions") and not in_the_headline:
        yield "\n".join(sentence(in_words(each)) for each in promotion["decisions"])


def _left(left: list[Mapping[str, str]]) -> str:
    return "Still at Bedrock: " + "; ".join(f"{each['kind']} {each['id']} ({each['why']})" for each in left) + "."


def _facts(document: Document) -> Iterator[str]:
    """The names by which the reader finds the rest, a line each."""
    labels = document.get("labels") or {}
    named = (
        ("Run", document.get("run_id")),
        ("Team", document.get("team")),
        ("Labels", ", ".join(f"{name}={value}" for name, value in labels.items())),
        ("Base model", document.get("base_model")),
        ("Tuned model", document.get("tuned_model")),
        ("Took", _duration(document)),
        ("Training cost", _dollars(document)),
        ("Report in S3", document.get("report_uri")),
        ("Notice", document["notice_id"]),
    )
    return (f"{name}: {value}" for name, value in named if value)


def _duration(document: Document) -> str:
    if not document.get("started_at") or not document.get("finished_at"):
        return ""
    seconds = round((clock.parse(document["finished_at"]) - clock.parse(document["started_at"])).total_seconds())
    hours, minutes = divmod(max(0, seconds) // 60, 60)
    if hours:
        return f"{count(hours, 'hour')} {count(minutes, 'minute')}" if minutes else count(hours, "hour")
    return count(minutes, "minute") if minutes else count(max(0, seconds), "second")


def _dollars(document: Document) -> str:
    dollars = (document.get("training") or {}).get("dollars")
    return "" if dollars is None else f"${dollars:,.2f} by the recipe's prices"

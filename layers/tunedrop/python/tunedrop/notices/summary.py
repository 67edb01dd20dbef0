"""The first two lines of every notice, made from its document: what happened, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tunedrop import clock
from tunedrop.identity import INBOX
from tunedrop.notices.plain_text import count, plain, sentence, short
from tunedrop.outcomes import STOPPED, RepeatedDrop
from tunedrop.run.decisions import in_words
from tunedrop.run.promotion import AWAITS_APPROVAL

REASON_CHARACTERS = 300
"""A reason in a text for people; the JSON document, the findings and the report have all of it."""

Document = Mapping[str, Any]


def summary(document: Document) -> dict[str, str]:
    """`headline`: what happened, with its figure or its reason. `next`: what to do."""
    document = plain(document)
    headline, following = _SUMMARIES[document["event"]](document)
    return {"headline": headline, "next": following}


def _ended(document: Document) -> tuple[str, str]:
    name, status = document["name"], document["status"]
    if status == "SUCCEEDED":
        return _succeeded(document)
    reason = document["reason"] or {"error": "", "message": ""}
    why = sentence(short(reason["message"], REASON_CHARACTERS)) if reason["message"] else ""
    named = f"{reason['error']}: {why}"
    if reason["error"] == RepeatedDrop.__name__:
        return f"{name} was dropped a second time. {why}", _AFTER_A_REPETITION
    if status == "REJECTED":
        return f"The run of {name} was rejected before any training was paid for. {named}", _after_rejection(
            document, reason
        )
    if status == "CANCELLED":
        return _stopped(name, reason, named), _after_an_end(document)
    return f"The run of {name} failed. {named}".rstrip(), _after_an_end(document)


def _stopped(name: str, reason: Mapping[str, str], named: str) -> str:
    if reason["error"] != "Stopped":
        return f"The run of {name} was stopped. {named}".rstrip()
    by = short(reason["message"].removeprefix(STOPPED), REASON_CHARACTERS)
    return sentence(f"The run of {name} was stopped{by}")


def _succeeded(document: Document) -> tuple[str, str]:
    evaluation = document["evaluation"] or {}
    verdict = evaluation.get("verdict", "")
    if evaluation.get("suspected_reward_hacking"):
        figures = difference(evaluation)
        return (
            f"The tuned model of {document['name']} does not count as better than its base{figures}. Reward "
            "hacking is suspected: something that the grader does not measure got worse.",
            "Next: keep the base model. The report's guard rails say what got worse; make the grader stricter before "
            "you train again.",
        )
    what = _VERDICT.get(verdict, "The run of {name} ended well").format(name=document["name"])
    headline = sentence(f"{what}{difference(evaluation)}" if evaluation else what)
    if verdict == "improved":
        return headline, _after_an_improvement(document["promotion"])
    return headline, _NEXT.get(verdict, "Next: open the report.")


def difference(evaluation: Mapping[str, Any]) -> str:
    """The comparison in a few figures; none where they are missing."""
    base, tuned = evaluation.get("base") or {}, evaluation.get("tuned") or {}
    figures = (base.get("mean_reward"), tuned.get("mean_reward"), evaluation.get("difference"))
    if any(each is None for each in figures):
        return ""
    return f": mean reward {figures[1]:.3f} instead of {figures[0]:.3f} ({figures[2]:+.3f})"


def _after_an_improvement(promotion: Mapping[str, Any]) -> str:
    if promotion["done"]:
        return f"Next: nothing. {promotion['parameter']} has the model's id now; /previous keeps the earlier one."
    if promotion["wanted"] and str(promotion["why_not"]).startswith(AWAITS_APPROVAL):
        return (
            "Next: approve or reject it; the next notice says how. It goes into "
            f"{promotion['parameter']} once a person approves it."
        )
    if promotion["wanted"]:
        return f"Next: use the tuned model by its id. It is not in {promotion['parameter']}: {promotion['why_not']}."
    return "Next: use the tuned model by its id. The report compares its answers with the base model's."


def _after_rejection(document: Document, reason: Mapping[str, str]) -> str:
    named = "the findings list" if reason["error"] == "DatasetInvalid" else "the reason names"
    return f"Next: mend what {named}, and {_again(document)}."


def _again(document: Document) -> str:
    """How to have another run of the dataset: a drop is dropped again, any other run was started by a call."""
    return "drop the dataset again" if _dropped(document) else "start a new run"


def _dropped(document: Document) -> bool:
    """Whether the dataset lies in the inbox, where an upload starts a run."""
    uri = (document["dataset"] or {}).get("uri") or ""
    return uri.removeprefix("s3://").partition("/")[2].startswith(INBOX)


def _after_an_end(document: Document) -> str:
    if document["tuned_model"] or document["training"]:
        return (
            f"Next: start a run whose recipe says `resumes: {document['run_id']}`. It uses the model that this run's "
            "job made, if it made one, and trains nothing again."
        )
    if document["status"] == "CANCELLED":
        return f"Next: {_again(document)} if you want one. Nothing was trained."
    return f"Next: mend what the reason names, and {_again(document)}. Nothing was trained."


def _started(document: Document) -> tuple[str, str]:
    dropped = _dropped(document)
    found = {"test": document["found"]["test"], "recipe": document["has_recipe"]}
    here = " and ".join(what for what, name in _SIBLINGS if found[name])
    missing = [instead for name, instead in _WITHOUT.items() if not found[name]]
    headline = (
        f"A run of {document['name']} has started: "
        f"it tunes {document['base_model']} with the {document['grader']} grader."
    )
    if dropped:
        headline += f" Found beside train.jsonl: {here or 'nothing'}."
    elif here:
        headline += f" The call gave {here}."
    so = f" The run uses {' and '.join(missing)}." if missing else ""
    if document["legacy"]:
        so += f" {_legacy(document)}"
    again = "drop the files again" if dropped else "start another"
    return headline + so, f"Next: nothing, if that is right. Otherwise stop the run, and {again}."


def _legacy(document: Document) -> str:
    ends = document["legacy"]["ends"]
    when = f"nobody can ask it, or what is tuned from it, after {ends[:10]}" if ends else "its end is not announced yet"
    return f"Warning: Bedrock has declared {document['base_model']} legacy; {when}."


def _warned(document: Document) -> tuple[str, str]:
    finding = document["finding"]
    headline = f"The training of {document['name']} goes on, but shows {finding['name'].replace('_', ' ')}."
    return f"{headline} {finding['evidence']}", f"Next: decide whether to stop it. {finding['advice']}"


def _turn(document: Document) -> tuple[str, str]:
    others = count(document["waiting"] - 1, "other run")
    when = document["turn_expected_at"]
    headline = (
        f"The run of {document['name']} has waited more than an hour for its turn to train: it is number "
        f"{document['place']}, and {others} wait{'s' if document['waiting'] == 2 else ''}."
    )
    if when:
        headline += f" Its turn is expected at {clock.for_people(when)}."
    return headline, (
        f"Next: nothing; it begins by itself. If it has had no turn after {document['wait_hours']:g} hours "
        "(`queue.wait_hours`), it fails."
    )


def _approval(document: Document) -> tuple[str, str]:
    gain = "" if document["difference"] is None else f" (mean reward {document['difference']:+.3f})"
    headline = (
        f"Approve or reject: the tuned model of {document['name']} is better than its base{gain} and can go into "
        f"{document['parameter']}."
    )
    hours = document["hours"]
    time = count(int(hours), "hour") if float(hours).is_integer() else f"{hours:g} hours"
    how = (
        "with a command from the notice or through the API"
        if document["commands"]
        else "through the API, as an approver"
    )
    return headline, f"Next: answer within {time}, {how}. No answer means no."


def _decided(document: Document) -> tuple[str, str]:
    outcome, parameter = document["outcome"], document["parameter"]
    where = "is in" if outcome == "done" else "was taken out of" if outcome == "rolled_back" else "does not go into"
    said = document["decisions"][-1]
    reason = {**said, "reason": short(said["reason"], REASON_CHARACTERS)}
    headline = f"The tuned model of {document['name']} {where} {parameter}. {sentence(in_words(reason))}"
    if outcome == "done":
        return headline, f"Next: nothing. `tunedrop rollback {document['run_id']}` undoes it."
    if outcome == "rolled_back":
        return headline, f"Next: nothing. {parameter} has the id {document['in_place']} again."
    if outcome == "failed":
        return headline, f"Next: mend what the reason names, and write the model's id into {parameter} yourself."
    return headline, f"Next: nothing. {parameter} keeps what it has; the tuned model can be used by its id."


def _upload(document: Document) -> tuple[str, str]:
    problem, advice = short(document["problem"], REASON_CHARACTERS), document["advice"]
    return sentence(f"The upload {document['upload']['uri']} {problem}"), f"Next: {advice[:1].lower()}{advice[1:]}"


def _deletion(document: Document) -> tuple[str, str]:
    whose = f" of team {document['team']}" if document["team"] else ""
    headline = (
        f"Tunedrop will delete what {document['name']}{whose} left behind, "
        f"from {clock.for_people(document['first_at'])} on."
    )
    return headline, "Next: nothing, if it may go. To keep a run, use the command from the notice before then."


_SUMMARIES: Mapping[str, Callable[[Document], tuple[str, str]]] = {
    "run_started": _started,
    "training_warning": _warned,
    "turn_awaited": _turn,
    "approval_wanted": _approval,
    "promotion_decided": _decided,
    "run_ended": _ended,
    "upload_ignored": _upload,
    "upload_late": _upload,
    "deletion_announced": _deletion,
}

_VERDICT = {
    "improved": "The tuned model of {name} is better than its base",
    "tied": "The test set shows no clear difference between the tuned model of {name} and its base",
    "regressed": "The tuned model of {name} is worse than its base",
}

_NEXT = {
    "tied": "Next: keep the base model. The report says how many test rows would show such a difference.",
    "regressed": "Next: keep the base model. The report shows the rows that only the base model got right.",
}

_AFTER_A_REPETITION = (
    "Next: wait for that run's notice. To start another run of the same rows, add a label to recipe.yaml and drop the "
    "files again, or drop them into another folder."
)

_SIBLINGS = (("a test set", "test"), ("a recipe", "recipe"))
_WITHOUT = {
    "test": "a part of its rows as the test set",
    "recipe": "the default recipe",
}

"""The texts that subscribers by e-mail read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.notices.notices_of_all_kinds import DECIDED, NOTICES, RUN, compared, ended
from tunedrop.notices import of_run
from tunedrop.notices.plain_text import count
from tunedrop.notices.publication import document_of
from tunedrop.notices.summary import REASON_CHARACTERS
from tunedrop.notices.texts import sms
from tunedrop.outcomes import Status
from tunedrop.recipe import Promotion, Recipe
from tunedrop.run.execution import PipelineExecution, end_of
from tunedrop.run.record_parts import EvaluationResult, TrainingProgress


def mail(published: Mapping[str, Any]) -> str:
    """What a subscriber by e-mail gets."""
    text: str = json.loads(published["Message"])["email"]
    return text


def documents() -> list[Any]:
    return [pytest.param(each, id=name) for name, each in NOTICES.items()]


@pytest.mark.parametrize("published", documents())
def test_every_mail_says_first_what_happened_and_what_to_do(published: Mapping[str, Any]) -> None:
    document, text = document_of(published), mail(published)
    headline, following, *_ = text.split("\n")
    assert (headline, following) == (document["headline"], document["next"])
    assert document["name"] in headline
    assert len(headline) <= REASON_CHARACTERS + 200
    assert following.startswith("Next: ")
    assert f"Notice: {document['notice_id']}" in text
    assert "None" not in text
    assert len(text) < 4000


@pytest.mark.parametrize("published", documents())
def test_every_link_and_command_of_the_document_is_in_the_mail(published: Mapping[str, Any]) -> None:
    document, text = document_of(published), mail(published)
    assert document["links"]
    for each in document["links"]:
        assert f"{each['title']}: {each['url']}" in text
        assert each["url"].startswith("https://us-west-2.console.aws.amazon.com/")
        assert not set(each["url"]) & set(" <>\"'")
    for each in document["commands"]:
        assert each["command"] in text.split("\n    ", 1)[1]


@pytest.mark.parametrize("published", documents())
def test_a_text_message_has_the_first_two_lines_in_at_most_480_characters(published: Mapping[str, Any]) -> None:
    document, text = document_of(published), json.loads(published["Message"])["sms"]
    assert text.startswith(f"Tunedrop: {document['headline'][:60]}")
    assert document["next"][:100] in text
    assert text.endswith(f" Run {document['run_id']}" if document["run_id"] else document["next"])
    assert len(text) <= sms.CHARACTERS
    assert "\n" not in text


@pytest.mark.parametrize("published", documents())
def test_every_notice_carries_the_attributes_that_it_has_values_for(published: Mapping[str, Any]) -> None:
    body = document_of(published)
    told = {name: each["StringValue"] for name, each in published["MessageAttributes"].items()}
    assert told["event"] == body["event"]
    for name in ("name", "team", "base_model"):
        assert told.get(name) == body.get(name), name
    assert ("status" in told) == (body["event"] == "run_ended")
    assert all(each["StringValue"] for each in published["MessageAttributes"].values())


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("improved", "The tuned model of gsm8k is better than its base: mean reward 0.893 instead of 0.512 (+0.381)."),
        ("improved", "from 0.512 to 0.893: a difference of +0.381 (95% interval +0.320 to +0.440, p = 0.0001)"),
        ("improved", "Training and model were simulated on one machine."),
        ("improved", "Took: 1 hour\n"),
        ("improved", "tunedrop report gsm8k-0123456789abcdef --bucket runs"),
        ("improved", "Labels: suite=maths, team=research\n"),
        ("improved", "Training cost: $5.67 by the recipe's prices\n"),
        ("improved", "/s3/object/runs?region=us-west-2&prefix=runs/gsm8k-0123456789abcdef/report.html"),
        ("tied", "The test set shows no clear difference"),
        ("tied", "Next: keep the base model."),
        ("regressed", "is worse than its base"),
        (
            "hacked",
            "does not count as better than its base: mean reward 0.893 instead of 0.512 (+0.381). Reward hacking is "
            "suspected: something that the grader does not measure got worse.\nNext: keep the base model.",
        ),
        (
            "repeated",
            "gsm8k was dropped a second time. Nothing was started: this drop (train.jsonl) equals, byte for byte, that "
            "of run gsm8k-1, which is under way or succeeded less than 15 minutes ago.",
        ),
        ("rejected", "was rejected before any training was paid for. DatasetInvalid: line 3 is no JSON."),
        ("rejected", "/s3/object/runs?region=us-west-2&prefix=runs/gsm8k-0123456789abcdef/findings.html"),
        ("failed", "The run of gsm8k failed. EvaluationIncomplete: too few answers.\n"),
        ("failed", "`resumes: gsm8k-0123456789abcdef`"),
        ("cancelled", "The run of gsm8k was stopped.\nNext: drop the dataset again"),
        (
            "started",
            "Found beside train.jsonl: a test set. The run uses the default recipe.\nNext: nothing, if that is right.",
        ),
        ("started alone", "Found beside train.jsonl: nothing."),
        (
            "started by a call",
            "with the math grader. The call gave a recipe. The run uses a part of its rows as the test set.\n"
            "Next: nothing, if that is right. Otherwise stop the run, and start another.\n",
        ),
        ("call stopped", "Next: start a new run if you want one. Nothing was trained.\n"),
        ("call rejected", "Next: mend what the findings list, and start a new run.\n"),
        (
            "started alone",
            "The run uses a part of its rows as the test set and the default recipe.",
        ),
        (
            "started alone",
            "aws stepfunctions stop-execution --region us-west-2 --execution-arn arn:aws:states:us-west-2:",
        ),
        (
            "warning",
            "The training of gsm8k goes on, but shows entropy collapse. The policy answers ever the same.\n",
        ),
        ("warning", "add entropy_collapse to the recipe's `health.stop_on`"),
        ("waiting", "Its turn is expected at 2026-01-01 04:00 UTC.\n"),
        (
            "approval",
            "Approve or reject: the tuned model of gsm8k is better than its base (mean reward +0.381) and can",
        ),
        (
            "approval",
            "Next: answer within 24 hours, with a command from the notice or through the API. No answer means no.",
        ),
        ("approval", '--task-output \'{"approved": true}\' --task-token "$(aws dynamodb get-item --region us-west-2'),
        ("ignored", "inbox/gsm8k/train.json has a name that starts no run"),
        ("late", "came too late: run gsm8k-0123456789abcdef had taken its files already"),
    ],
)
def test_a_mail_says_what_happened(kind: str, says: str) -> None:
    assert says in mail(NOTICES[kind])


def test_a_figure_that_is_missing_keeps_no_notice_from_being_sent() -> None:
    run = replace(
        RUN, evaluation=EvaluationResult({"verdict": "improved"}), training=TrainingProgress(), job_id="ftjob-1"
    )
    closing = of_run.closing(run, Status.SUCCEEDED, None, report_uri=None)
    assert "an unknown number" in mail(closing["notice"])
    assert mail(closing["notice"]).startswith("The tuned model of gsm8k is better than its base.\n")


def test_a_long_reason_is_cut_at_a_word_in_the_texts_and_whole_in_the_document() -> None:
    message = "line 12 is no JSON; " * 200
    closing = of_run.closing(RUN, Status.FAILED, {"error": "E", "message": message}, report_uri=None)["notice"]
    assert document_of(closing)["reason"]["message"] == message
    headline = document_of(closing)["headline"]
    assert headline.endswith((" no…", " is…", " JSON…", " line…", " 12…"))
    assert len(headline) <= len("The run of gsm8k failed. E: ") + REASON_CHARACTERS


def test_a_promotion_that_was_done_changes_what_the_notice_says_to_do() -> None:
    recipe = Recipe(model="openai.gpt-oss-20b", promotion=Promotion(parameter="/tunedrop/gsm8k"))
    run = replace(compared("improved"), recipe_document=recipe.model_dump(mode="json"))
    closing = of_run.closing(run, Status.SUCCEEDED, None, report_uri=None)["notice"]
    assert "It is not in /tunedrop/gsm8k: " in document_of(closing)["next"]
    after = replace(run, status=Status.SUCCEEDED, promotion="done", promoted_at="2026-01-01T01:00:00.000Z")
    done = of_run.with_promotion(closing, after)
    assert document_of(done)["next"].startswith("Next: nothing. /tunedrop/gsm8k has the model's id now")
    assert document_of(done)["next"] in mail(done)
    assert (done["Subject"], done["MessageAttributes"]) == (closing["Subject"], closing["MessageAttributes"])


def test_a_decision_says_who_decided_when_and_why_and_which_model_is_in_place() -> None:
    rejected, undone = mail(NOTICES["rejected promotion"]), mail(NOTICES["rolled back"])
    by = "by arn:aws:iam::123456789012:role/lead, 2026-01-0"
    assert rejected.startswith(
        f"The tuned model of gsm8k does not go into /tunedrop/gsm8k. Rejected {by}1 01:59 UTC: slower.\nNext: nothing."
    )
    assert "A person was asked about the promotion: the recipe asks for it (`promotion.approval`)." in rejected
    assert f"was taken out of /tunedrop/gsm8k. Rolled back {by}2 02:00 UTC: slower." in undone
    assert "Next: nothing. /tunedrop/gsm8k has the id ft-0 again." in undone
    assert f"Approved {by}1 01:59 UTC: better.\nRolled back {by}2" in undone


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 rows"), (1, "1 row"), (1200, "1,200 rows"), (None, "an unknown number of rows")]
)
def test_one_thing_is_counted_in_the_singular(number: int | None, told: str) -> None:
    assert count(number, "row") == told


def test_a_run_that_somebody_stopped_says_once_that_it_was_stopped_and_by_whom() -> None:
    by = "by arn:aws:iam::123456789012:user/ann through the API"
    execution = PipelineExecution(RUN.execution_arn, "ABORTED", {}, None, by, "2026-01-01T01:00:00.000Z")
    status, reason = end_of(execution)
    headline = document_of(of_run.closing(RUN, status, reason, report_uri=None)["notice"])["headline"]
    assert headline == f"The run of gsm8k was stopped ({by})."


def test_a_promotion_that_waits_for_a_person_sends_its_reader_to_the_question() -> None:
    recipe = Recipe(model="openai.gpt-oss-20b", promotion=Promotion(parameter="/tunedrop/gsm8k", approval=True))
    run = replace(compared("improved"), recipe_document=recipe.model_dump(mode="json"))
    closing = of_run.closing(run, Status.SUCCEEDED, None, report_uri=None)["notice"]
    assert document_of(closing)["next"] == (
        "Next: approve or reject it; the next notice says how. It goes into /tunedrop/gsm8k once a person approves it."
    )


def test_a_job_that_was_refused_is_not_tried_again_as_it_is() -> None:
    closing = of_run.closing(RUN, Status.FAILED, {"error": "JobRefused", "message": "too long"}, report_uri=None)
    assert document_of(closing["notice"])["next"].startswith("Next: mend what the reason names")


def test_no_notice_tells_the_token_by_which_a_promotion_is_approved() -> None:
    token = "AQCEAAAAKgAAAAMAAAAA"
    record = replace(compared("improved"), status=Status.SUCCEEDED, approval_token=token, promotion="waiting")
    promotion = Promotion(parameter="/tunedrop/gsm8k", approval=True)
    told = [
        of_run.approval_wanted(record, promotion, runs_table="runs"),
        of_run.started(record),
        ended(record, Status.SUCCEEDED),
        of_run.promotion_decided(replace(DECIDED, approval_token=token)),
    ]
    assert [each for each in told if token in json.dumps(each)] == []

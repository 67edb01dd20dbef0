"""What `make confirm` makes of a recording: an answer, a step that was not reached, a permission that is missing."""

from __future__ import annotations

from typing import Any

from confirm.known import NOVA, OPEN_WEIGHT, answers, page, refusals

DENIED = {"status": 403, "body": {"Code": "AccessDeniedException", "Message": "bedrock:InvokeModel is not allowed"}}


def test_what_was_not_reached_stays_unconfirmed() -> None:
    known = answers(OPEN_WEIGHT, {"pause": {"status": 404, "body": {}}})
    assert {question: answer for question, answer in known.items() if answer is not None} == {"pause": "HTTP 404"}
    written = page(known, simulated=False)
    assert "| pause | CONFIRMED | HTTP 404 |" in written
    assert "| order of events | UNCONFIRMED | not reached |" in written


def test_a_missing_permission_answers_no_question_and_is_told() -> None:
    steps = {"nova_converse": DENIED}
    assert answers(NOVA, steps)["Nova: Converse of the tuned model"] is None
    assert "bedrock:InvokeModel" in refusals(steps)["nova_converse"]


def test_an_answer_in_another_form_is_told_as_it_came() -> None:
    steps: dict[str, Any] = {"events": {"status": 200, "body": {"items": []}}}
    told = answers(OPEN_WEIGHT, steps)["order of events"]
    assert told is not None
    assert told.startswith("in a form that was not expected: ")
    assert '"items"' in told


def test_what_was_simulated_confirms_nothing() -> None:
    written = page({"pause": "HTTP 404 | sic"}, simulated=True)
    assert "| pause | SIMULATED | HTTP 404 \\| sic |" in written
    assert "confirms nothing" in written

"""report.json, manifest.json and the model card of runs that ended in every way."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.report_schema import SCHEMA, problems
from tests.unit.reporting.sample_run import HOSTILE, a_rejected_run, a_run, sampled_run
from tunedrop.catalog import who_trains
from tunedrop.reporting.facts import RunFacts
from tunedrop.reporting.manifest import build_manifest, canonical_sha256
from tunedrop.reporting.model_card import render_model_card
from tunedrop.reporting.report import build_report


def a_bare_run() -> RunFacts:
    return RunFacts(run_id="bare-1", name="bare", status="CANCELLED")


@pytest.mark.parametrize("facts", [a_run(60), a_rejected_run(), a_bare_run()], ids=["finished", "rejected", "bare"])
def test_a_report_is_plain_json_of_its_schema(facts: RunFacts) -> None:
    report = build_report(facts)
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(report)
    assert problems(report) == []
    assert json.loads(json.dumps(report, allow_nan=False)) == report


@pytest.mark.parametrize("kind", ["math", "json", "code", "moderation", "composite", "judge"])
def test_the_schema_names_every_member_of_a_report(kind: str) -> None:
    report = build_report(sampled_run(60, kind=kind, others=["checkpoint:30"], thoughts=True).facts)
    assert problems(report) == []
    report["evaluation"]["candidates"]["tuned"]["unheard_of"] = 1
    (problem,) = problems(report)
    assert problem.startswith("$.evaluation.candidates.tuned: ")
    assert "unheard_of" in problem


def test_the_schema_refuses_a_report_without_its_verdict() -> None:
    report = build_report(a_run(60))
    report["evaluation"]["verdict"] = "splendid"
    assert not Draft202012Validator(SCHEMA).is_valid(report)


def test_a_finished_run_is_told_by_its_verdict_and_a_rejected_one_by_its_reason() -> None:
    assert build_report(a_run(60))["sentence"].startswith("Improved: mean reward 0.")
    assert (
        build_report(a_rejected_run())["sentence"] == "Rejected: train.jsonl line 3: the field `messages` is missing."
    )
    assert build_report(a_bare_run())["sentence"] == "Cancelled, without an evaluation."


def test_numbers_that_json_does_not_have_become_null() -> None:
    training: dict[str, Any] = {
        "metrics": [{"step": 1, "actor_grad_norm": float("inf"), "actor_entropy": float("nan")}]
    }
    report = build_report(replace(a_bare_run(), training=training))
    assert report["training"]["metrics"] == [{"step": 1, "actor_grad_norm": None, "actor_entropy": None}]


def test_the_tokens_of_each_model_are_summed() -> None:
    tokens = build_report(a_run(60))["tokens"]
    assert tokens["base"]["prompt"] == tokens["tuned"]["prompt"] == 60 * 90


def test_the_manifest_pins_what_went_in_and_hashes_what_came_out() -> None:
    facts = a_run(60)
    manifest = build_manifest(facts, files={"report.json": b"{}"})
    assert manifest["dataset"]["version"] == "3HL4kqtJvjVBH40Nrjfkd"
    assert manifest["grader"]["arn"].endswith(":GraderPlain:3")
    assert manifest["statistics"]["random_numbers"] == "none"
    assert manifest["files"]["report.json"] == {"sha256": hashlib.sha256(b"{}").hexdigest(), "bytes": 2}
    assert json.loads(json.dumps(manifest)) == manifest


def test_the_manifest_of_a_run_that_reached_nothing_says_so() -> None:
    manifest = build_manifest(a_bare_run())
    assert manifest["dataset"] is manifest["recipe_sha256"] is manifest["verdict"] is manifest["statistics"] is None


def test_equal_recipes_have_equal_hashes_whatever_their_order() -> None:
    assert canonical_sha256({"a": 1, "b": {"c": 2, "d": 3}}) == canonical_sha256({"b": {"d": 3, "c": 2}, "a": 1})
    assert canonical_sha256({"a": 1}) != canonical_sha256({"a": 2})


def test_the_model_card_says_that_it_is_simulated_and_what_was_measured() -> None:
    card = render_model_card(build_report(a_run(60)))
    assert "**Simulated.**" in card
    assert "| mean reward | 0." in card
    assert "## Limits" in card
    assert "5 of 60 test rows lack a graded answer" in card
    assert "**Simulated.**" not in render_model_card(build_report(replace(a_run(60), simulated=False)))


def test_the_model_card_of_a_real_model_names_its_weights_and_no_simulation() -> None:
    weights = {"name": "SmolLM2-135M-Instruct", "licence": "apache-2.0"}
    card = render_model_card(build_report(replace(a_run(60), **who_trains(simulated=False, weights=weights))))
    assert "imulat" not in card
    assert "Bedrock" not in card
    assert "SmolLM2-135M-Instruct (licence: apache-2.0), in the place of openai.gpt-oss-20b" in card
    assert "reinforcement fine-tuning (GRPO with LoRA) on this machine" in card


def test_the_model_card_of_a_hedging_model_warns() -> None:
    card = render_model_card(build_report(a_run(120, hedging=True)))
    assert "suspected reward hacking" in card
    assert "**Broken guard rail.**" in card


def test_a_run_without_a_verdict_gets_a_card_that_says_so() -> None:
    assert "Not evaluated" in render_model_card(build_report(a_rejected_run()))


def test_hostile_names_cannot_break_out_of_the_model_card() -> None:
    card = render_model_card(build_report(replace(a_rejected_run(), name=f"{HOSTILE}\n# owned | [x](javascript:1)")))
    assert "<script" not in card.replace("\\<", "")
    assert "\n# owned" not in card
    assert "[x](" not in card

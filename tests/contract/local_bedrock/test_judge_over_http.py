"""The judge asks by the real SDK over HTTP: keys, throttling, refusals, and a batch at once."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.bedrock import LocalBedrock
from tunedrop.graders.batch import grade_batch
from tunedrop.graders.judge_model import BedrockChat, JudgeFailed, TryAgain
from tunedrop.graders.row_options import RowGrader
from tunedrop.graders.sample import JSON

REFERENCE = "Jupiter is the largest planet of the solar system."


@pytest.fixture(autouse=True)
def _credentials(bedrock: LocalBedrock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANTLE_BASE_URL", bedrock.base_url)
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")


def rollouts(answers: list[str]) -> list[dict[str, Any]]:
    question = {"role": "user", "content": "Which planet is the largest?"}
    return [
        {
            "id": str(number),
            "messages": [question, {"role": "assistant", "content": answer}],
            "metadata": {"reference_answer": REFERENCE},
        }
        for number, answer in enumerate(answers)
    ]


def grade(answers: list[str], **options: JSON) -> list[dict[str, Any]]:
    return grade_batch(rollouts(answers), RowGrader.of("judge", options), explain=True)


def ungraded(told: dict[str, Any]) -> bool:
    return any(metric["name"] == "grader_error" for metric in told["metrics_list"])


def test_the_judge_tells_right_from_wrong_and_says_that_it_is_simulated(bedrock: LocalBedrock) -> None:
    bedrock.set_switch("judge_error_share", 0)
    right, wrong = grade([REFERENCE, "It is Saturn, as everybody knows."])
    assert (right["aggregate_reward_score"], wrong["aggregate_reward_score"]) == (1.0, 0.0)
    assert "Simulated judge" in right["explanation"]


@pytest.mark.parametrize("reasoning", ["field", "inline", "think"])
def test_what_the_judge_thinks_is_no_part_of_its_judgement(bedrock: LocalBedrock, reasoning: str) -> None:
    bedrock.set_switch("judge_error_share", 0)
    bedrock.set_switch("chat_reasoning", reasoning)
    right, wrong = grade([REFERENCE, "It is Saturn, as everybody knows."])
    assert (right["aggregate_reward_score"], wrong["aggregate_reward_score"]) == (1.0, 0.0)


@pytest.mark.prove
def test_several_judgements_wait_at_the_same_time(bedrock: LocalBedrock) -> None:
    def at_once(wait: float) -> bool:
        """Whether twelve judgements take less than half of what their waits would take one by one."""
        bedrock.set_switch("inference_seconds", wait)
        began = time.monotonic()
        told = grade([f"{REFERENCE} {number}" for number in range(12)])
        assert not any(map(ungraded, told))
        return time.monotonic() - began < 6 * wait

    # A machine that is too busy for waits of a second is asked with longer ones; one by one, none is short enough.
    assert any(at_once(wait) for wait in (1.0, 4.0, 16.0))


def test_throttling_and_errors_are_asked_again(bedrock: LocalBedrock) -> None:
    bedrock.set_switch("judge_error_share", 0)
    bedrock.set_switch("fault_plan", "CreateInference:before:429:1,CreateInference:before:reset:1")
    (told,) = grade([REFERENCE])
    assert told["aggregate_reward_score"] == 1.0


def test_a_judge_that_may_not_be_asked_leaves_samples_ungraded(bedrock: LocalBedrock) -> None:
    bedrock.set_switch("denied_actions", "CreateInference")
    (told,) = grade([REFERENCE])
    assert ungraded(told)
    assert "403" in told["explanation"]


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The stack's secret with a long-term key, as BedrockApiKeySecret names it; its client."""
    with mock_aws():
        secrets = boto3.client("secretsmanager", region_name="us-west-2")
        arn = secrets.create_secret(Name="bedrock-key", SecretString="ABSK-of-yesterday\n")["ARN"]
        monkeypatch.setenv("BEDROCK_API_KEY_SECRET", arn)
        yield secrets


def test_the_judge_asks_with_the_stack_s_key_and_reads_it_anew_when_it_is_refused(
    bedrock: LocalBedrock, secret: Any
) -> None:
    arn = os.environ["BEDROCK_API_KEY_SECRET"]
    bedrock.set_switch("judge_error_share", 0)
    chat = BedrockChat()
    question = [{"role": "user", "content": "Hello"}]

    def ask() -> str:
        return chat(question, model="openai.gpt-oss-120b", seconds=20, temperature=0.0, seed=None)

    with pytest.raises(TryAgain, match="401"):
        ask()  # no key that the service knows
    secret.put_secret_value(SecretId=arn, SecretString=f"{bedrock.api_key()}\n")
    assert ask()


def test_a_judge_that_may_not_read_the_key_says_so_and_leaves_samples_ungraded(secret: Any) -> None:
    secret.delete_secret(SecretId=os.environ["BEDROCK_API_KEY_SECRET"], ForceDeleteWithoutRecovery=True)
    with pytest.raises(
        JudgeFailed, match="Bedrock API key could not be read: ResourceNotFoundException.*BedrockApiKeySecret"
    ):
        BedrockChat()([], model="openai.gpt-oss-120b", seconds=20, temperature=0.0, seed=None)


def test_a_model_that_is_not_there_leaves_samples_ungraded() -> None:
    (told,) = grade([REFERENCE], model="no.such-model")
    assert ungraded(told)
    assert "model_not_found" in told["explanation"]


def test_a_definition_with_a_model_grader_is_scored_over_http(bedrock: LocalBedrock) -> None:
    bedrock.set_switch("judge_error_share", 0)
    definition: dict[str, JSON] = {
        "type": "multi",
        "name": "both",
        "graders": {
            "alike": {
                "type": "score_model",
                "name": "alike",
                "model": "gpt-4o-2024-08-06",
                "input": [
                    {
                        "role": "user",
                        "content": "Reference answer: {{item.reference_answer}} Model answer: {{sample.output_text}}",
                    }
                ],
                "sampling_params": {"seed": 42},
            },
            "text": {
                "type": "string_check",
                "name": "text",
                "input": "{{sample.output_text}}",
                "reference": "Jupiter",
                "operation": "like",
            },
        },
        "calculate_output": "0.5 * alike + 0.5 * text",
    }
    right, wrong = grade([REFERENCE, "Saturn?"], **json.loads(json.dumps(definition)))
    assert (right["aggregate_reward_score"], wrong["aggregate_reward_score"]) == (1.0, 0.0)

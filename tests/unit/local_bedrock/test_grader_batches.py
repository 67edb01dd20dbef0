"""What the grader is sent, what of its answers is accepted, and how often it is asked again."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import orjson
import pytest

from local.bedrock.grading import GraderFailed, GraderSettings, Reply, check_answer, rewards, sample_of
from local.bedrock.switches import Switches

SETTINGS = replace(GraderSettings.of(Switches()), backoff_seconds=0.0)
ROW = {
    "id": "row-1",
    "messages": [{"role": "user", "content": "6 x 12?"}],
    "reference_answer": "#### 72",
    "topic": "sums",
}
REPLY = Reply("job-1-0-0", ROW, "#### 72")
ARN = "arn:aws:lambda:us-west-2:123456789012:function:grader:1"


def entry(name: str, reward: Any = 1.0, **more: Any) -> dict[str, Any]:
    return {"id": name, "aggregate_reward_score": reward, **more}


class TestLayouts:
    def test_by_default_the_reference_is_at_the_top_and_a_string_is_wrapped(self) -> None:
        assert sample_of(REPLY, SETTINGS) == {
            "id": "job-1-0-0",
            "messages": [{"role": "user", "content": "6 x 12?"}, {"role": "assistant", "content": "#### 72"}],
            "reference_answer": {"text": "#### 72"},
            "topic": "sums",
        }

    def test_metadata_holds_all_that_is_not_core(self) -> None:
        sample = sample_of(REPLY, replace(SETTINGS, layout="metadata", wraps_strings=False))
        assert sample["metadata"] == {"reference_answer": "#### 72", "topic": "sums"}
        assert set(sample) == {"id", "messages", "metadata"}

    def test_both_places_at_once(self) -> None:
        sample = sample_of(REPLY, replace(SETTINGS, layout="both"))
        assert sample["reference_answer"] == sample["metadata"]["reference_answer"] == {"text": "#### 72"}

    def test_an_object_as_reference_is_never_wrapped(self) -> None:
        reply = Reply("r", {**ROW, "reference_answer": {"answer": 72}}, "")
        assert sample_of(reply, SETTINGS)["reference_answer"] == {"answer": 72}

    def test_the_answers_turn_takes_the_role_the_parts_and_the_reasoning_that_are_set(self) -> None:
        settings = replace(SETTINGS, answer_role="nova_assistant", content="parts", reasoning="field")
        turn = sample_of(REPLY, settings)["messages"][-1]
        assert turn["role"] == "nova_assistant"
        assert turn["content"] == [{"type": "text", "text": "#### 72"}]
        assert "Simulated reasoning" in turn["reasoning_content"]
        inline = sample_of(REPLY, replace(SETTINGS, reasoning="inline"))["messages"][-1]
        assert inline["content"].startswith("<reasoning>")
        assert inline["content"].endswith("</reasoning>#### 72")

    def test_ids_may_be_the_rows_own(self) -> None:
        assert sample_of(REPLY, replace(SETTINGS, ids="row"))["id"] == "row-1"


class TestAnswers:
    def test_rewards_are_matched_by_id_whatever_the_order(self) -> None:
        answer = json.dumps([entry("b", 0.25), entry("a", 1)]).encode()
        assert check_answer(answer, ["a", "b"], unit_range=False) == [1.0, 0.25]

    def test_repeated_ids_are_matched_by_place(self) -> None:
        answer = json.dumps([entry("a", 0), entry("a", 1), entry("b", 0.5)]).encode()
        assert check_answer(answer, ["a", "a", "b"], unit_range=False) == [0.0, 1.0, 0.5]
        with pytest.raises(GraderFailed, match="cannot be matched"):
            check_answer(answer, ["b", "a", "a"], unit_range=False)

    def test_metrics_and_further_keys_are_accepted(self) -> None:
        metric = {"name": "accuracy", "value": 1, "type": "Reward"}
        assert check_answer(
            json.dumps([entry("a", 0.5, metrics_list=[metric], score=1)]).encode(), ["a"], unit_range=True
        ) == [0.5]

    @pytest.mark.parametrize(
        ("answer", "complaint"),
        [
            (b"oops", "no JSON"),
            (b'{"id": "a"}', "got a dict"),
            (b"[]", "got 0 entries"),
            (b'["a"]', "string 'id'"),
            (b'[{"aggregate_reward_score": 1}]', "string 'id'"),
            (json.dumps([entry("z")]).encode(), "the ids of the samples"),
            (json.dumps([entry("a", "1")]).encode(), "finite number"),
            (json.dumps([entry("a", True)]).encode(), "finite number"),
            (json.dumps([entry("a", None)]).encode(), "finite number"),
            (json.dumps([entry("a", float("nan"))]).encode(), "no JSON"),
            (json.dumps([entry("a", metrics_list=[{"name": "m", "value": 1, "type": "Other"}])]).encode(), "metrics"),
            (json.dumps([entry("a", metrics_list=None)]).encode(), "metrics"),
        ],
    )
    def test_what_the_contract_does_not_allow_is_refused_with_the_reason(self, answer: bytes, complaint: str) -> None:
        with pytest.raises(GraderFailed, match=complaint):
            check_answer(answer, ["a"], unit_range=False)

    def test_the_range_is_checked_where_the_switch_says_so(self) -> None:
        answer = json.dumps([entry("a", -1)]).encode()
        assert check_answer(answer, ["a"], unit_range=False) == [-1.0]
        with pytest.raises(GraderFailed, match="from 0 to 1"):
            check_answer(answer, ["a"], unit_range=True)


class TestInvocations:
    @staticmethod
    def graded(invoke: Any, replies: list[Reply], settings: GraderSettings = SETTINGS) -> list[float]:
        return asyncio.run(rewards(ARN, replies, invoke=invoke, settings=settings))

    def test_replies_go_out_in_batches_and_come_back_in_order(self) -> None:
        sizes = []

        async def invoke(arn: str, payload: bytes) -> bytes:
            assert arn == ARN
            samples = orjson.loads(payload)
            sizes.append(len(samples))
            return orjson.dumps([entry(sample["id"], float(sample["id"])) for sample in samples])

        replies = [Reply(str(number), ROW, "") for number in range(70)]
        assert self.graded(invoke, replies) == [float(number) for number in range(70)]
        assert sizes == [32, 32, 6]

    def test_no_more_than_the_set_number_run_at_once(self) -> None:
        running = most = 0

        async def invoke(_: str, payload: bytes) -> bytes:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1
            return orjson.dumps([entry(sample["id"]) for sample in orjson.loads(payload)])

        replies = [Reply(str(number), ROW, "") for number in range(40)]
        self.graded(invoke, replies, replace(SETTINGS, batch_size=1, concurrency=3))
        assert most == 3

    def test_a_failed_invocation_is_tried_three_times_more(self) -> None:
        tried = 0

        async def invoke(_: str, payload: bytes) -> bytes:
            nonlocal tried
            tried += 1
            if tried < 4:
                raise GraderFailed("timed out")
            return orjson.dumps([entry(sample["id"], 0.5) for sample in orjson.loads(payload)])

        assert self.graded(invoke, [REPLY]) == [0.5]
        assert tried == 4

    def test_a_grader_that_goes_on_failing_fails_the_step_with_its_last_reason(self) -> None:
        async def invoke(_: str, __: bytes) -> bytes:
            return b"[]"

        with pytest.raises(GraderFailed, match="4 times in a row, lastly: expected an array of 1 entries"):
            self.graded(invoke, [REPLY])


CALL = '{"name": "area", "arguments": {"base": 10}}'


@pytest.mark.parametrize(
    ("text", "where", "tools", "content", "calls"),
    [
        (CALL, "beside", True, "", [{"name": "area", "arguments": '{"base":10}'}]),
        (f"[{CALL}, {CALL}]", "beside", True, "", [{"name": "area", "arguments": '{"base":10}'}] * 2),
        (CALL, "content", True, CALL, []),
        (CALL, "beside", False, CALL, []),
        (f"It is {CALL}", "beside", True, f"It is {CALL}", []),
        ('{"name": "Ada", "age": 36}', "beside", True, '{"name": "Ada", "age": 36}', []),
    ],
)
def test_the_calls_of_a_row_with_tools_stand_beside_the_text_or_in_it(
    text: str, where: Any, tools: bool, content: str, calls: list[dict[str, str]]
) -> None:
    row = {**ROW, **({"tools": [{"type": "function", "function": {"name": "area"}}]} if tools else {})}
    turn = sample_of(Reply("r", row, text), replace(SETTINGS, tool_calls=where))["messages"][-1]
    assert turn["content"] == content
    assert [each["function"] for each in turn.get("tool_calls", [])] == calls

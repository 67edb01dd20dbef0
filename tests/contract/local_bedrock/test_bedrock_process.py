"""The process: it starts with one line, keeps its state over a restart, and ends with its parent."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob

from embedded_aws.tests.processes import alive
from embedded_aws.waiting import until
from local.bedrock import LocalBedrock, LocalBedrockFailed
from tests.contract.local_bedrock.bedrock_requests import method, training_rows


def steps(client: OpenAI, job: str) -> list[int]:
    return [
        event.data["step"]  # type: ignore[index]  # metrics events have an object
        for event in client.fine_tuning.jobs.list_events(job, limit=1000)
        if event.type == "metrics"
    ]


@pytest.mark.prove
@pytest.mark.parametrize("kill", [True, False])
def test_a_job_in_training_goes_on_after_a_restart_as_if_nothing_had_been(
    bedrock: LocalBedrock,
    client: OpenAI,
    train: Callable[..., FineTuningJob],
    ended: Callable[[str], FineTuningJob],
    *,
    kill: bool,
) -> None:
    longer = {"method": method()}
    undisturbed = ended(train(extra_body=longer).id)
    bedrock.set_switch("step_seconds", 0.5)
    job = train(extra_body=longer).id
    until(lambda: len(steps(client, job)) >= 2, "two steps are told")

    bedrock.restart(kill=kill)

    assert 2 <= len(steps(client, job)) < 22
    bedrock.set_switch("step_seconds", 0)
    done = ended(job)
    assert done.status == "succeeded"
    assert steps(client, job) == list(range(22, 0, -1))
    assert undisturbed.fine_tuned_model is not None
    assert done.fine_tuned_model is not None
    assert bedrock.policy(done.fine_tuned_model)["logits"] == bedrock.policy(undisturbed.fine_tuned_model)["logits"]
    assert client.files.retrieve(done.training_file).bytes == len(training_rows())
    assert [checkpoint.step_number for checkpoint in client.fine_tuning.jobs.checkpoints.list(job)] == [22, 20]


@pytest.mark.prove
def test_what_was_taught_and_set_holds_over_a_restart(bedrock: LocalBedrock, client: OpenAI) -> None:
    bedrock.teach(training_rows())
    bedrock.set_switch("page_cap", 1)
    base_url = bedrock.base_url
    bedrock.restart()
    assert bedrock.base_url == base_url
    assert bedrock.teach(b"")["known"] == 100
    for number in range(2):
        client.files.create(purpose="fine-tune", file=(f"{number}.jsonl", b"{}"))
    assert client.files.list().has_more


def test_a_large_file_is_taught_in_many_calls(bedrock: LocalBedrock, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def teach(handle: LocalBedrock, jsonl: bytes) -> dict[str, int]:
        calls.append(len(jsonl))
        return original(handle, jsonl)

    original = LocalBedrock.teach
    monkeypatch.setattr(LocalBedrock, "teach", teach)
    long = b" " * 100_000
    text = b"".join(line + long + b"\n" for line in training_rows().splitlines())
    bedrock.teach_file(io.BytesIO(text * 2))
    assert sum(calls) == len(text * 2)
    assert max(calls) < 9_000_000
    assert original(bedrock, b"")["known"] == 100


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom local.bedrock import LocalBedrock\n"
        "print(LocalBedrock.start(state_folder=Path(sys.argv[1])).pid, flush=True)\ntime.sleep(60)"
    )
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, cwd=root) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.kill()
    until(lambda: not alive(pid), "it has ended", seconds=5)


def test_an_end_that_nobody_asked_for_is_told_with_its_signal(tmp_path: Path) -> None:
    with LocalBedrock.start(state_folder=tmp_path) as bedrock:
        assert bedrock.how_it_ended() is None
        os.kill(bedrock.pid, signal.SIGKILL)
        until(bedrock.how_it_ended, "the process has ended")
        assert str(bedrock.how_it_ended()).startswith("the local Bedrock has ended by signal 9")
        bedrock.restart()
        assert bedrock.how_it_ended() is None
    assert bedrock.how_it_ended() is None


def test_from_the_command_line_it_prints_one_line_and_stops_on_a_signal(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "local.bedrock", "--state-folder", str(tmp_path), "--switch", "group_size=4"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["base_url"].startswith("http://127.0.0.1:")
        assert ready["simulated"] is True
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_a_switch_that_it_does_not_know_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(LocalBedrockFailed, match="no switch 'sufix'"):
        LocalBedrock.start(state_folder=tmp_path, switches={"sufix": "ignore"})

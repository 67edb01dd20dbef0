"""Jobs as the API tells them: now, and as they were."""

from __future__ import annotations

from typing import Any

from local.bedrock.mantle.jobs import job_object
from local.bedrock.records import Records
from local.bedrock.rows import RowBook
from local.bedrock.simulated_engine import Simulation
from local.bedrock.switches import Switches

ENGINE = Simulation(RowBook(Records(None)), Switches())

JOB: dict[str, Any] = {
    "id": "ftjob-1",
    "created": 100.5,
    "model": "openai.gpt-oss-20b",
    "training_file": "file",
    "validation_file": None,
    "method": {"type": "reinforcement"},
    "seed": 0,
    "metadata": None,
    "status": "succeeded",
    "finished_at": 120,
    "fine_tuned_model": "tuned",
    "trained_tokens": 9,
    "error": None,
    "history": [
        [101.0, {"status": "validating_files"}],
        [102.0, {"status": "queued"}],
        [120.0, {"status": "running", "finished_at": None, "fine_tuned_model": None, "trained_tokens": None}],
    ],
}


def test_a_job_is_told_as_it_is() -> None:
    told = job_object(JOB, engine=ENGINE, echo_method=True)
    assert (told["status"], told["fine_tuned_model"], told["created_at"]) == ("succeeded", "tuned", 100)
    assert told["simulated"] is True
    assert job_object(JOB, engine=ENGINE, echo_method=False)["method"] is None


def test_a_stale_list_tells_a_job_as_it_was() -> None:
    def told(moment: float) -> tuple[object, ...]:
        job = job_object(JOB, engine=ENGINE, echo_method=True, as_of=moment)
        return job["status"], job["finished_at"], job["fine_tuned_model"]

    assert told(100.9) == ("validating_files", None, None)
    assert told(101.5) == ("queued", None, None)
    assert told(119.0) == ("running", None, None)
    assert told(121.0) == ("succeeded", 120, "tuned")

"""Bedrock projects: files and jobs belong to the project that a request names, and no other project finds them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openai import BadRequestError, NotFoundError, OpenAI

from local.bedrock import LocalBedrock
from tests.contract.local_bedrock.bedrock_requests import method, training_rows


@pytest.fixture
def ours(bedrock: LocalBedrock) -> Iterator[OpenAI]:
    with OpenAI(base_url=bedrock.base_url, api_key=bedrock.api_key(), project="proj_ours", max_retries=0) as made:
        yield made


def test_what_one_project_made_another_one_does_not_find(client: OpenAI, ours: OpenAI) -> None:
    file = ours.files.create(purpose="fine-tune", file=("train.jsonl", training_rows()))
    body = {"method": method(batch_size=30)}
    job = ours.fine_tuning.jobs.create(model="openai.gpt-oss-20b", training_file=file.id, extra_body=body)

    assert [each.id for each in ours.files.list()] == [file.id]
    assert [each.id for each in ours.fine_tuning.jobs.list()] == [job.id]
    assert list(client.files.list()) == []
    assert list(client.fine_tuning.jobs.list()) == []
    with pytest.raises(NotFoundError):
        client.files.retrieve(file.id)
    with pytest.raises(NotFoundError):
        client.fine_tuning.jobs.cancel(job.id)
    with pytest.raises(NotFoundError):
        client.fine_tuning.jobs.list_events(job.id)
    with pytest.raises(BadRequestError, match="does not exist"):
        client.fine_tuning.jobs.create(model="openai.gpt-oss-20b", training_file=file.id, extra_body=body)


def test_what_is_no_project_is_refused(bedrock: LocalBedrock) -> None:
    with (
        OpenAI(base_url=bedrock.base_url, api_key=bedrock.api_key(), project="ours", max_retries=0) as made,
        pytest.raises(BadRequestError, match="OpenAI-Project"),
    ):
        made.files.list()

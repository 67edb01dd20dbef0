"""The Files API by the unmodified SDK and by curl."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from openai import BadRequestError, NotFoundError, OpenAI

from local.bedrock import LocalBedrock
from tests.contract.local_bedrock.bedrock_requests import training_rows

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def test_a_file_is_uploaded_retrieved_listed_and_deleted(client: OpenAI) -> None:
    content = training_rows()
    made = client.files.create(purpose="fine-tune", file=("rft_train_data.jsonl", content))

    assert re.fullmatch(UUID, made.id)
    assert (made.bytes, made.filename, made.purpose) == (len(content), "rft_train_data.jsonl", "fine-tune")
    assert made.status == "processed"
    assert client.files.retrieve(made.id) == made
    assert [file.id for file in client.files.list(purpose="fine-tune")] == [made.id]
    gone = client.files.delete(made.id)
    assert gone.deleted
    assert list(client.files.list()) == []
    with pytest.raises(NotFoundError) as refusal:
        client.files.retrieve(made.id)
    assert refusal.value.code == "not_found"


def test_files_are_listed_in_pages_newest_first_or_oldest(client: OpenAI) -> None:
    ids = [client.files.create(purpose="fine-tune", file=(f"{n}.jsonl", b"{}")).id for n in range(5)]

    assert [file.id for file in client.files.list(limit=2)] == ids[::-1]
    assert [file.id for file in client.files.list(limit=2, order="asc")] == ids
    page = client.files.list(limit=2, after=ids[2])
    assert [file.id for file in page.data] == [ids[1], ids[0]]
    assert not page.has_more


def test_what_is_no_upload_is_refused_with_the_parameter(client: OpenAI) -> None:
    with pytest.raises(BadRequestError) as refusal:
        client.files.create(purpose="batch", file=("a.jsonl", b"{}"))
    assert refusal.value.param == "purpose"
    with pytest.raises(BadRequestError) as refusal:
        client.files.create(purpose="fine-tune", file=("a.jsonl", b""))
    assert refusal.value.param == "file"


def test_contents_are_given_only_where_the_switch_says_so(client: OpenAI, bedrock: LocalBedrock) -> None:
    file = client.files.create(purpose="fine-tune", file=("a.jsonl", b"content"))
    with pytest.raises(NotFoundError):
        client.files.content(file.id)
    bedrock.set_switch("file_content_download", True)
    assert client.files.content(file.id).read() == b"content"


def test_a_file_may_be_processed_only_on_the_next_read(client: OpenAI, bedrock: LocalBedrock) -> None:
    bedrock.set_switch("file_status_after_upload", "uploaded")
    file = client.files.create(purpose="fine-tune", file=("a.jsonl", b"content"))
    assert file.status == "uploaded"
    assert client.files.retrieve(file.id).status == "processed"


def test_curl_uploads_as_the_documentation_does(bedrock: LocalBedrock, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not on this machine")
    (tmp_path / "train.jsonl").write_bytes(training_rows())
    words = [curl, "-sS", f"{bedrock.base_url}/files", "-H", f"Authorization: Bearer {bedrock.api_key()}"]
    words += ["-F", "purpose=fine-tune", "-F", f"file=@{tmp_path / 'train.jsonl'}", "-D", "-"]
    head, _, body = subprocess.run(words, capture_output=True, text=True, check=True).stdout.rpartition("\n\n")
    assert json.loads(body)["filename"] == "train.jsonl"
    assert "x-tunedrop-simulated: true" in head
    assert re.search(r"x-amzn-requestid: req_[a-z2-7]+", head)

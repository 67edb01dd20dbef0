"""The metrics that a training job of the native API may write into its output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from moto import mock_aws

from tests.unit.reporting.sample_run import a_run
from tunedrop.reporting.page import render_html
from tunedrop.reporting.report import build_report
from tunedrop.run.folder import RunFolder
from tunedrop.training.job_output import written_metrics

FILE = "training/model-customization-job-abc123/training_artifacts/step_wise_training_metrics.csv"
DOCUMENTED = b"step_number,epoch_number,training_loss,perplexity\n0,0,0.9,2.4\n1,0,0.7,2.0\n"


@pytest.fixture
def run_folder() -> Iterator[RunFolder]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="runs")
        yield RunFolder(client, "runs", "nova-1")


def test_the_documented_file_is_read_step_by_step(run_folder: RunFolder) -> None:
    run_folder.write(FILE, DOCUMENTED)
    assert written_metrics(run_folder) == [
        {"step": 0.0, "epoch": 0.0, "training_loss": 0.9, "perplexity": 2.4},
        {"step": 1.0, "epoch": 0.0, "training_loss": 0.7, "perplexity": 2.0},
    ]


def test_columns_that_nobody_documented_keep_their_names(run_folder: RunFolder) -> None:
    run_folder.write(
        FILE, b"\xef\xbb\xbfstep_number,critic/rewards/mean,note\n3,0.5,good\n4,nan,\n,0.7,\n5,0.6,x,1,2\n"
    )
    assert written_metrics(run_folder) == [
        {"step": 3.0, "critic/rewards/mean": 0.5},
        {"step": 4.0},
        {"step": 5.0, "critic/rewards/mean": 0.6},
    ]


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b"no table at all"])
def test_without_a_table_there_are_no_metrics(run_folder: RunFolder, content: bytes | None) -> None:
    if content is not None:
        run_folder.write(FILE, content)
    run_folder.write("training/other.txt", b"step_number\n1\n")
    assert written_metrics(run_folder) == []


def test_what_was_written_is_drawn(run_folder: RunFolder) -> None:
    run_folder.write(FILE, DOCUMENTED)
    training = {"job_id": "j", "metrics": written_metrics(run_folder)}
    page = render_html(build_report(replace(a_run(60), base_model="amazon.nova-2-lite-v1:0:256k", training=training)))
    assert 'id="curve-loss"' in page
    assert "Bedrock gives no events" not in page


def test_a_table_that_cannot_be_read_costs_the_run_only_its_curves(
    run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_folder.write(FILE, DOCUMENTED)
    run_folder._client.delete_object(Bucket="runs", Key=run_folder.key(FILE))
    monkeypatch.setattr(run_folder, "names", lambda prefix: iter([FILE]))
    assert written_metrics(run_folder) == []

"""`sam list` looks up what `tunedrop up` has deployed, by nothing but the environment that it writes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from checks import sam_template
from tests.e2e.command_runs import REPOSITORY, tunedrop_up

SAM = REPOSITORY / ".venvs/sam/bin/sam"
STACK = "tunedrop"


def sam_list(what: str, environment: Path) -> Any:
    """What `sam list` says as JSON, in a shell that has read the environment."""
    assert SAM.is_file(), "there is no SAM CLI; `make .venvs/sam/.installed` sets it up"
    words = [str(SAM), "list", what, "--stack-name", STACK, "--output", "json"]
    done = subprocess.run(
        ["/bin/sh", "-c", '. "$0"; exec "$@"', str(environment), *words],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "HOME": str(environment.parent), "SAM_CLI_TELEMETRY": "0"},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.prove
@pytest.mark.timeout(1800)
def test_sam_lists_the_stack_s_outputs_and_resources(tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    with tunedrop_up("--environment", str(environment)):
        outputs = {each["OutputKey"]: each["OutputValue"] for each in sam_list("stack-outputs", environment)}
        resources = {
            each["LogicalResourceId"]: each["PhysicalResourceId"] for each in sam_list("resources", environment)
        }
    template = sam_template.read()
    assert outputs.keys() == template["Outputs"].keys()
    assert {"DatasetBucket", "RunsTable", "Pipeline", "RegisterRun"} <= resources.keys()
    assert resources["DatasetBucket"] == outputs["DatasetBucketName"]

"""A function that waits for ever, with a child process of its own."""

from __future__ import annotations

import json
from pathlib import Path

from embedded_aws import EmbeddedAws
from embedded_aws.lambdas.code import pack_folder
from embedded_aws.waiting import until

WAITING = """
import os, pathlib, subprocess, sys, time

def handler(event, context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    pathlib.Path(event["file"]).write_text(f"{os.getpid()} {child.pid}")
    time.sleep(600)
"""

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def start_waiting(aws: EmbeddedAws, folder: Path) -> list[int]:
    """Has a function run that waits for ever, with a child of its own; the ids of both processes."""
    role = aws.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    code = folder / "code"
    code.mkdir()
    (code / "app.py").write_text(WAITING)
    functions = aws.client("lambda")
    functions.create_function(
        FunctionName="waiting",
        Handler="app.handler",
        Runtime="python3.13",
        Role=role,
        Timeout=900,
        Code={"ZipFile": pack_folder(code)},
    )
    file = folder / "pids"
    functions.invoke(FunctionName="waiting", InvocationType="Event", Payload=f'{{"file": "{file}"}}'.encode())
    pids: str = until(lambda: file.exists() and file.read_text(), "the handler runs")
    return [int(pid) for pid in pids.split()]

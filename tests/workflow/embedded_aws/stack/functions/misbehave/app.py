"""Does what functions should not do, as its event says."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path


class OutOfTea(Exception):
    """No tea."""


def handler(event, context):
    what = event["what"]
    sys.stdout.write(f"asked to {what}\n")
    return globals()[what](event)


def note(event):
    return {"noted": event, "pid": os.getpid()}


def fail(event):
    raise OutOfTea("there is none left")


def sleep(event):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(event["child_file"]).write_text(str(child.pid))
    time.sleep(600)


def wait(event):
    Path(event["ready_file"]).write_text(str(os.getpid()))
    deadline = time.time() + 30
    while not Path(event["go_file"]).exists() and time.time() < deadline:
        time.sleep(0.01)
    return {"waited": True}


def leave(event):
    os._exit(event["status"])


def die(event):
    os.kill(os.getpid(), signal.SIGKILL)


def answer_at_length(event):
    return "x" * event["size"]

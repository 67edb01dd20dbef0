"""Does what functions should not do, as its event says."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


class OutOfTea(Exception):
    """No tea."""


def handler(event: dict[str, Any], context: object) -> Any:
    what = event.get("what", "note")
    sys.stdout.write(f"asked to {what}\n")
    return globals()[what](event)


def note(event: dict[str, Any]) -> Any:
    return {"noted": event, "pid": os.getpid()}


def fail(event: dict[str, Any]) -> Any:
    raise OutOfTea("there is none left")


def change_its_code(event: dict[str, Any]) -> Any:
    here = Path(__file__)
    elsewhere = Path(os.environ["TMPDIR"]) / "mine"
    elsewhere.write_text("may be written")
    changes: dict[str, Callable[[], object]] = {
        "write": lambda: here.write_text(""),
        "append": lambda: here.open("ab"),
        "create": lambda: os.open(here.with_name("new"), os.O_CREAT | os.O_WRONLY),
        "relative": lambda: Path("new").touch(),
        "make": lambda: here.with_name("folder").mkdir(),
        "remove": here.unlink,
        "take away": lambda: here.rename(elsewhere),
        "replace": lambda: elsewhere.replace(here),
        "change": lambda: here.chmod(0o600),
    }
    told = {}
    for name, change in changes.items():
        try:
            change()
        except OSError as error:
            told[name] = str(error)
    return {"refused": told, "asked": list(changes), "code": str(here)}


def sdk(event: dict[str, Any]) -> Any:
    from importlib.util import find_spec  # to find it takes no time, to import it a second on a loaded machine

    found = find_spec("boto3")
    assert found is not None
    return {"file": found.origin}


def sleep(event: dict[str, Any]) -> Any:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(event["child_file"]).write_text(str(child.pid))
    time.sleep(600)


def wait(event: dict[str, Any]) -> Any:
    Path(event["ready_file"]).write_text(str(os.getpid()))
    deadline = time.time() + 30
    while not Path(event["go_file"]).exists() and time.time() < deadline:
        time.sleep(0.01)
    return {"waited": True}


def leave(event: dict[str, Any]) -> Any:
    os._exit(event["status"])


def die(event: dict[str, Any]) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def answer_at_length(event: dict[str, Any]) -> Any:
    return "x" * event["size"]

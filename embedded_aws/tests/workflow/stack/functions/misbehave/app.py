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
    what = event.get("what", "note")
    sys.stdout.write(f"asked to {what}\n")
    return globals()[what](event)


def note(event):
    return {"noted": event, "pid": os.getpid()}


def fail(event):
    raise OutOfTea("there is none left")


def change_its_code(event):
    here = Path(__file__)
    elsewhere = Path(os.environ["TMPDIR"]) / "mine"
    elsewhere.write_text("may be written")
    changes = {
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


def sdk(event):
    from importlib.util import find_spec  # to find it takes no time, to import it a second on a loaded machine

    return {"file": find_spec("boto3").origin}


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

"""The first program of a function's process: ties it to its parent, then gives way to AWS's runtime client.

It runs in the base interpreter without site-packages, so it imports the standard library alone until the runtime client
is reached through PYTHONPATH.
"""

import os
import runpy
import signal
import sys
import threading


def _die_with_parent(lifeline: int) -> None:
    """The parent holds the other end and never writes: end of file means that it is gone, however it went."""
    while os.read(lifeline, 1):
        pass
    os.killpg(0, signal.SIGKILL)  # the session's whole group: what the handler has started ends too


def main() -> None:
    lifeline = os.dup(0)  # not inheritable: what the handler starts does not hold on to it
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    threading.Thread(target=_die_with_parent, args=(lifeline,), daemon=True, name="lifeline").start()
    prelude = os.environ.pop("EMBEDDED_AWS_PRELUDE", None)
    if prelude:  # what a test changes inside a function's process: its clock, its disk
        runpy.run_path(prelude)
    sys.argv = ["bootstrap", os.environ["_HANDLER"]]
    runpy.run_module("awslambdaric", run_name="__main__")


if __name__ == "__main__":
    main()

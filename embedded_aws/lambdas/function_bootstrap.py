"""The first program of a function's process: ties it to its parent, makes its code read-only, then gives way to AWS's
runtime client.

It runs in the base interpreter without site-packages, so it imports the standard library alone until the runtime client
is reached through PYTHONPATH.
"""

import errno
import os
import runpy
import signal
import sys
import threading

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

CHANGED_PATHS = {
    **{f"os.{name}": (0,) for name in ("mkdir", "remove", "rmdir", "truncate", "chmod", "chown", "utime")},
    "os.rename": (0, 1),
    "os.link": (1,),
    "os.symlink": (1,),
}
"""Python's audit events that change a file system, and which of their arguments name what is changed."""


def _real(path: str) -> str:
    """The path with the links of its folder resolved. Not by pathlib, which not every function imports."""
    folder, name = os.path.split(os.path.abspath(path))  # noqa: PTH100
    return os.path.realpath(folder).rstrip(os.sep) + os.sep + name


def _make_read_only(folders: list[str]) -> None:
    """Refuse what Python would change below the folders, as Lambda does below /var/task, /opt and /var/runtime.

    It is a fault of the file system there, whoever asks; here it is one of this interpreter, which suffices to find
    code that would fail.
    """
    inside = tuple(os.path.realpath(folder) + os.sep for folder in folders)

    def refuse(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            if not isinstance(arguments[2], int) or not arguments[2] & WRITING:
                return
            changed: tuple[object, ...] = arguments[:1]
        elif event in CHANGED_PATHS:
            changed = tuple(arguments[index] for index in CHANGED_PATHS[event])
        else:
            return
        for path in changed:
            if isinstance(path, (str, bytes, os.PathLike)):
                name = os.fsdecode(path)
                if _real(name).startswith(inside):
                    raise OSError(errno.EROFS, os.strerror(errno.EROFS), name)

    sys.addaudithook(refuse)


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
    _make_read_only([os.environ["LAMBDA_TASK_ROOT"], *filter(None, os.environ["PYTHONPATH"].split(os.pathsep))])
    sys.argv = ["bootstrap", os.environ["_HANDLER"]]
    runpy.run_module("awslambdaric", run_name="__main__")


if __name__ == "__main__":
    main()

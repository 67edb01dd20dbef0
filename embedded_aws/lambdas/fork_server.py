"""The program of a fork server: imports the modules that are named, then forks once for each request.

A request is a message with the environment and the folder of a function's process, and three open files: its standard
input, its output, and the pipe that is told how it ended. The answer is the id of the fork, which goes on as
`function_bootstrap.py`. A fork that would differ from a process started by itself starts a new interpreter instead.
This process has one thread: a fork copies no other.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from types import ModuleType

READ_AT_START = ("PYTHON", "LANG", "LC_", "LD_", "TZ")
"""How the variables begin that an interpreter reads when it starts."""

BOOTSTRAP = __file__.replace("fork_server", "function_bootstrap")  # not by pathlib, which not every function imports

MOST_BYTES = 1 << 20
"""Of one request: a function's variables are 4 KB at most."""


def import_all(modules: list[str]) -> None:
    """Import what can be imported; what cannot fails in the function that asks for it, with its own traceback."""
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception:  # noqa: S112 - whatever a module does
            continue
    gc.collect()
    gc.freeze()  # a collection would write to each object, and so copy every page of it


def serve(connection: socket.socket) -> bool:
    """Answer requests until the other side has gone: False. In a fork, when it is ready to go on: True."""
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    statuses: dict[int, int] = {}
    ready = select.poll()
    ready.register(connection, select.POLLIN)
    ready.register(ended, select.POLLIN)
    while True:
        for file, _ in ready.poll():
            if file == ended:
                os.read(ended, 4096)
                tell_ends(statuses)
                continue
            message, files, _, _ = socket.recv_fds(connection, MOST_BYTES, 3)
            if not message:
                return False
            request = json.loads(message)
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                stdin, output, status = files
                for number, source in ((0, stdin), (1, output), (2, output)):
                    os.dup2(source, number)
                for each in (stdin, output, status, ended, wake, *statuses.values()):
                    os.close(each)
                connection.close()
                become(request["environment"], request["folder"])
                return True
            with contextlib.suppress(ProcessLookupError, PermissionError):  # it has done so itself, or ended
                os.setpgid(pid, pid)
            statuses[pid] = files.pop()
            for each in files:
                os.close(each)
            connection.send(str(pid).encode())


def tell_ends(statuses: dict[int, int]) -> None:
    """Write how each process ended that has ended, and forget it."""
    while statuses:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        file = statuses.pop(pid)
        with contextlib.suppress(BrokenPipeError):  # nobody asks any more
            os.write(file, str(os.waitstatus_to_exitcode(status)).encode())
        os.close(file)


def must_start_anew(environment: dict[str, str], folder: str) -> bool:
    """Whether the function would see other modules, or another interpreter, if it were started by itself."""
    read = {name: value for name, value in environment.items() if name.startswith(READ_AT_START)}
    if any(value != os.environ.get(name) for name, value in read.items() if name != "PYTHONPATH"):
        return True
    own = {name.partition(".")[0] for name in os.listdir(folder)} - {"__pycache__"}  # noqa: PTH208 - no pathlib
    return any(name.partition(".")[0] in own for name in sys.modules)


def become(environment: dict[str, str], folder: str) -> None:
    """Take the place of a process that was started with this environment in this folder."""
    os.setpgid(0, 0)  # as the server does: whoever comes first, the group can be killed from the answer on
    os.chdir(folder)
    if must_start_anew(environment, folder):
        os.execve(sys.executable, [sys.executable, "-S", "-s", "-P", BOOTSTRAP], environment)  # noqa: S606 - no shell
    inherited = os.environ["PYTHONPATH"].split(os.pathsep)
    sys.path[: len(inherited)] = environment["PYTHONPATH"].split(os.pathsep)
    set_by_the_interpreter = {name: value for name, value in os.environ.items() if name == "LC_CTYPE"}
    os.environ.clear()
    os.environ.update({**set_by_the_interpreter, **environment})


def bootstrap() -> ModuleType:
    """`function_bootstrap.py`, whose folder is not on the path of functions."""
    folder, file = os.path.split(BOOTSTRAP)
    sys.path.append(folder)
    module = importlib.import_module(file.removesuffix(".py"))
    sys.path.pop()
    return module


def main() -> None:
    connection = socket.socket(fileno=int(sys.argv[1]))
    go_on = bootstrap()
    import_all(sys.argv[2:])
    if serve(connection):
        go_on.main()


if __name__ == "__main__":
    main()

"""What a process gives up before it runs code that nobody has read. There is no way back.

Lambda gives neither root nor namespaces, and refuses system call filters, so the fence that always stands is made of:

- **resource limits**. The one that does most is `RLIMIT_NOFILE` 0: no new descriptor, so no socket (the runtime API
  on loopback), no file, nothing of /proc; what is open stays usable. `RLIMIT_FSIZE` 0, `RLIMIT_NPROC` 0, memory, CPU.
- **functions taken out of the interpreter** that act on other processes or on the file system without a descriptor
  (kill, setpriority, mkfifo, symlink …), and those that could fetch them again. ctypes is not in the process unless
  a system call filter is, and cannot be loaded: that would take a descriptor.
- **an audit hook** (PEP 578, cannot be removed) that refuses every audited action but a few harmless ones.

Where the kernel allows a system call filter, it is put around all that (`seccomp`). Where the grader runs as root, each
process becomes a user of its own in an empty folder (`leave_for`), which holds without the filter and without Python.
"""

from __future__ import annotations

import math
import os
import resource
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import BuiltinFunctionType, ModuleType
from typing import Any

# What acts outside this process without opening anything, or undoes a limit. All else of the kind needs a descriptor.
_TAKEN_OUT: dict[str, tuple[str, ...]] = {
    "posix": (
        *("kill", "killpg", "fork", "forkpty", "register_at_fork", "posix_spawn", "posix_spawnp", "execv", "execve"),
        *("setpgid", "setpgrp", "setsid", "setpriority", "nice", "system", "abort"),
        *("sched_setaffinity", "sched_setscheduler", "sched_setparam", "unshare", "setns", "pidfd_open"),
        *("mkfifo", "mknod", "mkdir", "symlink", "link", "rename", "replace", "unlink", "remove", "rmdir", "truncate"),
        *(
            "chmod",
            "fchmod",
            "lchmod",
            "fchown",
            "chown",
            "lchown",
            "utime",
            "setxattr",
            "removexattr",
            "chroot",
            "chdir",
            "sync",
        ),
        *("setuid", "setgid", "seteuid", "setegid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups"),
        *("memfd_create", "eventfd", "pipe", "pipe2", "openpty", "posix_openpt", "open", "dup", "dup2"),
    ),
    "_signal": (
        *("signal", "alarm", "setitimer", "siginterrupt", "pthread_kill", "pthread_sigmask", "raise_signal"),
        *("pidfd_send_signal", "set_wakeup_fd"),
    ),
    "resource": ("setrlimit", "prlimit"),
    "_thread": ("start_new_thread", "start_new", "start_joinable_thread"),  # an audit event since Python 3.12 only
    "_imp": ("create_builtin", "create_dynamic", "exec_dynamic", "init_frozen", "get_frozen_object"),
    "marshal": ("load", "loads"),
    "time": ("clock_settime", "clock_settime_ns", "pthread_getcpuclockid"),
}
# Modules that could do it by themselves. None is loaded on purpose, but a build of Python might bring one along.
_SETS_OF_FUNCTIONS = ("supports_dir_fd", "supports_effective_ids", "supports_fd", "supports_follow_symlinks")
_NEVER = ("_interpreters", "_posixsubprocess", "_socket", "_xxsubinterpreters", "fcntl", "mmap", "select")
_HARMLESS_EVENTS = frozenset(
    {
        *("compile", "exec", "object.__getattr__", "object.__setattr__", "object.__delattr__", "builtins.id"),
        *("sys._getframe", "sys._getframemodulename", "sys.excepthook", "sys.unraisablehook", "time.sleep"),
        *("sys.set_asyncgen_hook_firstiter", "sys.set_asyncgen_hook_finalizer"),
        *("array.__new__", "pickle.find_class", "builtins.input", "builtins.breakpoint"),
    }
)


_FIRST_USER = 0x40000000
"""Users from here on own nothing; each process takes one of 16 million at random."""


class NotPreloaded(ModuleNotFoundError):
    """Generated code imports a module that is not there."""


def limit_resources(*, cpu_seconds: float, memory_bytes: int) -> None:
    """CPU time, memory on top of what the process has now, no new files, no new processes, no core. Raises OSError."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    seconds = max(1, math.ceil(cpu_seconds))
    wanted = {
        resource.RLIMIT_AS: (pages * resource.getpagesize() + memory_bytes,) * 2,
        resource.RLIMIT_CPU: (seconds, seconds + 1),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_NPROC: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (0, 0),
    }
    for kind, (soft, hard) in wanted.items():
        _, highest = resource.getrlimit(kind)
        bound = hard if highest == resource.RLIM_INFINITY else min(hard, highest)  # only root may raise a hard limit
        resource.setrlimit(kind, (min(soft, bound), bound))


def empty_place() -> int | None:
    """A descriptor of a folder that is deleted already and that nobody may look into; None where none can be had."""
    try:
        place = tempfile.mkdtemp()
        os.chmod(place, 0)  # noqa: PTH101 (os is what the other processes are confined by, too)
        opened = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        os.rmdir(place)  # noqa: PTH106
    except OSError:
        return None
    return opened


def leave_for(place: int | None) -> bool:
    """Where this process is root: go into an empty folder and become a user of its own, for good.

    From there no path leads anywhere, and no signal, debugger or system call reaches another process, whatever
    becomes of the interpreter. False where the process is not root, or may not.
    """
    if os.geteuid() != 0 or place is None:
        return False
    try:
        with suppress(OSError, AttributeError):
            os.unshare(os.CLONE_NEWIPC)  # type: ignore[attr-defined]  # shared memory and queues of System V need no descriptor
        os.fchdir(place)
        os.chroot(".")
        os.setgroups([])
        user = _FIRST_USER + int.from_bytes(os.urandom(3))
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    except OSError:
        return False
    return True


def reachable_functions() -> list[tuple[dict[str, Any], str]]:
    """Where the functions of `_TAKEN_OUT` and all of the modules in `_NEVER` can be reached: (namespace, name).

    Found once, before the first fork: it looks at every name of every module.
    """
    taken: set[int] = set()
    for name, functions in _TAKEN_OUT.items():
        module = sys.modules.get(name)
        taken.update(id(found) for function in functions if (found := getattr(module, function, None)) is not None)
    for name in _NEVER:
        taken.update(id(value) for value in vars(sys.modules.get(name, _NOTHING)).values() if _acts(value))
    spaces = [vars(module) for module in list(sys.modules.values()) if isinstance(module, ModuleType)]
    return [(space, name) for space in spaces for name, value in list(space.items()) if id(value) in taken]


def _acts(value: object) -> bool:
    return isinstance(value, (BuiltinFunctionType, type)) and not (
        isinstance(value, type) and (issubclass(value, BaseException) or value.__module__ == "builtins")
    )


_NOTHING = ModuleType("nothing")


def take_out_functions(reachable: list[tuple[dict[str, Any], str]], *, ctypes_too: bool) -> None:
    """Remove what `reachable_functions` found, every set that holds such functions, and every way to load a module.

    `ctypes_too` False: the filter needs ctypes to be put on, and holds against it afterwards.
    """
    for space, name in reachable:
        space.pop(name, None)
    for name in _SETS_OF_FUNCTIONS:
        getattr(os, name, set()).clear()
    if ctypes_too and "_ctypes" in sys.modules:
        vars(sys.modules.pop("_ctypes")).clear()
    sys.meta_path[:] = [_NothingMore()]
    sys.path[:] = []
    sys.path_hooks[:] = []
    sys.path_importer_cache.clear()


class _NothingMore:
    """Ends every import of a module that is not loaded yet."""

    @staticmethod
    def find_spec(name: str, *_: Any) -> None:
        raise NotPreloaded(f"No module named {name!r} for generated code: it can use parts of the standard library")


def watch() -> None:
    """Refuse audited actions from here on (PEP 578): what is not known to be harmless raises PermissionError."""

    def refuse(event: str, _: tuple[Any, ...], harmless: frozenset[str] = _HARMLESS_EVENTS) -> None:
        if event == "import":
            return  # the finder above ends it, with a message
        if event not in harmless:
            raise PermissionError(f"{event} is not allowed for generated code")

    sys.addaudithook(refuse)


def close_all_but(kept: set[int]) -> None:
    """Close every descriptor but these and the standard three, which are turned to /dev/null unless kept."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in {0, 1, 2} - kept:
        os.dup2(null, standard)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 (names only, and pathlib opens nothing less)
        if int(name) > 2 and int(name) not in kept:
            try:
                os.close(int(name))
            except OSError:
                continue  # the descriptor of the listing itself

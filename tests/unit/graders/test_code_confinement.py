"""The two fences of the code grader, each by itself: what the kernel refuses, and what the filter lets through."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.in_prove import a_third_in_each_run
from tunedrop.graders.code_sandbox import confinement, seccomp

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
# Linux' own tables: what must never be reachable, by machine.
FORBIDDEN = {
    "x86_64": {
        **{"open": 2, "openat": 257, "socket": 41, "connect": 42, "fork": 57, "vfork": 58, "clone": 56, "clone3": 435},
        **{
            "execve": 59,
            "kill": 62,
            "tgkill": 234,
            "ptrace": 101,
            "process_vm_readv": 310,
            "prctl": 157,
            "setrlimit": 160,
        },
        **{"prlimit64": 302, "io_uring_setup": 425, "mkdir": 83, "unlink": 87, "setpgid": 109, "setitimer": 38},
        **{"shmget": 29, "fcntl": 72, "pidfd_open": 434, "mount": 165, "bpf": 321, "userfaultfd": 323},
    },
    "aarch64": {
        **{"openat": 56, "socket": 198, "connect": 203, "clone": 220, "clone3": 435, "execve": 221, "kill": 129},
        **{"tgkill": 131, "ptrace": 117, "process_vm_readv": 270, "prctl": 167, "setrlimit": 164, "prlimit64": 261},
        **{"io_uring_setup": 425, "mkdirat": 34, "unlinkat": 35, "setpgid": 154, "setitimer": 103, "shmget": 194},
        **{"fcntl": 25, "pidfd_open": 434, "mount": 40, "bpf": 280, "userfaultfd": 282},
    },
}
NEEDED = {
    "x86_64": {"read": 0, "write": 1, "mmap": 9, "munmap": 11, "brk": 12, "futex": 202, "exit_group": 231},
    "aarch64": {"read": 63, "write": 64, "mmap": 222, "munmap": 215, "brk": 214, "futex": 98, "exit_group": 94},
}


def verdict(machine: str, architecture: int, number: int) -> int:
    """What the kernel's interpreter of classic BPF would return for a system call."""
    data = struct.pack("<II", number, architecture)
    accumulator = position = 0
    rules = seccomp.program(machine)
    while True:
        code, if_true, if_false, operand = rules[position]
        position += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, operand)
            case 0x15:
                position += if_true if accumulator == operand else if_false
            case 0x35:
                position += if_true if accumulator >= operand else if_false
            case 0x06:
                return operand


@pytest.mark.parametrize("machine", AUDIT_ARCH)
def test_the_filter_lets_computing_through_and_nothing_that_reaches_out(machine: str) -> None:
    here = AUDIT_ARCH[machine]
    assert {name: verdict(machine, here, number) for name, number in NEEDED[machine].items()} == dict.fromkeys(
        NEEDED[machine], ALLOW
    )
    assert {name: verdict(machine, here, number) for name, number in FORBIDDEN[machine].items()} == dict.fromkeys(
        FORBIDDEN[machine], REFUSE
    )
    assert verdict(machine, here, 0x7FFFFFFF) == REFUSE


def test_the_filter_ends_a_program_of_another_architecture_and_refuses_x32_calls() -> None:
    assert verdict("x86_64", 0x40000003, 0) == KILL
    assert verdict("x86_64", AUDIT_ARCH["x86_64"], 0x40000000) == REFUSE
    with pytest.raises(OSError, match="riscv64"):
        seccomp.program("riscv64")


def _raw_socket() -> None:
    if ctypes.CDLL(None, use_errno=True).socket(2, 1, 0) == -1:
        raise OSError(ctypes.get_errno(), "socket")


def in_a_child(action: Callable[[], None]) -> int:
    """The errno that an action ends with in a process of its own; 0 where it succeeds."""
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of forking beside threads
        child = os.fork()
    if child == 0:
        try:
            action()
        except OSError as error:
            os._exit(error.errno or 255)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize(
    "opening",
    [
        Path("/proc/self/environ").read_bytes,
        lambda: os.open("/tmp/left-behind", os.O_CREAT | os.O_WRONLY),
        _raw_socket,
        os.pipe,
    ],
    ids=["proc", "file", "socket", "pipe"],
)
def test_the_kernel_alone_refuses_every_new_descriptor(opening: Callable[[], object]) -> None:
    def attempt() -> None:
        confinement.limit_resources(cpu_seconds=1, memory_bytes=64 * 1024**2)
        opening()

    assert in_a_child(attempt) == errno.EMFILE


def test_the_kernel_limits_what_may_be_written_to_a_file_that_is_open(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb", buffering=0) as file:

        def attempt() -> None:
            confinement.limit_resources(cpu_seconds=1, memory_bytes=64 * 1024**2)
            file.write(b"x")

        assert in_a_child(attempt) == errno.EFBIG


RAW_CALLS = {  # name: arguments, with the parent's number where it says PARENT
    "unlink": (b"VICTIM",),
    "mkdir": (b"VICTIM.d", 0o777),
    "truncate": (b"VICTIM", 0),
    "kill": ("PARENT", 9),
    "ptrace": (16, "PARENT", 0, 0),  # PTRACE_ATTACH
    "setuid": (0,),
    "chroot": (b"/",),
    "fork": (),
}


@pytest.mark.parametrize("call", a_third_in_each_run(RAW_CALLS))
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_without_filter_and_python_a_user_of_its_own_is_refused(call: str, tmp_path: Path) -> None:
    """What the generated code could call if it had overcome the interpreter altogether."""
    tmp_path.chmod(0o777)
    victim = tmp_path / "victim"
    victim.write_text("x", encoding="ascii")
    victim.chmod(0o666)
    parent = os.getpid()
    library = ctypes.CDLL(None, use_errno=True)
    place = confinement.empty_place()

    def attempt() -> None:
        confinement.limit_resources(cpu_seconds=1, memory_bytes=64 * 1024**2)
        if not confinement.leave_for(place):
            os._exit(254)
        arguments: list[bytes | int] = []
        for argument in RAW_CALLS[call]:
            named = {"PARENT": parent}.get(str(argument), argument)
            arguments.append(named.replace(b"VICTIM", os.fsencode(victim)) if isinstance(named, bytes) else int(named))
        if getattr(library, call)(*arguments) == -1:
            raise OSError(ctypes.get_errno(), call)

    assert in_a_child(attempt) in (errno.EPERM, errno.EACCES, errno.EAGAIN, errno.ENOENT)
    assert [path.name for path in tmp_path.iterdir()] == ["victim"]
    assert victim.read_text(encoding="ascii") == "x"
    if place is not None:
        os.close(place)


def test_the_filter_holds_against_raw_system_calls(tmp_path: Path) -> None:
    def attempt() -> None:
        seccomp.install()
        _raw_socket()

    installed = in_a_child(seccomp.install)
    if installed != 0:
        pytest.skip("this machine's kernel allows no system call filter")
    assert in_a_child(attempt) == errno.EPERM

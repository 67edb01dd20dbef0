"""A system call filter for the processes of the code grader: computing is allowed, everything else fails with EPERM.

AWS Lambda refuses to install one (prctl fails with EPERM there; reported by several projects, not measured by us), so
`confinement` must hold without it. Where the kernel allows it, it is the outer of the two fences.
Numbers: Linux' include/uapi/asm-generic/unistd.h (aarch64) and arch/x86/entry/syscalls/syscall_64.tbl.
"""

from __future__ import annotations

import ctypes
import errno
import os

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_SIGKILL = 9

# What a Python program needs that only computes and talks over descriptors it already has: (x86_64, aarch64).
_ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "nanosleep": (35, 101),
    "getpid": (39, 172),
    "exit": (60, 93),
    "uname": (63, 160),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "times": (100, 153),
    "getuid": (102, 174),
    "getgid": (104, 176),
    "geteuid": (107, 175),
    "getegid": (108, 177),
    "getppid": (110, 173),
    "sigaltstack": (131, 132),
    "gettid": (186, 178),
    "time": (201, None),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "set_robust_list": (273, 99),
    "getrandom": (318, 278),
    "rseq": (334, 293),
}
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000
"""On x86_64, numbers from here on are the x32 calls: the same kernel functions under other numbers."""

# Classic BPF: linux/bpf_common.h and linux/seccomp.h.
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_RETURN_KILL, _RETURN_ERRNO, _RETURN_ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_OFFSET_NUMBER, _OFFSET_ARCHITECTURE = 0, 4


def program(machine: str) -> list[tuple[int, int, int, int]]:
    """The filter for a machine (as in `uname -m`) as BPF instructions (code, jump if true, if false, operand).

    Raises OSError where the machine is neither x86_64 nor aarch64.
    """
    if machine not in _AUDIT_ARCH:
        raise OSError(errno.ENOSYS, f"no system call filter for {machine}; known: {', '.join(_AUDIT_ARCH)}")
    column = list(_AUDIT_ARCH).index(machine)
    numbers = [number for pair in _ALLOWED.values() if (number := pair[column]) is not None]
    refuse = (_RETURN, 0, 0, _RETURN_ERRNO | errno.EPERM)
    rules = [
        (_LOAD, 0, 0, _OFFSET_ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _RETURN_KILL),
        (_LOAD, 0, 0, _OFFSET_NUMBER),
        (_JUMP_AT_LEAST, len(numbers), 0, _X32_BIT),
    ]
    # Each equal number jumps over those that follow it and over the refusal, to the last instruction.
    rules += [(_JUMP_EQUAL, len(numbers) - position, 0, number) for position, number in enumerate(numbers)]
    return [*rules, refuse, (_RETURN, 0, 0, _RETURN_ALLOW)]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _prctl(option: int, *arguments: object) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    padded = [*arguments, *[ctypes.c_ulong(0)] * (4 - len(arguments))]
    if library.prctl(ctypes.c_int(option), *padded) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")


def forbid_inspection() -> None:
    """Make /proc/<this process>/environ, mem and the like unreadable for others of the same user. Raises OSError."""
    _prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(0))


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends. Raises OSError."""
    _prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(_SIGKILL))


def install() -> None:
    """Put the filter on this process, for good. Raises OSError where the kernel or an outer sandbox refuses."""
    rules = program(os.uname().machine)
    packed = b"".join(
        code.to_bytes(2, "little") + bytes((if_true, if_false)) + operand.to_bytes(4, "little")
        for code, if_true, if_false, operand in rules
    )
    _prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1))
    filter_program = _Program(len(rules), packed)
    _prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), ctypes.byref(filter_program))

"""The grader of the walk's job: rewards answers that hold the reference's last word, and logs the batch's shape.

Deployed for the walk alone, as a function of its own, from this very file. Text never reaches the log: only
names, types and lengths do. It also tells whether its function may install a system call filter (seccomp).
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import struct
from typing import Any

_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2  # prctl(2)
_ALLOW_ALL = struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000)  # BPF: return SECCOMP_RET_ALLOW


def shape(value: Any) -> Any:
    """`value` with its texts and numbers replaced by their types; lists by their length and first element."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return {"list of": len(value), "first": shape(value[0]) if value else None}
    return type(value).__name__


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def system_call_filter() -> str:
    """Whether a child of this process may install a filter, one that allows everything: `installed`, or the error."""
    child = os.fork()
    if child == 0:
        os._exit(_install())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return "installed" if code == 0 else f"refused: {errno.errorcode.get(code, code)}"


def _install() -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    held = ctypes.create_string_buffer(_ALLOW_ALL, len(_ALLOW_ALL))
    program = _Program(1, ctypes.addressof(held))
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(_SECCOMP, _FILTER, ctypes.byref(program), 0, 0):
        return ctypes.get_errno()
    return 0


def handler(event: Any, context: Any) -> list[dict[str, Any]]:  # noqa: ARG001 - Lambda's signature
    """The service's batch to its answers."""
    last = event[-1] if isinstance(event, list) and event else None
    ids = [each.get("id") for each in event if isinstance(each, dict)] if isinstance(event, list) else []
    told = {
        "shape": shape(event),
        "roles": [message.get("role") for message in (last or {}).get("messages", [])],
        "system_call_filter": system_call_filter(),
        "ids_differ": len(set(map(str, ids))) == len(ids),
    }
    print("BATCH " + json.dumps(told))  # noqa: T201 - the log is where the walk reads it
    return [{"id": each.get("id"), "aggregate_reward_score": _reward(each), "metrics_list": []} for each in event]


def _reward(sample: dict[str, Any]) -> float:
    reference = json.dumps(sample.get("reference_answer") or (sample.get("metadata") or {}).get("reference_answer"))
    words = reference.strip('"}').split()
    answer = json.dumps(sample.get("messages", [{}])[-1].get("content"))
    return float(bool(words) and words[-1] in answer)

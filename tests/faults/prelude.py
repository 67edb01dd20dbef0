"""Runs in a function's process before its handler: time passes faster there, jumps, and the disk can be full.

The weather file (its path in TUNEDROP_FAULTS_WEATHER) holds what is so at the moment: `speed`, seconds of the product's
clock a real second; `since`, when the two stood together; `jump` in seconds; `disk_full`.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from tunedrop import clock

WEATHER = Path(os.environ["TUNEDROP_FAULTS_WEATHER"])
SLEEP, ASYNC_SLEEP, TEMPORARY_FILE = time.sleep, asyncio.sleep, tempfile.TemporaryFile


def weather() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(WEATHER.read_text())
    return told


def now() -> datetime:
    told = weather()
    real = time.time()
    return datetime.fromtimestamp(told["since"] + (real - told["since"]) * told["speed"] + told["jump"], UTC)


def sleep(seconds: Any) -> None:
    SLEEP(seconds / weather()["speed"])


async def async_sleep(delay: float, result: Any = None) -> Any:
    return await ASYNC_SLEEP(delay / weather()["speed"] if delay > 0 else delay, result)


def temporary_file(*arguments: Any, **more: Any) -> Any:
    if weather()["disk_full"]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return TEMPORARY_FILE(*arguments, **more)


def functions_of(module: ModuleType) -> Iterator[FunctionType]:
    """The functions that a module defines, those of its classes among them."""
    for each in vars(module).values():
        if isinstance(each, type | FunctionType) and each.__module__ == module.__name__:
            yield from (own for own in (each, *vars(each).values()) if isinstance(own, FunctionType))


def own_sleep(value: Any) -> Any:
    """`value`, or what takes the place of a sleep."""
    return sleep if value is SLEEP else async_sleep if value is ASYNC_SLEEP else value


clock.now = now
time.sleep = sleep
for module in list(sys.modules.values()):  # asyncio, and what took a name or a default before the fork
    if vars(module).get("sleep") is ASYNC_SLEEP:
        vars(module)["sleep"] = async_sleep
    if module.__name__.startswith("tunedrop."):
        for function in functions_of(module):
            given, by_name = function.__defaults__, function.__kwdefaults__
            function.__defaults__ = given and tuple(map(own_sleep, given))
            function.__kwdefaults__ = by_name and {name: own_sleep(value) for name, value in by_name.items()}
tempfile.TemporaryFile = temporary_file

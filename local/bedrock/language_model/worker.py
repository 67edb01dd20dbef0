"""One process of the language model: JSON objects, one a line, by its standard input and output."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

Message = dict[str, Any]
_LONGEST_LINE = 2**27  # a step's rollouts in one line
_REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Environment:
    """Where the language model's processes come from."""

    python: str
    """The Python that has torch, transformers, TRL and PEFT."""
    weights: str
    """A .gguf file, a folder of transformers, or a package."""
    kept: Path
    """Where weights that were read from GGUF are kept."""
    program: tuple[str, ...] = ("-m", "local.language_model")


class Worker:
    """A started process. It ends with whoever holds it: it stops when its standard input closes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, environment: Environment, words: Sequence[str], log: Path) -> Worker:
        """Start the process with these words; what it prints goes to `log`."""
        # A model does not write faster on twice the threads that there are cores.
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                environment.python,
                *environment.program,
                *words,
                "--weights",
                environment.weights,
                "--kept",
                str(environment.kept),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                cwd=_REPOSITORY,
                env={**os.environ, "PYTHONPATH": str(_REPOSITORY)},
                limit=_LONGEST_LINE,
            )
        return cls(process)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    async def say(self, message: Message) -> None:
        """Send a message. Raises ConnectionError when the process has ended."""
        stdin = self._process.stdin
        if stdin is None or stdin.is_closing():
            raise ConnectionError("the process has ended")
        stdin.write(orjson.dumps(message) + b"\n")
        await stdin.drain()

    async def heard(self) -> AsyncIterator[Message]:
        """Each message of the process until it ends; a line that is cut off by its end is passed over."""
        stdout = self._process.stdout
        while stdout is not None and (line := await stdout.readline()):
            try:
                message: Message = orjson.loads(line)
            except orjson.JSONDecodeError:
                return
            yield message

    async def ended(self) -> str:
        """Wait for the process's end; how it ended, in words."""
        code = await self._process.wait()
        if code >= 0:
            return f"with code {code}"
        return f"by {signal.Signals(-code).name}"

    async def kill(self) -> None:
        """End the process at once."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

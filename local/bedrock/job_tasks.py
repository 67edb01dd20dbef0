"""The tasks in which jobs run: one a job, in the process's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine


class JobTasks:
    """Starts `run(name)` for jobs by name, and stops it."""

    def __init__(self, run: Callable[[str], Coroutine[None, None, None]]) -> None:
        self._run = run
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str) -> None:
        """Run a job in a task of its own."""
        task = asyncio.get_running_loop().create_task(self._run(name), name=name)
        self._tasks[name] = task
        # One that was stopped ends later, perhaps when another has been started for the same job.
        task.add_done_callback(lambda done: self._tasks.pop(name) if self._tasks.get(name) is done else None)

    def stop(self, name: str) -> None:
        """Stop a job's task, if it has one; its record is left as it is."""
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()

    async def stop_all(self) -> None:
        """Stop all tasks; their jobs are left as they are, to go on in the next process."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

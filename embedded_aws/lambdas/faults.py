"""What can be made to go wrong with invocations, on purpose: refusals before the handler, other endings after it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from embedded_aws.lambdas.configuration import FunctionConfiguration
from embedded_aws.lambdas.errors import InvokeRefused, Outcome
from embedded_aws.lambdas.process import Invocation

Before = Callable[[FunctionConfiguration, Invocation], None]
"""Called before the handler runs; may wait, or raise InvokeRefused."""

After = Callable[[FunctionConfiguration, Invocation, Outcome], Outcome]
"""Called after the handler ran; what it returns is what the caller gets."""


@dataclass(slots=True)
class _Hook:
    function_name: str
    remaining: int
    before: Before | None = None
    after: After | None = None


class LambdaFaults:
    """The faults that wait for an invocation. Each applies to the next `times` invocations of its function."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hooks: list[_Hook] = []

    def before(self, function_name: str, hook: Before, *, times: int = 1) -> None:
        """Runs `hook` before the handler."""
        with self._lock:
            self._hooks.append(_Hook(function_name, times, before=hook))

    def after(self, function_name: str, hook: After, *, times: int = 1) -> None:
        """Runs `hook` after the handler: the work is done, its answer may become another."""
        with self._lock:
            self._hooks.append(_Hook(function_name, times, after=hook))

    def refuse(self, function_name: str, refusal: InvokeRefused, *, times: int = 1) -> None:
        """The API refuses the next invocations: a throttle, or an error of the service."""

        def hook(_: FunctionConfiguration, __: Invocation) -> None:
            raise refusal

        self.before(function_name, hook, times=times)

    def answer(self, function_name: str, outcome: Outcome, *, times: int = 1) -> None:
        """The handler runs to its end, but its caller gets `outcome`: a lost answer."""
        self.after(function_name, lambda _, __, ___: outcome, times=times)

    def clear(self) -> None:
        with self._lock:
            self._hooks.clear()

    def run_before(self, configuration: FunctionConfiguration, invocation: Invocation) -> None:
        for hook in self._due(configuration.name, lambda hook: hook.before is not None):
            if hook.before is not None:
                hook.before(configuration, invocation)

    def run_after(self, configuration: FunctionConfiguration, invocation: Invocation, outcome: Outcome) -> Outcome:
        for hook in self._due(configuration.name, lambda hook: hook.after is not None):
            if hook.after is not None:
                outcome = hook.after(configuration, invocation, outcome)
        return outcome

    def _due(self, function_name: str, wanted: Callable[[_Hook], bool]) -> list[_Hook]:
        if not self._hooks:
            return []
        with self._lock:
            due = [hook for hook in self._hooks if hook.function_name == function_name and wanted(hook)]
            for hook in due:
                hook.remaining -= 1
            self._hooks = [hook for hook in self._hooks if hook.remaining > 0]
        return due

"""How long a state machine waits: before it tries a state again, and in its Wait states."""

from __future__ import annotations

import time
from typing import Any

from moto.stepfunctions.parser.asl.component.common.retry.jitter_strategy_decl import JitterStrategyDecl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction

from embedded_aws.moto_patches.hooks import Hooks
from embedded_aws.moto_patches.replacement import Replace

STOP_NOTICED_SECONDS = 0.5
"""After how long a state that waits notices at the latest that its execution was stopped."""


def wait_for_retries(replace: Replace, hooks: Hooks) -> None:
    """moto sleeps through the delay before a retry, so that a stopped execution's thread goes on sleeping; nor can
    a test have it shorter."""
    factor = hooks.retry_delay_factor

    def jitter(strategy: Any, environment: Any) -> None:
        original(strategy, environment)
        _wait(environment, environment.stack.pop() * factor)
        environment.stack.append(0)  # which is left for moto to sleep

    # The last that is evaluated before the delay, with the delay on the stack.
    original = replace(JitterStrategyDecl, "_eval_body", jitter)


def shorten_waits(replace: Replace, hooks: Hooks) -> None:
    """moto waits in real time; a test of many runs steps through their Wait states."""
    factor = hooks.wait_factor

    def wait(_: Any, env: Any, wait_seconds: float) -> None:
        _wait(env, wait_seconds * factor)

    if factor != 1.0:
        replace(WaitFunction, "_wait_interval", wait)


def _wait(environment: Any, seconds: float) -> None:
    """Waits, in the machine's thread, for as long as the execution runs."""
    until = time.monotonic() + seconds
    while environment.is_running() and (remaining := until - time.monotonic()) > 0:
        environment.program_state_event.wait(min(remaining, STOP_NOTICED_SECONDS))

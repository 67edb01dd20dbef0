"""What all tests share: what they measure is printed at the end, and no property test fails by the clock."""

from __future__ import annotations

import functools
import gc
import sys
from collections.abc import Callable
from typing import Any

import botocore.hooks
import botocore.session
import botocore.useragent
import httpcore2
import pytest
from _pytest.terminal import TerminalReporter  # what the hook below is given; pytest itself exports no such name
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

import tunedrop.openai_sdk  # noqa: F401 - the tests' openai, too, loads no type that nobody asks for

# A loaded machine is no fault of the code: no example has a deadline, and none is given up because it was made slowly.
# `make test` draws a few examples of each property, `make prove` (--hypothesis-profile=prove) many and longer ones.
for profile, examples, steps in (("test", 25, 20), ("prove", 400, 50)):
    settings.register_profile(
        profile,
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("test")

# hypothesis draws some values from the code's constants, and reads all modules for that: in `make prove` alone.
NO_CONSTANTS = Constants()

# Every test has a session of boto3 of its own; they share what botocore reads from files, its names of events, and what
# it makes of the words by which a client is known, letter by letter for each request.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)
botocore.useragent.sanitize_user_agent_string_component = functools.cache(
    botocore.useragent.sanitize_user_agent_string_component
)
# The openai SDK reads the machine's certificate authorities for each client, and no test asks a server by TLS.
httpcore2.default_ssl_context = functools.cache(httpcore2.default_ssl_context)
_NAMES_OF_EVENTS: dict[str, str] = {}
_alias_events = botocore.hooks.EventAliaser.__init__


def _alias_events_once(aliaser: Any, *args: Any, **kwargs: Any) -> None:
    _alias_events(aliaser, *args, **kwargs)
    aliaser._alias_name_cache = _NAMES_OF_EVENTS


botocore.hooks.EventAliaser.__init__ = _alias_events_once  # type: ignore[method-assign,assignment]

# Thousands of tests are objects that live to the end: the garbage collector need not look at them again and again. What
# the tests leave is looked at once a worker has made ten million objects more than it has freed, and when it ends.
gc.disable()
ALLOCATIONS_BETWEEN_LOOKS = 10_000_000


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
    gc.set_threshold(ALLOCATIONS_BETWEEN_LOOKS)


def pytest_unconfigure() -> None:
    """Look once for what was left open. pytest does so five times after this; by then there is nothing to look at."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if worker := getattr(config, "workerinput", None):  # of xdist
        from tests.workers import FromItsOwnPlace

        place = FromItsOwnPlace(int(worker["workerid"].removeprefix("gw")), worker["workercount"])
        config.pluginmanager.register(place)
    if settings.get_current_profile_name() == "test":
        providers._get_local_constants = lambda: NO_CONSTANTS
    if "coverage" in sys.modules:  # `make coverage`
        from tests.measured_workers import let_idle_workers_end

        let_idle_workers_end()


MEASURED = "measured"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With --dist loadscope a worker takes a file at a time, or a folder whose tests share a stack."""
    from tests.workers import ByUnit

    return ByUnit(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--keep-permissions",
        action="store_true",
        help="write what the runs ask for into tests/data/permissions/needed.jsonl (then: python -m "
        "checks.permissions_page)",
    )


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Tell a figure, in a sentence that names the machine's part in it."""

    def tell(sentence: str) -> None:
        record_property(MEASURED, sentence)

    return tell


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """A test's properties travel from xdist's workers; what they print does not."""
    told = [
        str(value)
        for report in terminalreporter.stats.get("passed", [])
        for name, value in getattr(report, "user_properties", [])
        if name == MEASURED
    ]
    if told:
        terminalreporter.section(MEASURED)
        for sentence in told:
            terminalreporter.write_line(sentence)

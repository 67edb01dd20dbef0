"""What all tests share: what they measure is printed at the end, and no property test fails by the clock."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from _pytest.terminal import TerminalReporter  # what the hook below is given; pytest itself exports no such name
from hypothesis import HealthCheck, settings

from embedded_aws import waiting

# A loaded machine is no fault of the code: no example has a deadline, and none is given up because it was made slowly.
# `make test` draws a few examples of each property, `make prove` (--hypothesis-profile=prove) many.
for profile, examples in (("test", 25), ("prove", 400)):
    settings.register_profile(
        profile, max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
settings.load_profile("test")

MEASURED = "measured"


def pytest_configure(config: pytest.Config) -> None:
    """What waits gives up before pytest ends the test, and says what it waited for: with more time it waits longer."""
    limit = float(config.getoption("timeout") or config.getini("timeout") or 0)
    if limit:
        waiting.patience_seconds = 0.75 * limit


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

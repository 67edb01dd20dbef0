"""What tests measure is printed at the end of the run, whichever process measured it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from _pytest.terminal import TerminalReporter  # what the hook below is given; pytest itself exports no such name

MEASURED = "measured"


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

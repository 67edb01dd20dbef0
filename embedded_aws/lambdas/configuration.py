"""What a function's version is made of: everything that decides which process may run it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FunctionConfiguration:
    """One version of a function as it was published, or `$LATEST` as it is now.

    Two equal configurations may share a process; after any change the old processes are not used again.
    """

    name: str
    version: str
    arn: str
    """The function's ARN without a qualifier."""
    role: str
    handler: str
    timeout_seconds: float
    memory_mb: int
    environment: tuple[tuple[str, str], ...]
    task_root: Path
    layers: tuple[Path, ...]
    """The layers' folders in the order of the configuration: a later one hides files of an earlier one, as in /opt."""
    log_group: str
    log_format: str
    """`Text` or `JSON`, as LoggingConfig has it."""
    reserved_concurrency: int | None = None

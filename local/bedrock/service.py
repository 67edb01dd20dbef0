"""All that the routes share: one process, one Region, one state folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from local.bedrock.faults import Faults
from local.bedrock.grading import Invoke
from local.bedrock.models import Models
from local.bedrock.records import Records
from local.bedrock.response_store import ResponseStore
from local.bedrock.rows import RowBook
from local.bedrock.simulated_model import SimulatedModel
from local.bedrock.switches import Switches


@dataclass
class Service:
    """The parts of the local Bedrock, made from its records and switches."""

    region: str
    account: str
    records: Records
    switches: Switches
    invoke: Invoke
    function_exists: Callable[[str], Awaitable[bool]]
    read_object: Callable[[str, str], Awaitable[bytes]]  # (S3 URI, Region); raises FileNotFoundError
    calls: Counter[str] = field(default_factory=Counter)  # by action: calls that reached their handler

    def __post_init__(self) -> None:
        self._build()

    def forget(self) -> None:
        """Be as at the very first start: nothing known, every switch at its default."""
        self.records.forget()
        for name, value in Switches().to_json().items():
            setattr(self.switches, name, value)
        self.calls.clear()
        self._build()

    def _build(self) -> None:
        self.responses = ResponseStore(self.records)
        self.rows = RowBook(self.records)
        self.model = SimulatedModel(self.rows)
        self.models = Models(self.records, self.switches, region=self.region, account=self.account)
        self.faults = Faults(self.switches)

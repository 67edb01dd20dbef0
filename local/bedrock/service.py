"""All that the routes share: one process, one Region, one state folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from local.bedrock.asked_settings import AskedSettings
from local.bedrock.caller_rights import CallerRights
from local.bedrock.engine import Engine
from local.bedrock.faults import Faults
from local.bedrock.grading import Invoke
from local.bedrock.models import Models
from local.bedrock.records import Records
from local.bedrock.response_store import ResponseStore
from local.bedrock.rows import RowBook
from local.bedrock.simulated_engine import Simulation
from local.bedrock.switches import Switches


@dataclass
class Service:
    """The parts of the local Bedrock, made from its records and switches."""

    region: str
    account: str
    records: Records
    switches: Switches
    invoke: Callable[[str, bytes, str | None], Awaitable[bytes]]
    """Function's ARN, payload, access key of whose rights are used (None: everybody's) → answer; raises GraderFailed"""
    rights: CallerRights
    function_exists: Callable[[str], Awaitable[bool]]
    read_object: Callable[[str, str, str | None], Awaitable[bytes]]
    """S3 URI, Region, access key as for `invoke` → bytes; raises FileNotFoundError"""
    real_engine: Engine | None = None
    """What answers and trains in place of the simulation."""
    calls: Counter[str] = field(default_factory=Counter)  # by action: calls that reached their handler
    asked: AskedSettings = field(default_factory=AskedSettings)

    def __post_init__(self) -> None:
        self._build()

    def invoke_as(self, access_key: str | None) -> Invoke:
        """How a grader is invoked with the rights of the holder of an access key."""

        async def invoke(arn: str, payload: bytes) -> bytes:
            return await self.invoke(arn, payload, access_key)

        return invoke

    def forget(self) -> None:
        """Be as at the very first start: nothing known, every switch at its default."""
        self.records.forget()
        for name, value in Switches().to_json().items():
            setattr(self.switches, name, value)
        self.calls.clear()
        self.asked.clear()
        self._build()

    def _build(self) -> None:
        self.responses = ResponseStore(self.records)
        self.rows = RowBook(self.records)
        self.engine: Engine = self.real_engine or Simulation(self.rows, self.switches)
        self.models = Models(self.records, self.switches, self.engine, region=self.region, account=self.account)
        self.faults = Faults(self.switches)

"""What the template tells the API's functions beside what every function knows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from tunedrop.teams import Teams


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """`api_table` keeps idempotency keys and validations; `team_run_quota`: how many active runs a team may have."""

    api_table: str
    pipeline_arn: str
    validation_function: str
    promote_function: str
    team_run_quota: int
    teams: Teams

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> ApiSettings:
        """Read the settings. Raises KeyError where a variable is not set, TeamsInvalid where the mapping is none."""
        variables = os.environ if environment is None else environment
        return cls(
            api_table=variables["API_TABLE"],
            pipeline_arn=variables["PIPELINE_ARN"],
            validation_function=variables.get("VALIDATION_FUNCTION", ""),
            promote_function=variables.get("PROMOTE_FUNCTION", ""),
            team_run_quota=int(variables.get("TEAM_RUN_QUOTA", "0")),
            teams=Teams.from_environment(variables),
        )

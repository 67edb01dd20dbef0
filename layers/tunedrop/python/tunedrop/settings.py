"""What the template tells a function through its environment, read once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from tunedrop.catalog import is_simulated, mantle_base_url

LIST_LAG_SECONDS = 12.0
"""How far Bedrock's list of jobs is assumed to lag behind at the most. UNCONFIRMED: AWS's notebooks only say that lists
are less accurate than a retrieve. Looking for a job that may have been made goes on for this long."""

BEDROCK_AUTH = "BEDROCK_AUTH"
"""How requests to the OpenAI-compatible endpoint are authorised: `bearer`, or `sigv4`."""
SIGNED = "sigv4"
BEDROCK_PROJECT = "BEDROCK_PROJECT"


def project_of(told: str) -> str | None:
    """The project that a request names (header OpenAI-Project); the account's default one is named by no header."""
    return told if told not in ("", "default") else None


class SettingMissing(Exception):
    """The function was deployed without an environment variable that it needs."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of a function, as `template.yaml` sets it. Durations in seconds."""

    region: str
    runs_table: str
    training_events_table: str
    dataset_bucket: str
    runs_bucket: str
    mantle_base_url: str
    settle_seconds: int
    first_poll_seconds: int
    later_poll_seconds: int
    graders: Mapping[str, str]
    allowed_graders: tuple[str, ...]
    pipeline_arn: str
    aftermath_arn: str
    training_role_arn: str
    nova_model_key: str
    """ARN of the KMS key that encrypts tuned models of Nova; empty for a key of AWS's."""
    nova_vpc: str
    """Where jobs of Nova train: `<subnet>,<subnet>;<security group>`, as NovaVpc bounds it; empty for no VPC."""
    api_key_secret: str
    signs_requests: bool
    """Whether requests to Bedrock's OpenAI-compatible endpoint are signed, and no bearer token is sent."""
    project: str | None
    """The Bedrock project that files, jobs and questions belong to; None for the account's default one."""
    api_table: str
    team_run_quota: int
    """How many active runs a team may have; 0 for any number."""
    tokens_per_minute: int
    """What all evaluations of the stack may ask of the models in a minute, together; 0 for no bound."""
    jobs_at_once: int
    """How many runs train at once; 0 for as many as the service takes."""
    list_lag_seconds: float
    weights: Mapping[str, str] | None
    """`name` and `licence` of the language model of this machine that trains in Bedrock's place; None on AWS."""
    parameter_path: str
    """Below it lie the SSM parameters that the pipeline's role may write: `/tunedrop/<stack>`."""

    @property
    def simulated(self) -> bool:
        """Whether what trains and answers is a simulation, so that its numbers must be labelled."""
        return self.weights is None and is_simulated(self.mantle_base_url)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; variables that only some functions get are empty in the others.

        Raises:
            SettingMissing: a variable that every function has is not set; names it.
        """
        variables = os.environ if environment is None else environment

        def needed(name: str) -> str:
            try:
                return variables[name]
            except KeyError:
                raise SettingMissing(f"environment variable {name} is not set; deploy with template.yaml") from None

        region = needed("AWS_REGION")
        return cls(
            region=region,
            runs_table=needed("RUNS_TABLE"),
            training_events_table=needed("TRAINING_EVENTS_TABLE"),
            dataset_bucket=needed("DATASET_BUCKET"),
            runs_bucket=needed("RUNS_BUCKET"),
            mantle_base_url=mantle_base_url(region, variables.get("MANTLE_BASE_URL", "")),
            settle_seconds=int(needed("SETTLE_SECONDS")),
            first_poll_seconds=int(needed("FIRST_POLL_SECONDS")),
            later_poll_seconds=int(needed("LATER_POLL_SECONDS")),
            graders=json.loads(variables.get("GRADERS", "{}")),
            allowed_graders=tuple(filter(None, variables.get("ALLOWED_GRADERS", "").split(","))),
            pipeline_arn=variables.get("PIPELINE_ARN", ""),
            aftermath_arn=variables.get("AFTERMATH_ARN", ""),
            training_role_arn=variables.get("TRAINING_ROLE_ARN", ""),
            nova_model_key=variables.get("NOVA_MODEL_KEY", ""),
            nova_vpc=variables.get("NOVA_VPC", ""),
            api_table=variables.get("API_TABLE", ""),
            team_run_quota=int(variables.get("TEAM_RUN_QUOTA", "0")),
            tokens_per_minute=int(variables.get("TOKENS_PER_MINUTE", "0")),
            jobs_at_once=int(variables.get("JOBS_AT_ONCE", "0")),
            api_key_secret=variables.get("BEDROCK_API_KEY_SECRET", ""),
            signs_requests=variables.get(BEDROCK_AUTH) == SIGNED,
            project=project_of(variables.get(BEDROCK_PROJECT, "")),
            list_lag_seconds=float(variables.get("LIST_LAG_SECONDS", LIST_LAG_SECONDS)),
            weights=json.loads(variables.get("LANGUAGE_MODEL", "null")),
            parameter_path=needed("PARAMETER_PATH"),
        )

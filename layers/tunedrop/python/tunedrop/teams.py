"""Whose a run is: the team of a caller, of a dropped dataset, and what a team may read.

The mapping is the template's parameter `Teams`, JSON by team:

    {"research": {"callers": ["arn:aws:iam::123456789012:role/research-*"],
                  "names": ["research-"],
                  "datasets": ["s3://research-data/rft/"]}}

`callers` are ARNs of IAM users and roles (of a role's session the role's), `*` standing for any text; `names` the
prefixes of dropped datasets' names; `datasets` what its runs may be made from beside its own uploads and drops;
`approvers` are those of its callers, as such ARNs, who alone may approve its promotions; `approval` says about which of
them one is asked: `"always"`, or `{"below": 0.05, "guard_rails": true}` (`ApprovalRule`). An empty mapping is one team,
`default`, of everyone whom the API lets in.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT = "default"
"""The one team of a stack without a mapping."""

TEAM_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
"""It is part of S3 keys, so it is kept plain; at most 32 characters."""

_SESSION = re.compile(r"(arn:[a-z-]+):sts::(\d{12}):assumed-role/([^/]+)/.*")
_LISTS = ("callers", "names", "datasets", "approvers")
_FIELDS = {*_LISTS, "approval"}
_ALWAYS = "always"


class TeamsInvalid(Exception):
    """The mapping of teams cannot be read; names the team and the field."""


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """When an approver is asked about a promotion (`run.approval` says exactly when).

    `below`: where the improvement may be less than this share of the grader's range of rewards; 0 is no such figure.
    `guard_rails`: where a guard rail moved without being broken.
    """

    below: float = 0.0
    guard_rails: bool = False


@dataclass(frozen=True, slots=True)
class Team:
    """One team. `callers` and `approvers` are patterns, `names` and `datasets` prefixes.

    `approval` is None where an approver is asked about every promotion.
    """

    name: str
    callers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    approval: ApprovalRule | None = None

    def lets_approve(self, user_arn: str) -> bool:
        """Whether an IAM user or a role's session is one of the approvers."""
        return any(_matches(pattern, principal_arn(user_arn)) for pattern in self.approvers)


class Teams:
    """The teams of a stack, in the mapping's order: the first one that knows a caller is the caller's."""

    def __init__(self, teams: tuple[Team, ...], *, mapped: bool = True) -> None:
        self._teams = teams
        self.mapped = mapped
        """Whether the stack has a mapping."""

    @classmethod
    def parse(cls, text: str) -> Teams:
        """The teams in the parameter's JSON.

        Raises:
            TeamsInvalid: no JSON object of teams with lists of text.
        """
        try:
            document = json.loads(text or "{}")
        except ValueError as error:
            raise TeamsInvalid(f"Teams: expected JSON, got {text[:60]!r} ({error})") from None
        if not isinstance(document, dict):
            raise TeamsInvalid(f"Teams: expected an object of teams, got {type(document).__name__}")
        if not document:
            return cls((Team(DEFAULT, ("*",), ("",), ("s3://",)),), mapped=False)
        return cls(tuple(_team(name, fields) for name, fields in document.items()))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Teams:
        """The teams in the variable TEAMS, which the template sets from its parameter. Raises TeamsInvalid."""
        return cls.parse((os.environ if environment is None else environment).get("TEAMS", ""))

    def of_caller(self, user_arn: str) -> Team | None:
        """The team of an IAM user or of a role's session; None where no team knows it."""
        arn = principal_arn(user_arn)
        for team in self._teams:
            if any(_matches(pattern, arn) for pattern in team.callers):
                return team
        return None

    def called(self, name: str | None) -> Team | None:
        """The team of this name; None where there is none."""
        return next((team for team in self._teams if team.name == name), None)

    def promotion_path(self, stack_path: str, name: str | None) -> str:
        """Below which path the runs of a team promote: its own, where the stack has a mapping; `-` for no team."""
        return f"{stack_path}/{name or '-'}" if self.mapped else stack_path

    def of_dataset_name(self, name: str) -> str | None:
        """The name of the team whose longest prefix a dropped dataset's name has; None where there is none."""
        found = [(len(prefix), team.name) for team in self._teams for prefix in team.names if name.startswith(prefix)]
        return max(found, key=lambda each: each[0])[1] if found else None


def principal_arn(user_arn: str) -> str:
    """The ARN of the role for one of its sessions (whose name its holder chooses); any other ARN as it is."""
    session = _SESSION.fullmatch(user_arn)
    return f"{session[1]}:iam::{session[2]}:role/{session[3]}" if session else user_arn


def _team(name: str, fields: Any) -> Team:
    if TEAM_NAME.fullmatch(name) is None:
        raise TeamsInvalid(f"Teams: expected a team's name of 1 to 32 characters of a-z, 0-9 and -, got {name!r}")
    if not isinstance(fields, dict) or not fields.keys() <= _FIELDS:
        raise TeamsInvalid(f"Teams: {name}: expected an object with {', '.join(sorted(_FIELDS))}, got {fields!r}")
    values: dict[str, tuple[str, ...]] = {}
    for field in _LISTS:
        value = fields.get(field, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise TeamsInvalid(f"Teams: {name}.{field}: expected a list of texts, got {value!r}")
        values[field] = tuple(value)
    for uri in values["datasets"]:
        if not uri.startswith("s3://"):
            raise TeamsInvalid(f"Teams: {name}.datasets: expected s3://bucket/prefix, got {uri!r}")
    if "approval" in fields and not values["approvers"]:
        raise TeamsInvalid(f"Teams: {name}.approval: expected only beside {name}.approvers, of whom one is asked")
    return Team(name, **values, approval=_approval(name, fields.get("approval", _ALWAYS)))


def _approval(name: str, value: Any) -> ApprovalRule | None:
    if value == _ALWAYS:
        return None
    where = f"Teams: {name}.approval"
    if not isinstance(value, dict) or not value or not value.keys() <= {"below", "guard_rails"}:
        raise TeamsInvalid(f'{where}: expected "always" or an object with below, guard_rails or both, got {value!r}')
    below, guard_rails = value.get("below"), value.get("guard_rails", False)
    number = isinstance(below, (int, float)) and not isinstance(below, bool)
    if "below" in value and (not number or below is None or not 0 < below <= 1):
        raise TeamsInvalid(
            f"{where}.below: expected a share of the grader's range of rewards, above 0 and at most 1, got {below!r}"
        )
    if not isinstance(guard_rails, bool):
        raise TeamsInvalid(f"{where}.guard_rails: expected true or false, got {guard_rails!r}")
    if below is None and not guard_rails:
        raise TeamsInvalid(
            f'{where}: expected a figure in below, or "guard_rails": true, got {value!r}, which never asks'
        )
    return ApprovalRule(float(below or 0), guard_rails)


def _matches(pattern: str, arn: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), arn) is not None

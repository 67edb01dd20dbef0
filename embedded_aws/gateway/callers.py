"""Whose access keys there are on one machine: IAM users, sessions of roles, and the developer's own."""

from __future__ import annotations

from dataclasses import dataclass

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone with credentials. `user_arn` is what the function gets as `requestContext.identity.userArn`."""

    access_key: str
    secret_key: str
    session_token: str | None
    user_arn: str
    user_id: str
    account: str

    @property
    def principal_arn(self) -> str:
        """`aws:PrincipalArn`: for a session of a role the role's own ARN."""
        if ":assumed-role/" not in self.user_arn:
            return self.user_arn
        role = self.user_arn.partition(":assumed-role/")[2].split("/")[0]
        return f"arn:aws:iam::{self.account}:role/{role}"


def developer(account: str) -> Caller:
    """Whoever works with a running stack, by the key that its owner prints."""
    return Caller("local", "local", None, f"arn:aws:iam::{account}:user/developer", "AIDADEVELOPER", account)


def find(access_key: str, account: str) -> Caller | None:
    """The one whom the access key belongs to, as IAM and STS of this machine know it."""
    for role in sts_backends[account]["aws"].assumed_roles:
        if role.access_key_id == access_key:
            return Caller(access_key, role.secret_access_key, role.session_token, role.arn, role.user_id, account)
    for user in iam_backends[account]["aws"].users.values():
        for key in user.access_keys:
            if key.access_key_id == access_key and key.status == "Active":
                return Caller(access_key, key.secret_access_key, None, user.arn, user.id, account)
    own = developer(account)
    return own if access_key == own.access_key else None

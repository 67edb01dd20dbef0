"""What the changes to moto are tied to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from embedded_aws.deployed_stack import DeployedStack
from embedded_aws.lambdas.service import Answer
from embedded_aws.mail import Mail
from embedded_aws.permissions.enforcement import Permissions
from embedded_aws.s3.signers import FindSigner


@dataclass(frozen=True, slots=True)
class Hooks:
    """What moto is tied to: the parts of the embedded AWS that take over."""

    region: str
    stacks: Callable[[], Mapping[str, DeployedStack]]
    """What has been deployed, by the stack's name."""
    deploy: Callable[[str, str, Mapping[str, str]], DeployedStack]
    """A new stack's name, its template, its parameters → what has been deployed. Raises ValueError: why not."""
    find_signer: FindSigner
    """Whose access key has signed a link or a form."""
    client: Callable[[str, str], Any]
    """Service and role ARN → the boto3 client with which a state machine of that role calls."""
    call_api: Callable[[Mapping[str, Any], str], requests.Response]
    """A state's arguments for `apigateway:invoke` and its role's ARN → what the API answers."""
    invoke: Callable[[Any, str | None, Mapping[str, str], str | bytes], Answer]
    """moto's function, the qualifier, the request's headers, its body → the answer. Raises InvokeRefused."""
    invoke_later: Callable[[Any, str | bytes], None]
    object_event: Callable[[Any, str, Any], None]
    """moto's bucket, the event's name, moto's key."""
    rule_event: Callable[[Any, Mapping[str, Any]], None]
    """moto's rule, the event that PutEvents brought."""
    execution_changed: Callable[[Any], None]
    """moto's execution, whose status has just changed."""
    retry_delay_factor: float
    """What the delays before a state's retries are multiplied with."""
    wait_factor: float
    """What the seconds of Wait states are multiplied with."""
    called: Callable[[str, Any], None]
    """The action and moto's request. Raises CallRefused."""
    permissions: Permissions
    mail: Mail

"""IAM authorization of a REST API: the signature, then the API's resource policy."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from embedded_aws.gateway import caller_policy, callers, signature
from embedded_aws.gateway.proxy_event import Api, Request, Response, gateway_error
from embedded_aws.gateway.routes import Route
from embedded_aws.permissions.enforcement import Permissions


class Refused(Exception):
    """The gateway answers by itself, with `response`: the function behind the route is not asked, or gave no answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.body.decode())
        self.response = response


class IamAuthorizer:
    """Lets in who has signed the request and whom the resource policy does not keep out."""

    def __init__(self, api: Api, policy: str | None, permissions: Permissions) -> None:
        self._api = api
        self._policy = policy
        self._permissions = permissions

    def __call__(self, request: Request, route: Route) -> Mapping[str, Any]:
        """The caller, as fields of `requestContext.identity`. Raises Refused."""
        if route.authorization == "NONE":
            return {}
        caller = self._caller(request)
        api = self._api
        resource = f"arn:aws:execute-api:{api.region}:{api.account}:{api.id}/{api.stage}/{request.method}{request.path}"
        identity = self._permissions.identity(self._permissions.principal(caller.access_key))
        decision = caller_policy.decision(
            self._policy, caller, resource=resource, account=api.account, identity=identity
        )
        if not decision.allowed:
            masked = resource.replace(api.account, f"********{api.account[-4:]}")
            message = f"User: {caller.user_arn} is not authorized to perform: execute-api:Invoke on resource: {masked}"
            because = " with an explicit deny" if decision.explicit else ""
            raise Refused(gateway_error(403, f"{message}{because}", "AccessDeniedException", "ACCESS_DENIED"))
        return {
            "accessKey": caller.access_key,
            "accountId": caller.account,
            "caller": caller.user_id,
            "user": caller.user_id,
            "userArn": caller.user_arn,
        }

    def _caller(self, request: Request) -> callers.Caller:
        try:
            signed = signature.read(request)
        except signature.Malformed as error:
            raise Refused(
                gateway_error(403, str(error), "IncompleteSignatureException", "INVALID_SIGNATURE")
            ) from error
        if signed is None:
            raise Refused(
                gateway_error(
                    403,
                    "Missing Authentication Token",
                    "MissingAuthenticationTokenException",
                    "MISSING_AUTHENTICATION_TOKEN",
                )
            )
        caller = callers.find(signed.access_key, self._api.account)
        token = request.header("X-Amz-Security-Token") or ""
        if caller is None or not hmac.compare_digest(token.encode(), (caller.session_token or "").encode()):
            message = "The security token included in the request is invalid."
            raise Refused(gateway_error(403, message, "UnrecognizedClientException", "ACCESS_DENIED"))
        path = f"/{self._api.stage}{request.path}"
        try:
            signature.check(request, signed, path=path, secret_key=caller.secret_key, region=self._api.region)
        except signature.Expired as error:
            raise Refused(gateway_error(403, str(error), "InvalidSignatureException", "EXPIRED_TOKEN")) from error
        except signature.Mismatch as error:
            message = (
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                f"Access Key and signing method. ({error})"
            )
            raise Refused(gateway_error(403, message, "InvalidSignatureException", "INVALID_SIGNATURE")) from error
        return caller

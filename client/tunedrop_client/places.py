"""Where the API is, and with which credentials to call it."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from tunedrop_client.errors import NoSuchPlace

LOCAL_ENVIRONMENT = Path("build/up/environment")
"""What `tunedrop up` writes, below the folder of the repository."""

_REGION_OF_URL = re.compile(r"\.execute-api\.([a-z0-9-]+)\.")


@dataclass(frozen=True, slots=True)
class Place:
    """An API that can be called. `credentials` refresh themselves where botocore can do that."""

    api_url: str
    region: str
    credentials: Credentials
    local: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What names the API: at most one of `stack` and `api_url`. Both are None for the local one."""

    stack: str | None = None
    api_url: str | None = None
    region: str | None = None
    aws_profile: str | None = None

    @property
    def named(self) -> bool:
        return bool(self.stack or self.api_url)


def wanted(
    *,
    stack: str | None = None,
    api_url: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Wanted:
    """What the arguments name; else the variables TUNEDROP_STACK or TUNEDROP_API_URL; else the profile file.

    Raises:
        NoSuchPlace: several things are named, or the profile file has no such profile.
    """
    variables = os.environ if environment is None else environment
    if stack and api_url:
        raise NoSuchPlace("you gave both a stack and an API's URL; give only one")
    if not (stack or api_url or profile):
        stack, api_url = variables.get("TUNEDROP_STACK"), variables.get("TUNEDROP_API_URL")
        if stack and api_url:
            raise NoSuchPlace("TUNEDROP_STACK and TUNEDROP_API_URL are both set; unset one of them")
    settings = {} if (stack or api_url) and not profile else profile_of(profile, variables)
    if not (stack or api_url):
        stack, api_url = settings.get("stack"), settings.get("api_url")
    return Wanted(stack, api_url, region or settings.get("region"), settings.get("aws_profile"))


def profile_of(name: str | None, variables: Mapping[str, str]) -> dict[str, str]:
    """A profile of the file: the one of this name, else of TUNEDROP_PROFILE, else `default`, which may be missing.

    Raises:
        NoSuchPlace: the file cannot be read, or has no profile of the name that was given.
    """
    path = profile_file(variables)
    asked = name or variables.get("TUNEDROP_PROFILE")
    try:
        profiles = tomllib.loads(path.read_text()) if path.is_file() else {}
    except (OSError, ValueError) as error:
        raise NoSuchPlace(f"{path} cannot be read: {error}") from None
    chosen = profiles.get(asked or "default")
    if chosen is None and asked:
        if not path.is_file():
            raise NoSuchPlace(f"there is no profile {asked!r}, as there is no file {path}")
        raise NoSuchPlace(f"{path} has no profile {asked!r}; it has {', '.join(sorted(profiles)) or 'none'}")
    known = {"stack", "api_url", "region", "aws_profile"}
    if chosen is not None and not (isinstance(chosen, dict) and chosen.keys() <= known):
        raise NoSuchPlace(f"{path}: profile {asked or 'default'}: expected only {', '.join(sorted(known))}")
    return {key: str(value) for key, value in (chosen or {}).items()}


def profile_file(variables: Mapping[str, str]) -> Path:
    """TUNEDROP_CONFIG, else tunedrop/config.toml in the user's folder for configuration."""
    if given := variables.get("TUNEDROP_CONFIG"):
        return Path(given)
    home = variables.get("XDG_CONFIG_HOME") or Path(variables.get("HOME", "~")).expanduser() / ".config"
    return Path(home) / "tunedrop/config.toml"


def find(what: Wanted) -> Place:
    """The API that is named, or that of a running `tunedrop up`.

    Raises:
        NoSuchPlace: it says what is missing.
    """
    session = _session(what.aws_profile)
    if what.stack:
        return of_stack(what.stack, session, what.region)
    if what.api_url:
        return of_url(what.api_url, session, what.region)
    found = local_environment()
    if found is None:
        raise NoSuchPlace(
            f"no stack is named, and no `tunedrop up` runs: there is no {LOCAL_ENVIRONMENT} here or above. Name a "
            "stack or an API's URL, or set TUNEDROP_STACK or TUNEDROP_API_URL"
        )
    return of_environment(found)


def of_stack(name: str, session: botocore.session.Session, region: str | None = None) -> Place:
    """The API of a deployed stack, by the output ApiUrl. Raises NoSuchPlace."""
    region = _region(session, region, f"stack {name}")
    credentials = _credentials(session)
    cloudformation: Any = session.create_client("cloudformation", region_name=region)
    try:
        stacks = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError) and "does not exist" in str(error):
            raise NoSuchPlace(
                f"there is no stack {name} in {region} in this account; AWS_REGION names another Region"
            ) from None
        raise NoSuchPlace(f"stack {name} cannot be looked up in {region}: {error}") from None
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stacks[0].get("Outputs", ())}
    if "ApiUrl" not in outputs:
        raise NoSuchPlace(f"stack {name} in {region} has no output ApiUrl; is it a stack of Tunedrop?")
    return Place(outputs["ApiUrl"], region, credentials)


def of_url(url: str, session: botocore.session.Session, region: str | None = None) -> Place:
    """The API at a URL; its Region stands in the URL of every deployed one. Raises NoSuchPlace."""
    if not url.startswith(("https://", "http://")):
        raise NoSuchPlace(f"expected the API's URL, as the stack's output ApiUrl gives it; got {url!r}")
    in_url = _REGION_OF_URL.search(url)
    region = region or (in_url[1] if in_url else None)
    return Place(url.rstrip("/"), _region(session, region, url), _credentials(session))


def local_environment(start: Path | None = None) -> Path | None:
    """The file that a running `tunedrop up` has written, here or in a folder above; None where none runs."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / LOCAL_ENVIRONMENT).is_file():
            return folder / LOCAL_ENVIRONMENT
    return None


def of_environment(path: Path) -> Place:
    """The API that a file of `tunedrop up` names, with the credentials in it. Raises NoSuchPlace."""
    values: dict[str, str] = {}
    for line in path.read_text().splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        values[name] = "".join(shlex.split(value))
    try:
        credentials = Credentials(values["AWS_ACCESS_KEY_ID"], values["AWS_SECRET_ACCESS_KEY"])
        return Place(values["TUNEDROP_API_URL"], values["AWS_REGION"], credentials, local=True)
    except KeyError as error:
        raise NoSuchPlace(f"{path} does not set {error}; start `tunedrop up` again") from None


def _session(aws_profile: str | None) -> botocore.session.Session:
    """A session with the AWS profile that is named or chosen by AWS_PROFILE. Raises NoSuchPlace: there is none."""
    session = botocore.session.Session(profile=aws_profile)
    try:
        session.get_scoped_config()
    except BotoCoreError as error:
        raise NoSuchPlace(f"the AWS configuration cannot be used: {error}") from None
    return session


def _region(session: botocore.session.Session, given: str | None, what: str) -> str:
    region = given or session.get_config_variable("region") or os.environ.get("AWS_REGION")
    if not region:
        raise NoSuchPlace(f"the Region of {what} is unknown; set AWS_REGION")
    return str(region)


def _credentials(session: botocore.session.Session) -> Credentials:
    try:
        credentials = session.get_credentials()
    except BotoCoreError as error:
        raise NoSuchPlace(f"there are no AWS credentials: {error}") from None
    if credentials is None:
        raise NoSuchPlace("there are no AWS credentials; log in as you do for the AWS CLI")
    return credentials

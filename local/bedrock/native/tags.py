"""Tags of jobs, customised models and deployments, by their ARNs."""

from __future__ import annotations

from local.bedrock.errors import ApiError
from local.bedrock.native.errors import validation
from local.bedrock.records import Document, Records

_KIND = "native-tags"
_MOST = 200  # a resource, as botocore's model bounds the list


class Tags:
    """Keeps tags; a list of them is the API's, with `key` and `value` each."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def of(self, arn: str) -> list[Document]:
        """The tags of a resource, in the order in which their keys first came."""
        kept = self._records.get(_KIND, arn) or {}
        return [{"key": key, "value": value} for key, value in kept.items()]

    def add(self, arn: str, tags: list[Document]) -> None:
        """Add tags; those of a key that is there already get the new value.

        Raises ApiError: ValidationException for a key that comes twice, TooManyTagsException.
        """
        check_tags(tags)
        kept = {**(self._records.get(_KIND, arn) or {}), **{tag["key"]: tag["value"] for tag in tags}}
        if len(kept) > _MOST:
            raise ApiError(400, "TooManyTagsException", f"{arn} would have {len(kept)} tags; the most are {_MOST}.")
        self._records.put(_KIND, arn, kept)

    def remove(self, arn: str, keys: list[str]) -> None:
        """Remove the tags of these keys; keys that are not there make no difference."""
        kept = self._records.get(_KIND, arn) or {}
        self._records.put(_KIND, arn, {key: value for key, value in kept.items() if key not in keys})

    def forget(self, arn: str) -> None:
        """Forget a resource that is gone."""
        self._records.delete(_KIND, arn)


def check_tags(tags: list[Document]) -> None:
    """Raises ApiError (ValidationException) for tags of which two have the same key."""
    keys = [tag["key"] for tag in tags]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise validation(f"The tag key '{twice}' comes more than once.")

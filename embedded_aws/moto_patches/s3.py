"""What S3 looks at before it does what it is asked: the signatures of links and forms, and the bucket's policy."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import moto.s3.models
import moto.s3.responses
import moto.s3.urls
from moto.iam.access_control import PermissionResult

from embedded_aws.moto_patches.hooks import Hooks
from embedded_aws.moto_patches.replacement import Replace
from embedded_aws.s3 import post_policy, presigned
from embedded_aws.s3.post_policy import Form
from embedded_aws.s3.presigned import LinkRequest
from embedded_aws.s3.refusals import S3Refused


def check_links(replace: Replace, hooks: Hooks) -> None:
    """moto takes a link with any signature, for any request, for ever
    (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html)."""

    def checked(original: Callable[..., Any]) -> Callable[..., Any]:
        def respond(response: Any, request: Any, full_url: str) -> Any:
            link = LinkRequest(
                request.method, request.raw_path, request.query_string.decode(), list(request.headers.items())
            )
            if link.is_link:
                try:
                    presigned.check(link, region=hooks.region, find=hooks.find_signer)
                except S3Refused as refusal:
                    return refusal.answer()
            return original(response, request, full_url)

        return respond

    for name in ("_bucket_response", "_key_response"):
        replace(moto.s3.responses.S3Response, name, checked(getattr(moto.s3.responses.S3Response, name)))


def check_forms(replace: Replace, hooks: Hooks) -> None:
    """moto answers 204 to every form: for another key, a larger file, a forged signature
    (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html)."""

    def post(response: Any, request: Any, bucket_name: str) -> Any:
        response.path = response._get_path(request)
        if not response.is_delete_keys():
            try:
                post_policy.check(_form(response, request, bucket_name), region=hooks.region, find=hooks.find_signer)
            except S3Refused as refusal:
                return refusal.answer()
        return original(response, request, bucket_name)

    original = replace(moto.s3.responses.S3Response, "_bucket_response_post", post)


def leave_policies_to_permissions(replace: Replace) -> None:
    """moto holds some calls to the bucket's policy without its conditions, so that a Deny under a condition denies all.
    The embedded AWS holds every call to it, with the conditions."""
    replace(moto.s3.models.FakeBucket, "get_permission", lambda *_: PermissionResult.NEUTRAL)


def read_parts_alone(replace: Replace) -> None:
    """moto reads a whole object, twice, for each part that is asked for: for 1 GiB in parts of 8 MiB, 256 GiB."""
    asked = threading.local()

    def get_object(response: Any) -> Any:
        asked.a_part = bool(response.headers.get("range"))
        try:
            return whole(response)
        finally:
            asked.a_part = False

    def value_of(key: Any) -> Any:
        return _Parts(key) if getattr(asked, "a_part", False) else value.__get__(key)

    def part_of(response: Any, request: Any, headers: Any, content: Any) -> Any:
        status, headers, content = part(response, request, headers, content)
        return status, headers, content[:] if isinstance(content, _Parts) else content

    whole = replace(moto.s3.responses.S3Response, "get_object", get_object)
    part = replace(moto.s3.responses.S3Response, "_handle_range_header", part_of)
    value: Any = moto.s3.models.FakeKey.value
    replace(moto.s3.models.FakeKey, "value", property(value_of, value.fset))


def take_any_key(replace: Replace) -> None:
    """moto answers 404 to a key with a line feed, which S3 takes."""
    taken = {path.replace(".+", r"[\s\S]+"): respond for path, respond in moto.s3.urls.url_paths.items()}
    replace(moto.s3.urls, "url_paths", taken)


class _Parts:
    """What moto's key holds, read as far as it is asked for: `[begin:end]`."""

    def __init__(self, key: Any) -> None:
        self._key = key

    def __len__(self) -> int:
        return int(self._key.contentsize)

    def __getitem__(self, part: slice) -> bytes:
        begin, end, _ = part.indices(len(self))
        with self._key.lock:
            self._key._value_buffer.seek(begin)
            read: bytes = self._key._value_buffer.read(end - begin)
            return read


def _form(response: Any, request: Any, bucket: str) -> Form:
    fields = {name.lower(): value for name, value in request.form.items() if name != "file"}
    there = "file" in request.form or "file" in request.files
    if "key" in fields and "key" in response.querystring:
        fields["key"] = response.querystring["key"][0]  # with the file's name put in
    return Form(
        bucket=bucket,
        fields=fields,
        file_bytes=len(response.body) if there else None,
        fields_bytes=sum(len(name) + len(value) for name, value in fields.items()),
    )

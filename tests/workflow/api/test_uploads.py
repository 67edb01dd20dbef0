"""What the link of an upload lets its holder do, as S3 answers it."""

from __future__ import annotations

import json

from tests.workflow.api.clients import Service, put_file


def test_a_link_takes_one_file_of_its_size_once(service: Service) -> None:
    made = service.red.ask("POST", "/uploads", {"bytes": 7}).json
    assert put_file(made["url"], made["headers"], b"too long") == 403
    assert put_file(made["url"], made["headers"], b"short") == 403
    assert put_file(made["url"], {}, b"content") == 403
    assert put_file(made["url"], made["headers"], b"content") == 200
    assert put_file(made["url"], made["headers"], b"another") == 412
    bucket, _, key = made["uri"].removeprefix("s3://").partition("/")
    s3 = service.stack.aws.client("s3")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"content"
    assert len(s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]) == 1


def test_a_link_takes_a_file_to_its_own_place_alone(service: Service) -> None:
    made, other = (service.red.ask("POST", "/uploads", {"bytes": 7}).json for _ in range(2))
    moved = made["url"].replace(made["upload_id"], other["upload_id"])
    assert put_file(moved, made["headers"], b"content") == 403
    refused = service.red.start({"name": "held", "dataset": {"upload_id": other["upload_id"]}})
    assert (refused.status, refused.problem) == (422, "upload-unknown"), json.dumps(refused.json)

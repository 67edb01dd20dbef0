"""The API's document is what the code serves, and nobody changes it without having seen the difference."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

import pytest

from checks import openapi, sam_template
from tunedrop.api import problems
from tunedrop.api.resolver import TAKE_A_BODY
from tunedrop.api.routes import ROUTES
from tunedrop.api.wording import EXPECTED

REPOSITORY = Path(__file__).parents[3]
COMMITTED = REPOSITORY / "docs/openapi.json"
RENEW = "python -m checks.openapi > docs/openapi.json"
DOCUMENT = json.loads(COMMITTED.read_text())  # the first test says that the code makes the same
OPERATIONS: list[tuple[str, str, dict[str, Any]]] = [
    (method.upper(), path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
REQUEST_BODIES = [operation["requestBody"] for _, _, operation in OPERATIONS if "requestBody" in operation]


def test_the_committed_document_is_the_one_that_the_code_makes() -> None:
    committed, made = COMMITTED.read_text(), openapi.text()
    changes = "\n".join(difflib.unified_diff(committed.splitlines(), made.splitlines(), "committed", "made", n=2))
    assert committed == made, f"The API has changed. If it was meant to: {RENEW}\nand review the difference:\n{changes}"


def test_the_template_has_a_route_for_any_method_of_each_resource_and_no_other() -> None:
    events = sam_template.read()["Resources"]["Api"]["Properties"]["Events"].values()
    deployed = [(each["Properties"]["Method"].upper(), each["Properties"]["Path"]) for each in events]
    assert sorted(deployed) == sorted(("ANY", path) for path in DOCUMENT["paths"])


def test_the_table_of_routes_is_that_of_the_document() -> None:
    table = {(method, path): names for path, methods in ROUTES.items() for method, names in methods.items()}
    described = {
        (method, path): tuple(each["name"] for each in operation.get("parameters", ()) if each["in"] == "query")
        for method, path, operation in OPERATIONS
    }
    assert table == described


def test_every_field_that_may_be_wrong_has_words_for_what_it_must_be() -> None:
    bodies = {each["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2] for each in REQUEST_BODIES}
    schemas = DOCUMENT["components"]["schemas"]
    fields = {field for name in bodies for field in schemas[name]["properties"]}
    references = {f"{field}.{name}" for field in ("dataset", "test") for name in ("uri", "upload_id")}
    parameters = {each["name"] for _, _, operation in OPERATIONS for each in operation.get("parameters", ())}
    assert EXPECTED.keys() == fields | references | parameters


def test_every_status_that_an_operation_may_answer_is_one_that_a_problem_has() -> None:
    answered = {int(status) for _, _, operation in OPERATIONS for status in operation["responses"]}
    refusals = {status for status in answered if status >= 400}
    # Another method is no operation of the document.
    assert refusals == {status for status, _ in problems.KINDS.values()} - {405}


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_refusal_is_a_problem_document(method: str, path: str, operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        if int(status) >= 400:
            assert list(response["content"]) == [problems.MEDIA_TYPE], (method, path, status)
            assert response["content"][problems.MEDIA_TYPE]["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_every_request_is_signed() -> None:
    assert DOCUMENT["security"] == [{"sigv4": []}]
    assert not any("security" in operation for _, _, operation in OPERATIONS)


def test_the_resources_that_refuse_forms_are_those_that_take_a_body() -> None:
    assert {path for _, path, operation in OPERATIONS if "requestBody" in operation} == set(TAKE_A_BODY)
    assert all("415" in operation["responses"] for _, _, operation in OPERATIONS if "requestBody" in operation)


def test_every_field_of_every_document_and_every_parameter_is_explained() -> None:
    fields = {
        f"{schema}.{name}": field
        for schema, document in DOCUMENT["components"]["schemas"].items()
        for name, field in document.get("properties", {}).items()
    }
    parameters = {
        f"{method} {path} {each['name']}": each
        for method, path, operation in OPERATIONS
        for each in operation.get("parameters", ())
    }
    assert [name for name, each in (fields | parameters).items() if not each.get("description")] == []

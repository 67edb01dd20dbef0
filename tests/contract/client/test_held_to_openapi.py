"""The client has each operation and each field that docs/openapi.json describes, and sends what it allows."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
from pydantic import TypeAdapter

from tests.contract.client.answering import Asked, Server, serving
from tunedrop_client import Client, documents

OPENAPI = json.loads((Path(__file__).parents[3] / "docs/openapi.json").read_text())
SCHEMAS = OPENAPI["components"]["schemas"]
OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, methods in OPENAPI["paths"].items()
    for method, operation in methods.items()
}
RUN = "sums-0123456789abcdef"


def shape(schema: Any, schemas: Mapping[str, Any]) -> Any:
    """What a schema says of types, names and presence, with the schemas that it names in their places."""
    if "$ref" in schema:
        return shape(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    told: dict[str, Any] = {name: schema[name] for name in ("type", "const") if name in schema}
    if "enum" in schema:
        told["enum"] = sorted(schema["enum"])
    if "required" in schema:
        told["required"] = sorted(schema["required"])
    if "items" in schema:
        told["items"] = shape(schema["items"], schemas)
    if "anyOf" in schema:
        told["anyOf"] = sorted((shape(each, schemas) for each in schema["anyOf"]), key=json.dumps)
    if "properties" in schema:
        told["properties"] = {name: shape(each, schemas) for name, each in schema["properties"].items()}
    values = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    told["values"] = [shape(each, schemas) for each in values if isinstance(each, dict)]
    return told


def named(name: str) -> Any:
    return getattr(documents, name)


@pytest.mark.parametrize("name", sorted(SCHEMAS.keys() - {"Problem"}))
def test_each_document_has_the_fields_and_types_that_the_api_describes(name: str) -> None:
    ours = TypeAdapter(named(name)).json_schema()
    assert shape(ours, ours.get("$defs", {})) == shape(SCHEMAS[name], SCHEMAS)


def example(schema: Mapping[str, Any]) -> Any:
    """A document that the schema allows, with each of its fields."""
    if "$ref" in schema:
        return example(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return example(schema["anyOf"][-1])
    if "enum" in schema:
        return schema["enum"][-1]
    if schema.get("type") == "object":
        return {name: example(each) for name, each in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [example(schema["items"])]
    return {"string": "text", "integer": 1, "number": 1, "boolean": True, "null": None}[schema["type"]]


def operation_of(asked: Asked) -> str:
    for operation_id, (method, path, _) in OPERATIONS.items():
        if asked.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), asked.path):
            return str(operation_id)
    raise AssertionError(f"the API has no {asked.method} {asked.path}")


@pytest.fixture
def server() -> Iterator[Server]:
    def answer(asked: Asked) -> Any:
        if asked.method == "PUT" or asked.path == "/link":
            return 200, b""
        _, _, operation = OPERATIONS[operation_of(asked)]
        (status,) = (code for code in operation["responses"] if code.startswith("2"))
        document = example(operation["responses"][status]["content"]["application/json"]["schema"])
        if "status" in document:
            document |= {"status": "SUCCEEDED" if "run_id" in document else "DONE", "reason": None}
        if "upload_id" in document:
            document["upload_id"] = "0" * 32
        for link in ("url", "page", "json_document", "model_card"):
            if link in document and operation["operationId"] in ("createUpload", "getReport"):
                document[link] = f"{served.url}/link"
        if "rows" in document and operation["operationId"] == "getReport":
            document["rows"] = [f"{served.url}/link"]
        return int(status), document

    with serving(answer) as served:
        yield served


def call(client: Client, method: str, file: Path) -> None:
    """Call a method of the client with all that it takes."""
    match method:
        case "start":
            client.start(
                "sums",
                file,
                test="s3://bucket-of/a/test.jsonl",
                recipe={"model": "openai.gpt-oss-20b"},
                recipe_text="model: a",
                resumes=RUN,
                evaluate_only="model",
                labels={"a": "b"},
            )
        case "start_folder":
            client.start_folder(file.parent, "sums", evaluate_only="model", labels={"a": "b"})
        case "validate":
            client.validate(file, test={"upload_id": "0" * 32}, recipe="mine", recipe_text="model: a")
        case "validate_folder":
            client.validate_folder(file.parent)
        case "runs":
            list(client.runs(name="sums", status="FAILED", most=1))
        case "follow":
            list(client.follow(RUN))
        case "upload":
            client.upload(file)
        case "validation":
            client.validation("0" * 32)
        case "fetch_report":
            client.fetch_report(RUN, file.parent)
        case "models" | "graders":
            getattr(client, method)()
        case _:
            getattr(client, method)(RUN)


def methods() -> list[str]:
    return [name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")]


def test_each_operation_of_the_api_is_reached_by_a_method(server: Server, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text("{}\n")
    for method in methods():
        call(server.client(), method, tmp_path / "train.jsonl")
    reached = {operation_of(each) for each in server.asked if each.method != "PUT" and each.path != "/link"}
    assert reached == OPERATIONS.keys()


def test_what_the_methods_send_is_what_the_api_describes(server: Server, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text("{}\n")
    (tmp_path / "recipe.yaml").write_text("model: openai.gpt-oss-20b\n")
    server_client = server.client()
    for method in methods():
        call(server_client, method, tmp_path / "train.jsonl")
    sent: dict[str, set[str]] = {}
    for asked in server.asked:
        if asked.method == "PUT" or asked.path == "/link":
            continue
        _, _, operation = OPERATIONS[operation_of(asked)]
        known = {each["name"].lower() for each in operation.get("parameters", ()) if each["in"] in ("query", "header")}
        assert asked.query.keys() <= known, asked
        required = {each["name"].lower() for each in operation.get("parameters", ()) if each["in"] == "header"}
        assert required <= asked.headers.keys(), asked
        if asked.body:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            body = asked.json
            jsonschema.validate(body, {**schema, "components": OPENAPI["components"]})
            sent.setdefault(operation["operationId"], set()).update(body)
    for operation_id, fields in sent.items():
        schema = OPERATIONS[operation_id][2]["requestBody"]["content"]["application/json"]["schema"]
        assert fields == SCHEMAS[schema["$ref"].rpartition("/")[2]]["properties"].keys(), operation_id


@pytest.mark.parametrize("text", ["better than before", "größer & 100% = +1/2 ~ #?", "日本語"])
def test_what_a_person_wrote_is_sent_as_it_is_signed(server: Server, text: str) -> None:
    """SigV4's canonical query has %20 for a space; a + there makes another signature."""
    server.client().approve(RUN, reason=text)
    asked = server.asked[-1]
    assert asked.query == {"reason": [text]}
    assert asked.target == f"{asked.path}?reason={quote(text, safe='-_.~')}"

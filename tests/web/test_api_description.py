"""The API's description is one that programs and people can work by: valid OpenAPI 3.1, every
operation told, every list in pages, every refusal named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from jsonschema import Draft202012Validator

from contact_service.web.api_base import WRITES
from contact_service.web.api_docs import METHODS, TAGS, description
from contact_service.web.api_examples import resolved
from contact_service.web.api_pages import MOST
from contact_service.web.app import app
from contact_service.web.problems import MEDIA_TYPE

DOCUMENT = description(app)
EVERY = sorted(
    f"{method.upper()} {path}"
    for path, item in DOCUMENT["paths"].items()
    for method in METHODS
    if method in item
)


def operation(name: str) -> dict[str, Any]:
    method, _, path = name.partition(" ")
    found: dict[str, Any] = DOCUMENT["paths"][path][method.lower()]
    return found


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(DOCUMENT).validate()


@pytest.mark.parametrize("name", EVERY)
def test_an_operation_is_told(name: str) -> None:
    said = operation(name)
    for words in (said["summary"], said["description"]):
        japanese, _, english = words.partition(" / ")
        assert not japanese.isascii() and english.isascii() and english, words
    for one in said.get("parameters", []):
        if one["in"] != "path":  # the path says what it is
            japanese, _, english = one["description"].partition(" / ")
            assert not japanese.isascii() and english, f"{one['name']}: say what it is"
        assert conforms(one["schema"], one["example"]), one
    bodies = said.get("requestBody", {}).get("content", {})
    for kind, body in bodies.items():
        assert "…" not in str(body["example"]), "give the text an example: web/api_examples.py"
        assert kind != "application/json" or conforms(body["schema"], body["example"])
    refused = {status for status in said["responses"] if status[0] in "45"}
    assert {"401", "429", "500", "503"} <= refused
    assert ("404" in refused) == ("{" in name) and ("403" in refused) == bool(said["x-roles"])
    assert ({"413", "415"} <= refused) == ("requestBody" in said)
    for status in refused:
        assert said["responses"][status]["content"].keys() == {MEDIA_TYPE}
    keys = [one for one in said.get("parameters", []) if one["name"] == "Idempotency-Key"]
    assert bool(keys) == (name.split()[0] in WRITES)
    for status, answer in said["responses"].items():
        if status[0] == "2":
            shown = answer.get("content", {}).get("application/json")
            assert not (shown and shown["schema"]) or "example" in shown


def conforms(schema: dict[str, Any], value: object) -> bool:
    return Draft202012Validator(resolved(DOCUMENT, schema)).is_valid(value)


@pytest.mark.parametrize("name", [one for one in EVERY if one.startswith("GET")])
def test_a_list_comes_in_pages_with_a_bound(name: str) -> None:
    said = operation(name)
    content = said["responses"]["200"].get("content", {}).get("application/json", {})
    schema = resolved(DOCUMENT, content.get("schema", {}))
    assert schema.get("type") != "array", f"{name} answers a list that has no end: web/api_pages.py"
    parameters = {one["name"]: one["schema"] for one in said.get("parameters", [])}
    paged = {"items", "next"} <= schema.get("properties", {}).keys()
    assert paged == ({"limit", "cursor"} <= parameters.keys())
    assert not paged or parameters["limit"]["maximum"] == MOST


def test_every_operation_is_on_the_page() -> None:
    assert {operation(name)["tags"][0] for name in EVERY} == set(TAGS)


def test_nothing_is_described_twice_or_left_out() -> None:
    assert len(EVERY) > 90
    names = [operation(name)["operationId"] for name in EVERY]
    assert len(set(names)) == len(names)


def texts(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from (schema.get("$ref", ""), *(t for v in schema.values() for t in texts(v)))
    elif isinstance(schema, list):
        yield from (text for one in schema for text in texts(one))


def test_every_schema_that_is_named_is_there() -> None:
    for ref in filter(None, texts(DOCUMENT)):
        assert ref.removeprefix("#/components/schemas/") in DOCUMENT["components"]["schemas"]

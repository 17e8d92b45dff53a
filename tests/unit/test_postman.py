"""The Postman collection says what the API's description says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from clients.generate.documents import postman
from strongroom.entrypoints.http.examples import EVERY_EXAMPLE
from strongroom.operations.registry import OPERATIONS, Operation

COLLECTION = json.loads(postman(OPERATIONS))
ITEMS = {(folder["name"], item["name"]): item for folder in COLLECTION["item"] for item in folder["item"]}


def test_there_is_a_request_for_every_operation_and_no_other() -> None:
    assert set(ITEMS) == {(operation.name.partition(".")[0], operation.summary) for operation in OPERATIONS}


def fields(request: dict[str, Any]) -> dict[str, Any]:
    """Of the command that it sends; those in the query as text."""
    sent = {each["key"]: each["value"] for place in ("variable", "query") for each in request["url"].get(place, ())}
    return sent | json.loads(request.get("body", {}).get("raw", "{}"))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_every_request_has_the_examples_of_its_operation(operation: Operation) -> None:
    found = ITEMS[operation.name.partition(".")[0], operation.summary]
    examples = [*EVERY_EXAMPLE[operation.name].values()]
    assert [saved["name"] for saved in found["response"]] == [example.summary for example in examples]
    for example, saved in zip(examples, found["response"], strict=True):
        request = saved["originalRequest"]
        assert request["method"] == operation.method
        assert request["url"]["raw"] == "{{url}}/api/v1" + re.sub(r"{(\w+)}", r":\1", operation.path)
        in_query = {each["key"] for each in request["url"].get("query", ())}
        told = {name: _text(value) if name in in_query else value for name, value in example.command.items()}
        assert fields(request) == told
        assert (saved["code"], json.loads(saved["body"])) == (operation.status, example.result)
    assert found["request"] == found["response"][0]["originalRequest"]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

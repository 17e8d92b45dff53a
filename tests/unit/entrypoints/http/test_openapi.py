"""The document is valid, says what the types say, and its examples are what the code does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from strongroom.access.scopes import in_a_sentence
from strongroom.chains.registry import CHAINS
from strongroom.codecs import bip32
from strongroom.domain.secret import Secret
from strongroom.domain.signing import Message, OurKey, SignOptions
from strongroom.domain.wallet import PublicNode
from strongroom.entrypoints.binding import bind, to_tree
from strongroom.entrypoints.http.body import BodyLimits
from strongroom.entrypoints.http.examples import EVERY_EXAMPLE, EXAMPLES
from strongroom.entrypoints.http.examples.base import WORDS, Example
from strongroom.entrypoints.http.field_texts import FIELD_TEXTS
from strongroom.entrypoints.http.openapi import document
from strongroom.errors import every_error
from strongroom.keys import bip39, derivation
from strongroom.operations.messages import message_bytes
from strongroom.operations.networks import Networks
from strongroom.operations.registry import OPERATIONS, Operation
from tests.unit.entrypoints.http.stubs import as_sent

DOCUMENT = document(OPERATIONS, "/api/v1", "1.2.3", BodyLimits(1234, 5.5, 678))
NAMES = [operation.name for operation in OPERATIONS]
BY_NAME = {operation.name: operation for operation in OPERATIONS}


def described(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"]["/api/v1" + operation.path][operation.method.lower()]
    return found


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(
        {**schema, "components": DOCUMENT["components"]}, format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def test_is_valid_openapi() -> None:
    assert not list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors())


def test_tells_the_limits_of_this_deployment() -> None:
    description = DOCUMENT["info"]["description"]
    for told in ("1,234 bytes", "5.5 seconds", "678 JSON values", "kept for 7 days"):
        assert told in " ".join(description.split())


@pytest.mark.parametrize(
    ("size", "kept", "told"),
    [
        (1 << 20, timedelta(days=1), ("at most 1 MiB,", "50,000 JSON values", "kept for a day.")),
        (1536 << 10, timedelta(hours=36), ("at most 1,536 KiB,", "kept for 36 hours.")),
    ],
)
def test_tells_sizes_and_times_in_units_that_people_read(size: int, kept: timedelta, told: tuple[str, ...]) -> None:
    made = document(OPERATIONS, "/api/v1", "1.2.3", BodyLimits(size), kept)
    for each in told:
        assert each in " ".join(made["info"]["description"].split())


def test_tells_a_new_user_where_the_key_comes_from_and_what_errors_mean() -> None:
    description = DOCUMENT["info"]["description"]
    assert "`strongroom api-key create`" in description
    assert "(docs/errors)" in description
    assert "JWT" in DOCUMENT["components"]["securitySchemes"]["Bearer"]["description"]
    assert [each["description"] for each in DOCUMENT["servers"]] == ["This service"]


def test_sections_have_proper_names() -> None:
    names = [tag["name"] for tag in DOCUMENT["tags"]]
    assert {"Typed data", "API keys", "Client networks", "Health"} <= set(names)
    assert not [name for name in names if "_" in name or name[0].islower()]
    used = {tag for path in DOCUMENT["paths"].values() for each in path.values() for tag in each["tags"]}
    assert used == set(names)


def test_acronyms_keep_their_letters() -> None:
    assert described(BY_NAME["typed_data.sign"])["description"].startswith(
        "Needs the scope `sign:typed-data`: sign EIP-712 typed data,"
    )
    assert in_a_sentence("EIP-712 typed data") == "EIP-712 typed data"


async def test_is_served(client: httpx.AsyncClient) -> None:
    answer = await client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["paths"] == json.loads(json.dumps(DOCUMENT["paths"]))


def test_every_time_is_a_date_time() -> None:
    times = {
        f"{schema}.{name}": described
        for schema, fields in DOCUMENT["components"]["schemas"].items()
        for name, described in fields.get("properties", {}).items()
        if name == "at" or name.endswith("_at")
    }
    assert {"WalletView.created_at", "AddressView.created_at", "ApiKeyView.revoked_at", "AuditView.at"} <= times.keys()
    for name, described in times.items():
        kinds = [kind for kind in described.get("anyOf", [described]) if kind != {"type": "null"}]
        assert [kind.get("format") for kind in kinds] == ["date-time"], name


EACH = [(operation, example) for operation, each in EVERY_EXAMPLE.items() for example in each.values()]
each_example = pytest.mark.parametrize(("name", "example"), EACH, ids=[f"{name}-{each.summary}" for name, each in EACH])


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_has_two_examples(name: str) -> None:
    examples = EVERY_EXAMPLE[name]
    assert len(examples) >= 2
    assert next(iter(examples)) == "usual"
    assert len({each.summary for each in examples.values()}) == len(examples)
    assert all(each.summary for each in examples.values())


def test_there_are_examples_of_operations_alone() -> None:
    assert EVERY_EXAMPLE.keys() == set(NAMES)


@each_example
def test_example_of_a_command(name: str, example: Example) -> None:
    command = bind(example.command, BY_NAME[name].command)
    tree = to_tree(command)
    assert as_sent(tree, example.command) == example.command


@each_example
def test_example_of_a_result(name: str, example: Example) -> None:
    def secret(target: type, value: Any) -> Any:
        assert target is Secret
        return Secret(value)

    result = msgspec.convert(example.result, BY_NAME[name].result, dec_hook=secret)
    assert to_tree(result) == example.result


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_every_example_is_in_the_document(operation: Operation) -> None:
    """In the response, and in the body; or, if there is none, in what each of its parameters says."""
    described_ = described(operation)
    examples = EVERY_EXAMPLE[operation.name]
    response = described_["responses"][str(operation.status)]["content"]["application/json"]["examples"]
    assert response == {
        title: {"summary": example.summary, "value": example.result} for title, example in examples.items()
    }
    in_place: dict[str, dict[str, Any]] = {title: {} for title in examples}
    for parameter in described_["parameters"]:
        for title, value in _shown_values(parameter, examples).items():
            in_place[title][parameter["name"]] = value
    if "requestBody" in described_:
        body = described_["requestBody"]["content"]["application/json"]["examples"]
        assert [each["summary"] for each in body.values()] == [each.summary for each in examples.values()]
        for title, each in body.items():
            in_place[title] |= each["value"]
    assert in_place == {title: example.command for title, example in examples.items()}


def _shown_values(parameter: dict[str, Any], examples: Mapping[str, Example]) -> dict[str, Any]:
    name = parameter["name"]
    have = [title for title, example in examples.items() if name in example.command]
    if "example" in parameter:
        return dict.fromkeys(have, parameter["example"])
    if "examples" in parameter:
        assert {each["summary"] for each in parameter["examples"].values()} <= {e.summary for e in examples.values()}
        return {title: each["value"] for title, each in parameter["examples"].items()}
    return dict(zip(have, parameter["schema"].get("examples", ()) if have else (), strict=True))


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_examples_fit_their_schemas(operation: Operation) -> None:
    described_ = described(operation)
    answer = described_["responses"][str(operation.status)]["content"]["application/json"]
    for example in answer["examples"].values():
        validator(answer["schema"]).validate(example["value"])
    for parameter in described_["parameters"]:
        values = [each["value"] for each in parameter.get("examples", {}).values()]
        values += [parameter["example"]] if "example" in parameter else []
        for value in values + parameter["schema"].get("examples", []):
            validator(parameter["schema"]).validate(value)
    if "requestBody" in described_:
        body = described_["requestBody"]["content"]["application/json"]
        for example in body["examples"].values():
            validator(body["schema"]).validate(example["value"])
            assert not validator(body["schema"]).is_valid({**example["value"], "unknown": 1})


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_the_page_fills_in_only_what_the_usual_example_says(operation: Operation) -> None:
    """Swagger UI fills in `example`, and the first of `examples`, of every parameter at once."""
    filled = {
        parameter["name"]: parameter["example"] if "example" in parameter else parameter["examples"]["usual"]["value"]
        for parameter in described(operation)["parameters"]
        if parameter.keys() & {"example", "examples"}
    }
    usual = EXAMPLES[operation.name].command
    assert filled == {name: value for name, value in usual.items() if name in filled}


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_every_field_of_a_command_has_one_place(operation: Operation) -> None:
    described_ = described(operation)
    places = [parameter["name"] for parameter in described_["parameters"] if parameter["in"] != "header"]
    if "requestBody" in described_:
        schema = described_["requestBody"]["content"]["application/json"]["schema"]
        places += DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"]
    assert sorted(places) == sorted(operation.command.__struct_fields__)
    headers = [parameter["name"] for parameter in described_["parameters"] if parameter["in"] == "header"]
    assert headers == (["Idempotency-Key"] if operation.mutates else [])


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_every_declared_error_is_described(operation: Operation) -> None:
    refused = {status: each for status, each in described(operation)["responses"].items() if status[0] in "45"}
    assert {frozenset(each) for each in refused.values()} == {frozenset({"$ref"})}, "an error is described in place"
    shared = {status: DOCUMENT["components"]["responses"][_name(each)] for status, each in refused.items()}
    for error in operation.errors:
        response = shared[str(error.http_status)]
        assert error.code in response["x-codes"]
        assert f"`{error.code}`" in response["description"]
    known = {error.code: str(error.http_status) for error in every_error()}
    for status, response in shared.items():
        assert {known[code] for code in response["x-codes"]} == {status}
        assert response["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_operations_with_the_same_errors_share_a_response() -> None:
    shared = DOCUMENT["components"]["responses"]
    codes = [tuple(response["x-codes"]) for response in shared.values()]
    assert len(codes) == len(set(codes))
    used = {_name(each) for operation in OPERATIONS for each in described(operation)["responses"].values()}
    assert used - {""} == shared.keys()


def _name(response: dict[str, Any]) -> str:
    name: str = response.get("$ref", "").rpartition("/")[2]
    return name


def test_what_is_said_of_a_value_is_said_of_its_property() -> None:
    for name, component in DOCUMENT["components"]["schemas"].items():
        for field, schema in component.get("properties", {}).items():
            told = [choice for choice in schema.get("anyOf", ()) if "description" in choice]
            assert len(told) != 1 or schema["description"], (name, field)
    own = DOCUMENT["components"]["schemas"]["NextAddress"]["properties"]["external_id"]["description"]
    assert own != FIELD_TEXTS["external_id"]


@pytest.mark.parametrize("name", FIELD_TEXTS)
def test_what_means_the_same_everywhere_is_described_everywhere(name: str) -> None:
    components = DOCUMENT["components"]["schemas"].values()
    found = [each["properties"][name] for each in components if name in each.get("properties", {})]
    assert found
    assert all(each["description"] for each in found)


def _properties(schema: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property of a schema, at any depth."""
    if isinstance(schema, list):
        for number, each in enumerate(schema):
            yield from _properties(each, f"{place}/{number}")
    if isinstance(schema, dict):
        for name, each in schema.items():
            if name == "properties":
                for field, found in each.items():
                    yield f"{place}.{field}", found
                    yield from _properties(found, f"{place}.{field}")
            elif name not in {"default", "examples", "enum", "const"}:
                yield from _properties(each, f"{place}/{name}")


def test_every_property_is_described() -> None:
    found = dict(_properties(DOCUMENT["components"]["schemas"], ""))
    assert {"/WalletView.id", "/Health.components", "/Health.components/additionalProperties.status"} <= found.keys()
    assert [place for place, schema in found.items() if not schema.get("description", "").strip()] == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_every_parameter_is_described(operation: Operation) -> None:
    assert [each["name"] for each in described(operation)["parameters"] if not each.get("description")] == []


def test_constraints_show() -> None:
    get = described(BY_NAME["addresses.derive"])
    index = next(parameter for parameter in get["parameters"] if parameter["name"] == "index")
    assert (index["schema"]["minimum"], index["schema"]["maximum"]) == (0, 2**31 - 1)
    create = DOCUMENT["components"]["schemas"]["CreateWallet"]
    assert create["properties"]["words"]["enum"] == [12, 15, 18, 21, 24]
    assert create["properties"]["passphrase"]["anyOf"][0]["writeOnly"] is True
    assert create["additionalProperties"] is False


def test_examples_of_fingerprints_are_of_the_mnemonic() -> None:
    words = {
        "wallets.import": EXAMPLES["wallets.import"].command["mnemonic"],
        "accounts.get": WORDS,
    }
    for name, mnemonic in words.items():
        seed = bip39.seed(bip39.parse(mnemonic))
        fingerprint = bip32.fingerprint(derivation.public_key(derivation.derive(seed, ()))).hex()
        assert EXAMPLES[name].result["master_fingerprint"] == fingerprint
    assert "abandon" not in words["wallets.import"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_the_page_fills_in_can_be_sent_twice_and_reveals_and_forces_nothing(name: str) -> None:
    """The page sends the first example as it stands."""

    def named(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            yield from (key for key, each in value.items() if each not in (None, False))
        if isinstance(value, dict | list):
            for each in value.values() if isinstance(value, dict) else value:
                yield from named(each)

    found = set(named(EXAMPLES[name].command))
    assert not found & {"backup", "external_id", "allow", "allow_resign", "broadcast", "replaces", "force"}


def test_examples_of_addresses_are_derived() -> None:
    networks = Networks(CHAINS, CHAINS["evm"].networks, limits={}, any_network=False)
    network, chain = networks.resolve("ethereum")
    account = EXAMPLES["accounts.get"].result
    key = bip32.parse_extended_key(account["extended_public_key"])
    node = PublicNode(account["path"], key.public_key, key.chain_code)
    for example in EXAMPLES["addresses.list"].result["addresses"]:
        public_key = bytes.fromhex(example["public_key"])
        assert bip32.derive_public(node, example["path"]).public_key == public_key
        scheme = chain.schemes(network.keyspace)[example["scheme"]]
        shown = chain.render(network, scheme, public_key)
        assert (shown.address, dict(shown.forms)) == (example["address"], example["forms"])


def test_examples_of_signing_are_what_the_chain_says() -> None:
    networks = Networks(CHAINS, CHAINS["evm"].networks, limits={}, any_network=False)
    network, chain = networks.resolve("ethereum")
    first = EXAMPLES["addresses.derive"].result
    key = OurKey(
        bytes.fromhex(first["public_key"]), first["path"], first["scheme"], bytes.fromhex(first["address"][2:])
    )
    ours = {key.public_key: key}

    sign = EXAMPLES["transactions.sign"]
    decoded = chain.decode(network, sign.command["unsigned_tx"])
    assert chain.check(decoded, ours, networks.policy(network, SignOptions()), datetime.now(UTC)) == ()
    prepared = chain.prepare(decoded, ours)
    assert to_tree(prepared.summary) == sign.result["summary"]
    assert to_tree(chain.summarise(decoded, None)) == EXAMPLES["transactions.decode"].result["summary"]
    details = sign.result["details"]
    signature = bytes.fromhex(details["r"][2:] + details["s"][2:]) + bytes([int(details["yParity"], 16)])
    signed = chain.assemble(prepared, [signature])
    assert (signed.raw, signed.tx_id, signed.details) == (sign.result["signed_tx"], sign.result["tx_id"], details)

    message, typed = EXAMPLES["messages.sign"], EXAMPLES["typed_data.sign"]
    authorization = EXAMPLES["authorizations.sign"]
    delegation = {
        "chain_id": authorization.command["chain_id"],
        "address": authorization.command["contract"],
        "nonce": authorization.command["nonce"],
    }
    for example, asked in (
        (message, Message("eip191", data=message_bytes(message.command["message"], message.command["encoding"]))),
        (typed, Message("eip712", document=typed.command["typed_data"])),
        (authorization, Message("eip7702", document=delegation)),
    ):
        made, warnings = chain.prepare_message(network, asked, ours)
        assert to_tree(made.summary) == example.result["summary"]
        assert [to_tree(warning) for warning in warnings] == example.result["warnings"]
        raw = bytes.fromhex(example.result["signature"][2:])
        answer = chain.assemble_message(made, [raw[:64] + bytes([raw[64] - 27])])
        assert (answer.signature, answer.digest) == (example.result["signature"], example.result["digest"])
        assert answer.details == example.result["details"]


@each_example
def test_transactions_and_messages_are_read_by_their_chain(name: str, example: Example) -> None:
    networks = Networks(
        CHAINS, [one for chain in CHAINS.values() for one in chain.networks], limits={}, any_network=False
    )
    command = example.command
    if name == "transactions.sign_batch" or "network" not in command:
        return
    network, chain = networks.resolve(command["network"])
    if "unsigned_tx" in command:
        summary = to_tree(chain.summarise(chain.decode(network, command["unsigned_tx"]), None))
        told = example.result["summary"]
        assert [each["amount"] for each in summary["actions"]] == [each["amount"] for each in told["actions"]]
        assert summary["fee"] == told["fee"]
    if "format" in command:
        assert command["format"] in chain.message_formats

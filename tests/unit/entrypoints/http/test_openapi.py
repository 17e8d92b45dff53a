"""The document is valid, says what the types say, and its examples are what the code does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from strongroom.chains.registry import CHAINS
from strongroom.codecs import bip32
from strongroom.domain.secret import Secret
from strongroom.domain.signing import Message, OurKey, SignOptions
from strongroom.domain.wallet import PublicNode
from strongroom.entrypoints.binding import bind, to_tree
from strongroom.entrypoints.http.body import BodyLimits
from strongroom.entrypoints.http.examples import EXAMPLES, MORE_COMMANDS
from strongroom.entrypoints.http.openapi import document
from strongroom.errors import every_error
from strongroom.keys import bip39, derivation
from strongroom.operations.messages import message_bytes
from strongroom.operations.networks import Networks
from strongroom.operations.registry import OPERATIONS, Operation

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
    for told in ("1234 bytes", "5.5 seconds", "678 JSON\nvalues"):
        assert told in description


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


def test_every_operation_has_one_example() -> None:
    assert list(EXAMPLES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_example_of_a_command(name: str) -> None:
    command = bind(EXAMPLES[name].command, BY_NAME[name].command)
    tree = to_tree(command)
    assert {field: tree[field] for field in EXAMPLES[name].command} == EXAMPLES[name].command


@pytest.mark.parametrize("name", NAMES)
def test_example_of_a_result(name: str) -> None:
    def secret(target: type, value: Any) -> Any:
        assert target is Secret
        return Secret(value)

    result = msgspec.convert(EXAMPLES[name].result, BY_NAME[name].result, dec_hook=secret)
    assert to_tree(result) == EXAMPLES[name].result


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_examples_fit_their_schemas(operation: Operation) -> None:
    described_ = described(operation)
    answer = described_["responses"][str(operation.status)]["content"]["application/json"]
    validator(answer["schema"]).validate(answer["examples"]["usual"]["value"])
    for parameter in described_["parameters"]:
        if "example" in parameter:
            validator(parameter["schema"]).validate(parameter["example"])
    if "requestBody" in described_:
        body = described_["requestBody"]["content"]["application/json"]
        validator(body["schema"]).validate(body["examples"]["usual"]["value"])
        assert not validator(body["schema"]).is_valid({**body["examples"]["usual"]["value"], "unknown": 1})


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
    responses = described(operation)["responses"]
    for error in operation.errors:
        schema = responses[str(error.http_status)]["content"]["application/problem+json"]["schema"]
        assert error.code in schema["allOf"][1]["properties"]["code"]["enum"]
    known = {error.code for error in every_error()}
    for status, response in responses.items():
        if status.startswith(("4", "5")):
            schema = response["content"]["application/problem+json"]["schema"]
            assert set(schema["allOf"][1]["properties"]["code"]["enum"]) <= known


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
        "accounts.get": EXAMPLES["wallets.create"].result["backup"]["mnemonic"],
    }
    for name, mnemonic in words.items():
        seed = bip39.seed(bip39.parse(mnemonic))
        fingerprint = bip32.fingerprint(derivation.public_key(derivation.derive(seed, ()))).hex()
        assert EXAMPLES[name].result["master_fingerprint"] == fingerprint
    assert "abandon" not in words["wallets.import"]


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


@pytest.mark.parametrize(
    ("name", "command"),
    [(name, command) for name, more in MORE_COMMANDS.items() for command in more.values()],
    ids=lambda value: value if isinstance(value, str) else value["network"],
)
def test_further_commands_are_bound_and_read_by_their_chain(name: str, command: dict[str, Any]) -> None:
    tree = to_tree(bind(command, BY_NAME[name].command))
    assert {field: tree[field] for field in command} == command
    networks = Networks(
        CHAINS, [one for chain in CHAINS.values() for one in chain.networks], limits={}, any_network=False
    )
    network, chain = networks.resolve(command["network"])
    if "unsigned_tx" in command:
        decoded = chain.decode(network, command["unsigned_tx"])
        [action] = chain.summarise(decoded, None).actions
        assert (action.kind, action.amount) == ("token_transfer", "25000000")
    else:
        assert command["format"] in chain.message_formats
    described = DOCUMENT["paths"][f"/api/v1{BY_NAME[name].path}"]["post"]["requestBody"]
    assert command["network"] in described["content"]["application/json"]["examples"]

"""A command for each operation, and results with everything set or everything left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from google.protobuf.message import Message

from strongroom.domain.secret import Secret

WALLET = "0190f3a1-7c1e-7d2b-9a35-5b6f6a2f4c11"
NETWORK = "ethereum"
ADDRESS = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"
TYPED_DATA = {
    "types": {"A": [{"name": "b", "type": "uint256"}]},
    "primaryType": "A",
    "domain": {},
    "message": {"b": 2**200},
}
POSITION = {
    "scheme": "bip44",
    "account": 0,
    "change": 1,
    "index": 2**31 - 1,
    "path": "m/44'/60'/0'/0/0",
    "address": "0x",
}
PAGE = {"cursor": "abc", "limit": 200}

COMMANDS: dict[str, dict[str, Any]] = {
    "wallets.create": {
        "label": "first", "words": 12, "language": "japanese", "passphrase": "", "networks": [NETWORK, "polygon"],
        "external_id": "customer-1", "backup": True, "kind": "bip39",
    },
    "wallets.create_batch": {
        "label": "first", "words": 12, "language": "japanese", "passphrase": "", "networks": [NETWORK],
        "external_id": "customer-1", "backup": True, "kind": "bip39", "count": 1000, "items": [
            {"label": "one", "words": 24, "language": "english", "passphrase": "x", "networks": ["polygon"],
             "external_id": "e", "backup": False, "kind": "ton_native", "ref": "1"},
        ],
    },
    "wallets.import": {
        "kind": "bip39", "mnemonic": "abandon", "passphrase": "TREZOR", "language": "english", "keyspace": "evm",
        "format": "hex", "key": "00", "label": "", "networks": [NETWORK], "external_id": "customer-2",
        "discover": True,
    },
    "wallets.list": {"state": "active", "kind": "raw_key", "label": "l", "external_id": "e", **PAGE},
    "wallets.get": {"wallet_id": WALLET},
    "wallets.update": {"wallet_id": WALLET, "label": ""},
    "wallets.limit": {"wallet_id": WALLET, "rates": {"sign": "10/minute", "read": "off"}},
    "wallets.archive": {"wallet_id": WALLET},
    "wallets.unarchive": {"wallet_id": WALLET},
    "addresses.derive": {
        "wallet_id": WALLET, "network": NETWORK, "index": 0, "scheme": "bip44", "account": 7, "change": 0, "path": "m",
    },
    "addresses.next": {
        "wallet_id": WALLET, "network": NETWORK, "scheme": "bip44", "account": 1, "label": "ß", "external_id": "e",
    },
    "addresses.next_batch": {
        "wallet_id": WALLET, "network": NETWORK, "count": 1000, "scheme": "bip44", "account": 1, "label": "ß",
    },
    "addresses.list": {
        "wallet_id": WALLET, "network": NETWORK, "scheme": "bip44", "external_id": "e", "all": True, **PAGE,
    },
    "addresses.find": {"network": NETWORK, "address": ADDRESS},
    "addresses.validate": {"network": NETWORK, "address": ""},
    "accounts.get": {"wallet_id": WALLET, "network": NETWORK, "scheme": "bip44", "account": 3},
    "transactions.sign": {
        "wallet_id": WALLET, "network": NETWORK, "unsigned_tx": {"type": "0x2", "accessList": [], "value": 2**70},
        "options": {
            "replaces": "0xab", "allow_resign": True, "allow_pre155": False, "allowed_sighashes": ["ALL|ANYONECANPAY"],
            "allow": ["creation_without_code"],
        },
        "broadcast": True,
        **POSITION,
    },
    "transactions.sign_batch": {"items": [
        {"wallet_id": WALLET, "network": NETWORK, "unsigned_tx": "0x02c0", "options": {"allow_resign": True},
         "broadcast": False, "ref": "a", **POSITION},
    ]},
    "transactions.decode": {"network": NETWORK, "unsigned_tx": "0x02c0"},
    "messages.sign": {
        "wallet_id": WALLET, "network": NETWORK, "format": "eip191", "message": "", "encoding": "text", **POSITION,
        "domain": "example.com", "timestamp": 2**53 + 1, "payload": {"type": "text", "text": "a"},
    },
    "typed_data.sign": {"wallet_id": WALLET, "network": NETWORK, "typed_data": TYPED_DATA, **POSITION},
    "authorizations.sign": {
        "wallet_id": WALLET, "network": NETWORK, "chain_id": "0", "contract": ADDRESS, "nonce": "1",
        "allow_resign": True, **POSITION,
    },
    "messages.verify": {
        "network": NETWORK, "format": "eip191", "message": "a\0b", "encoding": "text", "signature": "0x", "address": "",
        "domain": "", "timestamp": 0, "payload": "nonce", "public_key": "00",
    },
    "typed_data.verify": {"network": NETWORK, "typed_data": TYPED_DATA, "signature": "0x", "address": ADDRESS},
    "addresses.discover": {
        "wallet_id": WALLET, "network": NETWORK, "scheme": "bip44", "account": 1, "gap": 5, "budget": 10,
    },
    "addresses.discovery": {"wallet_id": WALLET, "discovery_id": WALLET},
    "balances.wallet": {
        "wallet_id": WALLET, "network": NETWORK, "tokens": "none", "detail": "addresses", "fresh": True, "cursor": "c",
    },
    "balances.address": {"network": NETWORK, "address": ADDRESS, "tokens": "all", "fresh": True},
    "history.wallet": {"wallet_id": WALLET, "network": NETWORK, "address": ADDRESS, **PAGE, "limit": 100},
    "history.address": {"network": NETWORK, "address": ADDRESS, **PAGE, "limit": 100},
    "transactions.state": {"network": NETWORK, "tx_id": "0xab"},
    "transactions.broadcast": {"network": NETWORK, "signed_tx": "0x02"},
    "fees.suggest": {"network": NETWORK},
    "networks.head": {"network": NETWORK},
    "networks.list": {},
    "api_keys.create": {
        "name": "ops", "scopes": ["admin", "audit:read"],
        "expires_at": datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        "restriction": {
            "networks": [NETWORK], "wallets": [WALLET], "client_networks": ["10.0.0.0/8"], "rates": {"sign": "1/day"},
            "unknown_calls": "refuse", "max_values": {"eip155:1/slip44:60": "1"},
        },
    },
    "api_keys.list": dict(PAGE),
    "api_keys.revoke": {"key_id": WALLET},
    "audit.list": {
        "wallet_id": WALLET, "operation": "wallets.get", "operation_id": WALLET, "outcome": "denied", **PAGE,
    },
    "tasks.list": {"kind": "verify", **PAGE},
    "tasks.retry": {"kind": "verify", "key": "audit"},
    "revocations.create": {
        "issuer": "https://issuer.example",
        "subject": "s",
        "token_id": "t ß",
        "principal_id": WALLET,
        "reason": "left ß",
    },
    "revocations.list": dict(PAGE),
    "revocations.lift": {"revocation_id": WALLET},
    "client_networks.get": {},
    "client_networks.set": {"networks": ["10.0.0.0/8", "2001:db8::/32"], "force": True},
    "tasks.cancel": {"kind": "alert", "key": "rule/subject ß"},
    "alerts.list": {"state": "firing", **PAGE},
    "alerts.notifications": dict(PAGE),
    "alerts.silence": {"rule": "circuit", "subject": "vault ß", "seconds": 60},
    "alerts.test": {"channel": "slack", "severity": "critical"},
}  # fmt: skip
"""By operation: every field of its command."""


def pack(tree: Mapping[str, Any], message_type: type[Message]) -> Message:
    """What a caller does who has the same command for gRPC."""
    return message_type(**_as_messages(tree))


def _as_messages(tree: Mapping[str, Any]) -> dict[str, Any]:
    fields = dict(tree)
    if isinstance(fields.get("items"), list):
        fields["items"] = [_as_messages(item) for item in fields["items"]]
    if "unsigned_tx" in fields:
        transaction = fields["unsigned_tx"]
        as_text = isinstance(transaction, str)
        fields["unsigned_tx"] = {"encoded": transaction} if as_text else {"json": json.dumps(transaction)}
    if "payload" in fields:
        payload = fields["payload"]
        fields["payload"] = {"text": payload} if isinstance(payload, str) else {"json": json.dumps(payload)}
    if "typed_data" in fields:
        fields["typed_data"] = {"json": json.dumps(fields["typed_data"])}
    return fields


def unpack(message: Any, struct: type[msgspec.Struct]) -> dict[str, Any]:
    """An answer, as the tree of the result that it was made from."""
    tree = {}
    for name, hint in get_type_hints(struct).items():
        if not _left_out(message, name):
            tree[name] = _unpack_field(message, name, hint)
        elif _required(struct, name):
            tree[name] = None
    return tree


def sample(hint: Any, *, full: bool) -> Any:
    """A value of the type: with every optional part, or with none."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return sample(args[0], full=full)
    if origin in (Union, UnionType):
        return sample(next(part for part in args if part is not NoneType), full=full) if full else None
    if origin is Literal:
        return args[0]
    if origin is list:
        return [sample(args[0], full=full), sample(args[0], full=False)] if full else []
    if origin is dict:
        return _sample_dict(args[1], full=full)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint(**{
            name: sample(inner, full=full)
            for name, inner in get_type_hints(hint, include_extras=True).items()
            if full or _required(hint, name)
        })  # fmt: skip
    return _SCALARS[hint]()


_SCALARS: dict[Any, Any] = {
    str: lambda: "text ß",
    int: lambda: 2**31 - 1,
    bool: lambda: True,
    UUID: lambda: UUID(WALLET),
    datetime: lambda: datetime(2026, 11, 24, 7, 58, 47, 123456, tzinfo=UTC),
    Secret: lambda: Secret("abandon about"),
}


def _sample_dict(value: Any, *, full: bool) -> dict[str, Any]:
    if not full:
        return {}
    if value is Any:
        return {"nested": {"list": [1, "2", None, True]}}
    return {"one": "1"} if value is str else {"one": "1", "none": None}


def _required(struct: type[msgspec.Struct], name: str) -> bool:
    return next(field.required for field in msgspec.structs.fields(struct) if field.name == name)


def _left_out(message: Any, name: str) -> bool:
    field = message.DESCRIPTOR.fields_by_name[name]
    return bool(field.has_presence) and not message.HasField(name)


def _unpack_field(message: Any, name: str, hint: Any) -> Any:
    value = getattr(message, name)
    if get_origin(hint) in (Union, UnionType):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    origin, args = get_origin(hint), get_args(hint)
    if hint is datetime:
        return value.ToDatetime(tzinfo=UTC)
    if origin is dict and args[1] is Any:
        return json.loads(value.json)
    if origin is dict and args[1] is not str:
        return {key: limit.value if limit.HasField("value") else None for key, limit in value.items()}
    if origin is dict:
        return dict(value)
    if origin is list:
        inner = args[0]
        return [unpack(item, inner) if hasattr(item, "DESCRIPTOR") else item for item in value]
    return unpack(value, hint) if hasattr(value, "DESCRIPTOR") else value

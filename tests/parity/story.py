"""One story that uses every operation, and is refused by every one in every way that both REST and gRPC can express.

Text that begins with ``$`` stands for what an earlier step saved. `tell` tells the story over either of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from strongroom.domain.asset import coin_of
from strongroom.domain.network import Network
from strongroom.storage.base import Unit, Wake
from tests.support.fake_reader import FakeReader, entry
from tests.support.service import ALL_SCOPES, OTHER_TENANT, TENANT, Face, NewService, Outcome, RunningService

MNEMONIC = "test test test test test test test test test test test junk"
FIRST = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
"""Its key at m/44'/60'/0'/0/0."""
STRANGER = "0x3535353535353535353535353535353535353535"
MISSING = "00000000-0000-4000-8000-000000000000"
RAW_KEY = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
ISSUER = "https://issuer.example"
HIDDEN = "a\u202eb"


@dataclass(frozen=True)
class Step:
    operation: str
    command: Mapping[str, Any]
    code: str = "ok"
    place: str | None = None
    """The field that is wrong."""
    save: Mapping[str, str] = field(default_factory=dict)
    """From a name to the dotted place in the result."""
    key: str = "all"
    """all, other (of another tenant), plain (without the scopes of options)."""


def ok(operation: str, command: Mapping[str, Any], *, key: str = "all", **save: str) -> Step:
    return Step(operation, command, save=save, key=key)


def no(operation: str, code: str, place: str | None, command: Mapping[str, Any], *, key: str = "all") -> Step:
    return Step(operation, command, code, place, key=key)


def transfer(**changes: Any) -> dict[str, Any]:
    fields = {
        "type": "0x2", "chainId": "0x1", "nonce": "0x0", "gas": "0x5208", "maxFeePerGas": "0x77359400",
        "maxPriorityFeePerGas": "0x3b9aca00", "to": STRANGER, "value": "0xde0b6b3a7640000",
    }  # fmt: skip
    return {name: value for name, value in (fields | changes).items() if value is not None}


LEGACY = {"type": "0x0", "nonce": "0x9", "gas": "0x5208", "gasPrice": "0x77359400", "to": STRANGER, "value": "0x1"}
PERMIT = {
    "types": {
        "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
        "Permit": [{"name": "spender", "type": "address"}, {"name": "value", "type": "uint256"}],
    },
    "primaryType": "Permit",
    "domain": {"name": "Toy", "chainId": 1},
    "message": {"spender": STRANGER, "value": str(2**256 - 1)},
}
ELSEWHERE = PERMIT | {"domain": {"name": "Toy", "chainId": 137}}

WALLET = {"wallet_id": "$wallet"}
ON_ETHEREUM = WALLET | {"network": "ethereum"}
MESSAGE = {"format": "eip191", "message": "hello", "encoding": "text"}
DELEGATION = {"chain_id": "1", "contract": STRANGER, "nonce": "7"}
SIGNATURE = {"signature": "$signature", "address": FIRST}

WALLETS = (
    ok("wallets.create", {"words": 12, "label": "Cafe\u0301", "networks": ["ethereum", "eip155:137"], "backup": True},
       created="id"),
    ok("wallets.import", {"kind": "bip39", "mnemonic": MNEMONIC, "networks": ["ethereum"], "external_id": "one"},
       wallet="id"),
    ok("wallets.import", {"kind": "raw_key", "keyspace": "evm", "format": "hex", "key": RAW_KEY}, raw="id"),
    ok("wallets.import", {"kind": "bip39", "mnemonic": MNEMONIC, "passphrase": "x"}, key="other", foreign="id"),
    ok("wallets.import",
       {"kind": "bip39", "mnemonic": MNEMONIC, "passphrase": "old", "networks": ["ethereum"]}, archived="id"),
    ok("wallets.get", WALLET),
    ok("wallets.update", WALLET | {"label": "Treasury"}),
    ok("wallets.update", {"wallet_id": "$created", "label": ""}),
    ok("wallets.list", {"limit": 2}, page="next_cursor"),
    ok("wallets.list", {"limit": 2, "cursor": "$page"}),
    ok("wallets.list", {"external_id": "one", "label": "Treasury", "kind": "bip39", "state": "active"}),
    ok("wallets.limit", WALLET | {"rates": {"read": "500/second", "sign": "off"}}),
    ok("wallets.limit", WALLET | {"rates": {}}),
    no("wallets.limit", "invalid_field", "rates", WALLET | {"rates": {"sign": "many"}}),
    no("wallets.limit", "invalid_field", "rates", WALLET | {"rates": {"nothing": "1/second"}}),
    ok("wallets.archive", {"wallet_id": "$archived"}),
    ok("wallets.archive", {"wallet_id": "$archived"}),
    ok("wallets.unarchive", {"wallet_id": "$archived"}),
    ok("wallets.archive", {"wallet_id": "$archived"}),
    ok("wallets.create_batch", {"count": 2, "words": 12, "networks": ["ethereum"]}),
    ok("wallets.create_batch", {"items": [
        {"ref": "a", "label": "till", "backup": True}, {"ref": "b", "external_id": "one"}, {"networks": ["nowhere"]},
    ]}),
    no("wallets.create_batch", "invalid_field", "items", {}),
    no("wallets.create_batch", "invalid_field", "items", {"items": [{"ref": "a"}], "count": 1}),
    no("wallets.create_batch", "invalid_field", "items", {"items": [{"ref": "a"}], "label": "till"}),
    no("wallets.create_batch", "invalid_field", "external_id", {"count": 2, "external_id": "two"}),
    no("wallets.create_batch", "invalid_field", "count", {"count": 1001}),
    no("wallets.create", "invalid_field", "words", {"words": 13}),
    no("wallets.create", "invalid_field", "language", {"language": "klingon"}),
    no("wallets.create", "invalid_field", "label", {"label": HIDDEN}),
    no("wallets.create", "invalid_field", "label", {"label": "x" * 129}),
    no("wallets.create", "unknown_network", "network", {"networks": ["ethereum", "nowhere"]}),
    no("wallets.create", "external_id_taken", "external_id", {"external_id": "one"}),
    no("wallets.create", "forbidden", None, {"backup": True}, key="plain"),
    no("wallets.import", "invalid_field", "kind", {"kind": "electrum"}),
    no("wallets.import", "invalid_field", "mnemonic", {"kind": "bip39"}),
    no("wallets.import", "invalid_field", "key", {"kind": "bip39", "mnemonic": MNEMONIC, "key": RAW_KEY}),
    no("wallets.import", "invalid_field", "key", {"kind": "raw_key", "keyspace": "evm"}),
    no("wallets.import", "invalid_field", "keyspace",
       {"kind": "raw_key", "keyspace": "nowhere", "format": "hex", "key": RAW_KEY}),
    no("wallets.import", "invalid_key", "key",
       {"kind": "raw_key", "keyspace": "evm", "format": "hex", "key": "00" * 32}),
    no("wallets.import", "invalid_mnemonic", "mnemonic",
       {"kind": "bip39", "mnemonic": MNEMONIC.replace("junk", "test")}),
    no("wallets.import", "external_id_taken", "external_id",
       {"kind": "bip39", "mnemonic": MNEMONIC, "external_id": "one"}),
    no("wallets.get", "malformed_request", "wallet_id", {"wallet_id": "1"}),
    no("wallets.list", "invalid_field", "limit", {"limit": 0}),
    no("wallets.list", "invalid_field", "limit", {"limit": 201}),
    no("wallets.list", "invalid_field", "state", {"state": "gone"}),
    no("wallets.list", "malformed_request", "cursor", {"cursor": "x"}),
    no("wallets.update", "invalid_field", "label", WALLET | {"label": HIDDEN}),
)  # fmt: skip

ADDRESSES = (
    ok("addresses.derive", ON_ETHEREUM),
    ok("addresses.derive", WALLET | {"network": "polygon", "index": 7}, seventh="address"),
    ok("addresses.derive", ON_ETHEREUM | {"scheme": "ledger-live", "index": 2}),
    ok("addresses.derive", ON_ETHEREUM | {"path": "m/44'/60'/3'/1/9"}),
    ok("addresses.derive", {"wallet_id": "$archived", "network": "ethereum"}),
    ok("addresses.next", ON_ETHEREUM | {"label": "deposit", "external_id": "d-1"}),
    ok("addresses.next", ON_ETHEREUM | {"scheme": "ledger-live"}),
    ok("addresses.next_batch", ON_ETHEREUM | {"count": 3, "label": "many"}),
    ok("addresses.next_batch", ON_ETHEREUM | {"count": 2, "scheme": "ledger-live", "account": 1}),
    ok("addresses.next_batch", {"wallet_id": "$archived", "network": "ethereum", "count": 2}),
    no("addresses.next_batch", "invalid_field", "count", ON_ETHEREUM | {"count": 0}),
    no("addresses.next_batch", "invalid_field", "count", ON_ETHEREUM | {"count": 1001}),
    ok("addresses.list", WALLET | {"scheme": "ledger-live", "limit": 1}, page="next_cursor"),
    ok("addresses.list", WALLET | {"scheme": "ledger-live", "limit": 1, "cursor": "$page"}),
    ok("addresses.list", ON_ETHEREUM | {"scheme": "bip44", "external_id": "d-1"}),
    ok("addresses.find", {"network": "base", "address": "$seventh"}),
    ok("addresses.validate", {"network": "ethereum", "address": FIRST.lower()}),
    ok("addresses.validate", {"network": "ethereum", "address": "0x00"}),
    ok("accounts.get", ON_ETHEREUM),
    ok("accounts.get", ON_ETHEREUM | {"account": 5}),
    *(
        no(operation, code, place, command)
        for operation in ("addresses.derive", "addresses.next", "accounts.get")
        for code, place, command in (
            ("unknown_network", "network", WALLET | {"network": "nowhere"}),
            ("unknown_scheme", "scheme", ON_ETHEREUM | {"scheme": "nothing"}),
            ("invalid_field", "account", ON_ETHEREUM | {"account": 2**31}),
            ("wallet_archived", "wallet_id", {"wallet_id": "$archived", "network": "ethereum", "account": 9}),
        )
        if (operation, code) != ("addresses.next", "wallet_archived")
    ),
    no("addresses.derive", "invalid_path", "path", ON_ETHEREUM | {"path": "m/1/2"}),
    no("addresses.derive", "invalid_path", "path", ON_ETHEREUM | {"path": "m/44'/60'/0'/0/x"}),
    no("addresses.derive", "invalid_field", "path", ON_ETHEREUM | {"path": "m/44'/60'/0'/0/1", "index": 1}),
    no("addresses.derive", "invalid_field", "index", ON_ETHEREUM | {"index": 2**31}),
    no("addresses.derive", "invalid_field", "change", ON_ETHEREUM | {"change": 2}),
    no("addresses.derive", "invalid_field", "scheme", ON_ETHEREUM | {"scheme": "ledger-live", "account": 1}),
    no("addresses.next", "wallet_archived", "wallet_id", {"wallet_id": "$archived", "network": "ethereum"}),
    no("addresses.next", "unknown_scheme", "scheme", {"wallet_id": "$raw", "network": "ethereum"}),
    no("addresses.next", "invalid_field", "label", ON_ETHEREUM | {"label": HIDDEN}),
    no("addresses.list", "unknown_network", "network", WALLET | {"network": "nowhere"}),
    no("addresses.list", "malformed_request", "cursor", WALLET | {"cursor": "x"}),
    no("addresses.find", "not_found", "address", {"network": "ethereum", "address": "0x" + "11" * 20}),
    no("addresses.find", "invalid_address", "address", {"network": "ethereum", "address": FIRST[:-1] + "7"}),
    no("addresses.find", "unknown_network", "network", {"network": "nowhere", "address": FIRST}),
    no("addresses.find", "not_found", "address", {"network": "ethereum", "address": FIRST}, key="other"),
    no("addresses.validate", "unknown_network", "network", {"network": "nowhere", "address": FIRST}),
    no("accounts.get", "unknown_scheme", "scheme", ON_ETHEREUM | {"scheme": "ledger-live"}),
)

TRANSACTIONS = (
    ok("transactions.decode", {"network": "ethereum", "unsigned_tx": transfer()}),
    ok("transactions.sign", ON_ETHEREUM | {"unsigned_tx": transfer()}, first="tx_id", signed="signed_tx"),
    ok("transactions.sign", ON_ETHEREUM | {"unsigned_tx": transfer(**{"from": FIRST})}),
    ok("transactions.sign", ON_ETHEREUM | {"unsigned_tx": transfer(value="0x1"), "options": {"replaces": "$first"}}),
    ok("transactions.sign", ON_ETHEREUM | {"unsigned_tx": transfer(value="0x2"), "options": {"allow_resign": True}}),
    ok("transactions.sign", ON_ETHEREUM | {"unsigned_tx": LEGACY, "options": {"allow_pre155": True}}),
    ok("transactions.sign", ON_ETHEREUM | {"unsigned_tx": transfer(), "scheme": "ledger-live", "index": 2}),
    ok("transactions.sign", {"wallet_id": "$raw", "network": "ethereum", "unsigned_tx": transfer()}),
    ok("transactions.sign_batch", {"items": [
        ON_ETHEREUM | {"unsigned_tx": transfer(nonce="0x70"), "ref": "a"},
        ON_ETHEREUM | {"unsigned_tx": "0x02c0", "ref": "b"},
        {"wallet_id": MISSING, "network": "ethereum", "unsigned_tx": transfer(), "ref": "c"},
        {"wallet_id": "$archived", "network": "ethereum", "unsigned_tx": transfer()},
        ON_ETHEREUM | {"unsigned_tx": transfer(nonce="0x70", value="0x9")},
        ON_ETHEREUM | {"unsigned_tx": transfer(nonce="0x71"), "options": {"replaces": "$first"}},
    ]}),
    no("transactions.sign_batch", "invalid_field", "items", {"items": []}),
    no("transactions.sign", "already_signed", "options.replaces", ON_ETHEREUM | {"unsigned_tx": transfer(value="0x3")}),
    no("transactions.sign", "already_signed", "options.replaces",
       ON_ETHEREUM | {"unsigned_tx": transfer(value="0x3"), "options": {"replaces": "0x00"}}),
    no("transactions.sign", "option_required", "unsigned_tx.chainId", ON_ETHEREUM | {"unsigned_tx": LEGACY}),
    *(
        no("transactions.sign", "forbidden", None, ON_ETHEREUM | {"unsigned_tx": transfer(), "options": option},
           key="plain")
        for option in ({"replaces": "0x00"}, {"allow_resign": True}, {"allow_pre155": True},
                       {"allowed_sighashes": ["NONE"]})
    ),
    *(
        no(operation, code, place, owner | {"network": network, "unsigned_tx": unsigned})
        for operation, owner in (("transactions.sign", WALLET), ("transactions.decode", {}))
        for code, place, network, unsigned in (
            ("unknown_network", "network", "nowhere", transfer()),
            ("invalid_transaction", "unsigned_tx.chainId", "polygon", transfer()),
            ("invalid_transaction", "unsigned_tx", "ethereum", "0x02c0"),
            ("invalid_transaction", "unsigned_tx", "ethereum", "words"),
            ("invalid_transaction", "unsigned_tx.extra", "ethereum", transfer(extra="0x1")),
            ("invalid_transaction", "unsigned_tx.gas", "ethereum", transfer(gas="0x1")),
            ("limit_exceeded", "unsigned_tx.gas", "ethereum", transfer(maxFeePerGas=hex(10**15))),
        )
    ),
    no("transactions.sign", "wrong_key", "address", ON_ETHEREUM | {"unsigned_tx": transfer(**{"from": STRANGER})}),
    no("transactions.sign", "wrong_key", "unsigned_tx.from",
       ON_ETHEREUM | {"unsigned_tx": transfer(**{"from": STRANGER}), "index": 0}),
    no("transactions.sign", "wrong_key", "address", ON_ETHEREUM | {"unsigned_tx": transfer(), "address": STRANGER}),
    no("transactions.sign", "invalid_address", "address", ON_ETHEREUM | {"unsigned_tx": transfer(), "address": "0x"}),
    no("transactions.sign", "address_not_derived", "index",
       ON_ETHEREUM | {"unsigned_tx": transfer(), "scheme": "ledger-live", "index": 99}),
)  # fmt: skip

MESSAGES = (
    ok("messages.sign", ON_ETHEREUM | MESSAGE, signature="signature"),
    ok("messages.sign", ON_ETHEREUM | MESSAGE | {"message": "0x00ff", "encoding": "hex", "index": 7}),
    ok("typed_data.sign", ON_ETHEREUM | {"typed_data": PERMIT}, typed="signature"),
    ok("authorizations.sign", ON_ETHEREUM | DELEGATION),
    ok("authorizations.sign", ON_ETHEREUM | DELEGATION | {"chain_id": "0", "nonce": "8"}),
    *(
        no("authorizations.sign", "already_signed", "options.replaces", ON_ETHEREUM | DELEGATION | change)
        for change in ({"contract": FIRST}, {"chain_id": "0"}, {"nonce": "0"},
                       {"chain_id": "0", "nonce": "8", "contract": FIRST})
    ),
    no("transactions.sign", "already_signed", "options.replaces", ON_ETHEREUM | {"unsigned_tx": transfer(nonce="0x7")}),
    no("transactions.sign", "already_signed", "options.replaces", ON_ETHEREUM | {"unsigned_tx": transfer(nonce="0x8")}),
    ok("messages.verify", {"network": "ethereum"} | MESSAGE | SIGNATURE),
    ok("messages.verify", {"network": "ethereum"} | MESSAGE | SIGNATURE | {"address": STRANGER}),
    ok("typed_data.verify", {"network": "ethereum", "typed_data": PERMIT, "signature": "$typed", "address": FIRST}),
    *(
        no(operation, code, place, {"network": "ethereum"} | MESSAGE | owner | change)
        for operation, owner in (("messages.sign", WALLET), ("messages.verify", SIGNATURE))
        for code, place, change in (
            ("unknown_network", "network", {"network": "nowhere"}),
            ("invalid_message", "format", {"format": "eip712"}),
            ("invalid_message", "format", {"format": "bip322"}),
            ("invalid_message", "message", {"message": "abc", "encoding": "hex"}),
            ("invalid_field", "encoding", {"encoding": "base64"}),
            ("invalid_message", "domain", {"domain": "example.com"}),
            ("invalid_message", "payload", {"payload": {"type": "text", "text": "a"}}),
            ("invalid_message", "message", {"network": "ton", "format": "ton-proof"}),
            ("invalid_message", "format", {"format": "ton-proof"}),
        )
    ),
    no("messages.sign", "wrong_key", "address", ON_ETHEREUM | MESSAGE | {"address": STRANGER}),
    no("messages.sign", "invalid_field", "address", ON_ETHEREUM | MESSAGE | {"address": FIRST, "index": 0}),
    no("messages.verify", "invalid_message", "signature", {"network": "ethereum"} | MESSAGE | SIGNATURE
       | {"signature": "0x00"}),
    no("messages.verify", "invalid_address", "address", {"network": "ethereum"} | MESSAGE | SIGNATURE
       | {"address": "0x00"}),
    no("typed_data.sign", "invalid_message", "typed_data.domain.chainId", ON_ETHEREUM | {"typed_data": ELSEWHERE}),
    no("typed_data.sign", "invalid_message", "typed_data", ON_ETHEREUM | {"typed_data": {"types": {}}}),
    no("typed_data.verify", "invalid_message", "typed_data",
       {"network": "ethereum", "typed_data": {"types": {}}} | SIGNATURE),
    no("authorizations.sign", "invalid_message", "chain_id", ON_ETHEREUM | DELEGATION | {"chain_id": "137"}),
    no("authorizations.sign", "invalid_field", "nonce", ON_ETHEREUM | DELEGATION | {"nonce": "0x1"}),
    no("authorizations.sign", "invalid_message", "authorization", ON_ETHEREUM | DELEGATION | {"contract": "0x00"}),
)  # fmt: skip

SENDING = ON_ETHEREUM | {"unsigned_tx": transfer(nonce="0x20"), "broadcast": True}
OWN = ("balances.wallet", "history.wallet")
FOREIGN = ("balances.address", "history.address")
OF_A_NETWORK = ("networks.head", "fees.suggest")

CHAIN = (
    ok("balances.wallet", ON_ETHEREUM | {"detail": "addresses"}),
    ok("balances.wallet", ON_ETHEREUM | {"tokens": "none", "fresh": True}),
    ok("balances.address", {"network": "ethereum", "address": FIRST, "tokens": "all"}),
    ok("history.wallet", ON_ETHEREUM | {"limit": 1}, older="next_cursor"),
    ok("history.wallet", ON_ETHEREUM | {"limit": 1, "cursor": "$older"}),
    ok("history.wallet", ON_ETHEREUM | {"address": FIRST}),
    ok("history.address", {"network": "ethereum", "address": FIRST}),
    ok("transactions.state", {"network": "ethereum", "tx_id": "$first"}),
    ok("transactions.broadcast", {"network": "ethereum", "signed_tx": "$signed"}),
    ok("transactions.broadcast", {"network": "ethereum", "signed_tx": "$signed"}),
    ok("transactions.state", {"network": "ethereum", "tx_id": "$first"}),
    ok("transactions.sign", SENDING),
    ok("addresses.discover", ON_ETHEREUM, discovery="id"),
    ok("addresses.discover", ON_ETHEREUM | {"gap": 3}),
    ok("addresses.discovery", WALLET | {"discovery_id": "$discovery"}),
    no("addresses.discovery", "not_found", "discovery_id", WALLET | {"discovery_id": MISSING}),
    no("addresses.discovery", "not_found", "wallet_id", WALLET | {"discovery_id": "$discovery"}, key="other"),
    no("addresses.discover", "unknown_scheme", "scheme", ON_ETHEREUM | {"scheme": "raw"}),
    no("addresses.discover", "invalid_field", "gap", ON_ETHEREUM | {"gap": 101}),
    no("addresses.discover", "invalid_field", "budget", ON_ETHEREUM | {"budget": 0}),
    ok("networks.head", {"network": "ethereum"}),
    ok("fees.suggest", {"network": "ethereum"}),
    *(
        no(operation, code, "network", command | {"network": network})
        for operation, command in (
            *((name, WALLET) for name in OWN),
            *((name, {"address": FIRST}) for name in FOREIGN),
            *((name, {}) for name in OF_A_NETWORK),
            ("addresses.discover", WALLET),
            ("transactions.state", {"tx_id": "$first"}),
            ("transactions.broadcast", {"signed_tx": "$signed"}),
        )
        for code, network in (("unknown_network", "nowhere"), ("source_missing", "polygon"))
    ),
    *(no(name, "invalid_address", "address", {"network": "ethereum", "address": "0x00"}) for name in FOREIGN),
    no("history.wallet", "malformed_request", "cursor", ON_ETHEREUM | {"cursor": "x"}),
    no("history.address", "malformed_request", "cursor", {"network": "ethereum", "address": FIRST, "cursor": "$older"}),
    no("history.wallet", "invalid_field", "limit", ON_ETHEREUM | {"limit": 101}),
    no("history.wallet", "invalid_field", "address", ON_ETHEREUM | {"address": STRANGER}),
    no("balances.wallet", "malformed_request", "cursor", ON_ETHEREUM | {"cursor": "x"}),
    no("balances.wallet", "invalid_field", "tokens", ON_ETHEREUM | {"tokens": "all"}),
    no("transactions.state", "invalid_field", "tx_id", {"network": "ethereum", "tx_id": "a b"}),
    no("transactions.broadcast", "invalid_transaction", "signed_tx", {"network": "ethereum", "signed_tx": "0x02c0"}),
    no("transactions.sign", "forbidden", None, SENDING, key="plain"),
)  # fmt: skip

NEEDS: dict[str, dict[str, Any]] = {
    "wallets.get": {},
    "wallets.update": {"label": "x"},
    "wallets.limit": {"rates": {}},
    "wallets.archive": {},
    "wallets.unarchive": {},
    "addresses.derive": {"network": "ethereum"},
    "addresses.next": {"network": "ethereum"},
    "addresses.discover": {"network": "ethereum"},
    "addresses.discovery": {"discovery_id": MISSING},
    "addresses.list": {},
    "accounts.get": {"network": "ethereum"},
    "balances.wallet": {"network": "ethereum"},
    "history.wallet": {"network": "ethereum"},
    "transactions.sign": {"network": "ethereum", "unsigned_tx": transfer()},
    "messages.sign": {"network": "ethereum"} | MESSAGE,
    "typed_data.sign": {"network": "ethereum", "typed_data": PERMIT},
    "authorizations.sign": {"network": "ethereum"} | DELEGATION,
}
"""By operation on a wallet: what its command needs beside ``wallet_id``."""

OWNERS = (
    *(no(name, "not_found", "wallet_id", {"wallet_id": MISSING} | rest) for name, rest in NEEDS.items()),
    *(no(name, "not_found", "wallet_id", {"wallet_id": "$foreign"} | rest) for name, rest in NEEDS.items()),
    *(
        no(name, "wallet_archived", "wallet_id", {"wallet_id": "$archived"} | rest)
        for name, rest in NEEDS.items()
        if name.endswith(".sign")
    ),
)

ADMINISTRATION = (
    ok("networks.list", {}),
    ok("api_keys.create", {"name": "reader", "scopes": ["wallets:read", "wallets:read"],
                           "expires_at": "2099-01-01T00:00:00+00:00"}, made="id"),
    ok("api_keys.create", {"name": "theirs", "scopes": ["admin"]}, key="other", theirs="id"),
    ok("api_keys.list", {"limit": 1}, page="next_cursor"),
    ok("api_keys.list", {"limit": 1, "cursor": "$page"}, key="other"),
    ok("api_keys.revoke", {"key_id": "$made"}),
    ok("api_keys.revoke", {"key_id": "$made"}),
    no("api_keys.create", "invalid_field", "scopes", {"name": "a", "scopes": ["everything"]}),
    no("api_keys.create", "invalid_field", "scopes", {"name": "a", "scopes": []}),
    no("api_keys.create", "invalid_field", "name", {"name": HIDDEN, "scopes": ["admin"]}),
    no("api_keys.create", "invalid_field", "expires_at",
       {"name": "a", "scopes": ["admin"], "expires_at": "2020-01-01T00:00:00+00:00"}),
    no("api_keys.create", "forbidden", None, {"name": "a", "scopes": ["sign:replace"]}, key="plain"),
    no("api_keys.list", "malformed_request", "cursor", {"cursor": "x"}),
    no("api_keys.revoke", "not_found", "key_id", {"key_id": MISSING}),
    no("api_keys.revoke", "not_found", "key_id", {"key_id": "$theirs"}),
    ok("revocations.create", {"issuer": ISSUER, "subject": "one", "reason": "left"}, revoked="id"),
    ok("revocations.create", {"issuer": ISSUER, "subject": "one", "reason": "again"}),
    ok("revocations.create", {"issuer": ISSUER, "token_id": RAW_KEY}),
    ok("revocations.create", {"principal_id": MISSING}, key="other", unrevoked="id"),
    ok("revocations.list", {"limit": 1}, page="next_cursor"),
    ok("revocations.list", {"limit": 1, "cursor": "$page"}),
    ok("revocations.lift", {"revocation_id": "$revoked"}),
    ok("revocations.lift", {"revocation_id": "$revoked"}),
    ok("revocations.create", {"issuer": ISSUER, "subject": "one"}),
    no("revocations.create", "invalid_field", "subject", {}),
    no("revocations.create", "invalid_field", "issuer", {"subject": "one"}),
    no("revocations.create", "invalid_field", "issuer", {"issuer": ISSUER, "principal_id": MISSING}),
    no("revocations.create", "invalid_field", "token_id", {"issuer": ISSUER, "subject": "one", "token_id": "two"}),
    no("revocations.create", "invalid_field", "reason", {"issuer": ISSUER, "subject": "one", "reason": HIDDEN}),
    no("revocations.list", "malformed_request", "cursor", {"cursor": "x"}),
    no("revocations.lift", "not_found", "revocation_id", {"revocation_id": MISSING}),
    no("revocations.lift", "not_found", "revocation_id", {"revocation_id": "$unrevoked"}),
    ok("client_networks.get", {}),
    ok("client_networks.set", {"networks": ["10.0.0.0/8", "::ffff:127.0.0.0/104", "10.0.0.0/8"]}),
    ok("client_networks.get", {}),
    ok("client_networks.get", {}, key="other"),
    no("client_networks.set", "option_required", "force", {"networks": ["192.0.2.0/24"]}),
    no("client_networks.set", "option_required", "force", {"networks": ["0.0.0.0/1", "128.0.0.0/1"]}),
    no("client_networks.set", "invalid_field", "networks", {"networks": ["10.0.0.1/8"]}),
    ok("client_networks.set", {"networks": ["0.0.0.0/0"], "force": True}),
    ok("client_networks.set", {"networks": []}),
    ok("audit.list", {"limit": 200}),
    ok("audit.list", {"wallet_id": "$wallet", "operation": "transactions.sign", "outcome": "failed"}),
    ok("audit.list", {"operation": "keys.rewrap"}),
    no("audit.list", "invalid_field", "outcome", {"outcome": "lost"}),
    no("audit.list", "invalid_field", "operation", {"operation": "transactions.singe"}),
    no("audit.list", "malformed_request", "cursor", {"cursor": "x"}),
    ok("tasks.list", {"kind": "toy"}),
    ok("tasks.retry", {"kind": "toy", "key": "planted"}),
    ok("tasks.cancel", {"kind": "toy", "key": "planted"}),
    ok("tasks.cancel", {"kind": "toy", "key": "planted"}),
    ok("tasks.list", {"kind": "toy"}, key="other"),
    no("tasks.retry", "not_found", "key", {"kind": "toy", "key": "planted"}, key="other"),
    no("tasks.cancel", "not_found", "key", {"kind": "toy", "key": "planted"}, key="other"),
    no("tasks.list", "malformed_request", "cursor", {"cursor": "x"}),
    no("tasks.list", "invalid_field", "kind", {"kind": "No Kind"}),
    no("tasks.list", "invalid_field", "limit", {"limit": 201}),
    no("tasks.retry", "not_found", "key", {"kind": "verify", "key": "nothing"}),
    no("tasks.cancel", "not_found", "key", {"kind": "nothing", "key": "audit"}),
    no("tasks.cancel", "invalid_field", "key", {"kind": "verify", "key": "audit"}),
    no("tasks.cancel", "invalid_field", "key", {"kind": "verify", "key": ""}),
    ok("alerts.list", {"state": "ended"}),
    ok("alerts.list", {"state": "ended", "limit": 1}, key="other"),
    no("alerts.list", "invalid_field", "state", {"state": "quiet"}),
    no("alerts.list", "malformed_request", "cursor", {"cursor": "x"}),
    ok("alerts.silence", {"rule": "circuit", "subject": "vault", "seconds": 60}),
    ok("alerts.silence", {"rule": "circuit", "seconds": 0}),
    no("alerts.silence", "invalid_field", "rule", {"rule": "nothing", "seconds": 60}),
    no("alerts.silence", "invalid_field", "seconds", {"rule": "circuit", "seconds": 604_801}),
    no("alerts.silence", "invalid_field", "subject", {"rule": "circuit", "subject": "", "seconds": 1}),
    no("alerts.test", "not_found", "channel", {"channel": "nobody"}),
    no("alerts.test", "invalid_field", "severity", {"severity": "grave"}),
    ok("alerts.test", {"channel": "webhook"}),
    ok("alerts.notifications", {"limit": 1}, key="other"),
    no("alerts.notifications", "malformed_request", "cursor", {"cursor": "x"}),
)  # fmt: skip

STORY = (*WALLETS, *ADDRESSES, *TRANSACTIONS, *MESSAGES, *CHAIN, *OWNERS, *ADMINISTRATION)
OPTIONS = {"wallets:backup", "sign:replace", "sign:resign", "sign:pre155", "sign:sighash", "broadcast"}


def reader() -> FakeReader:
    """Ethereum, as the story needs it."""
    coin = coin_of(Network("ethereum", "evm", "evm", "eip155:1", 1, "ETH", 18, testnet=False))
    entries = [entry(FIRST, coin, height, f"0x{at:064x}") for at, height in enumerate((90, 91, None))]
    return FakeReader(held={(FIRST, coin.id): 10**20}, entries=entries)


async def plant_task(service: RunningService) -> None:
    """A task of the tenant, of a kind that nobody runs."""
    await service.admin.committer.commit(Unit(wakes=[Wake("toy", "planted", TENANT, after=timedelta(hours=1))]))


@asynccontextmanager
async def still(new_service: NewService) -> AsyncIterator[RunningService]:
    """Background tasks run at any time and are audited too, so none runs here."""
    async with new_service(TASKS__ROLE="none") as service:
        await service.admin.committer.commit(Unit(wakes=[Wake("verify", "audit", after=timedelta(days=1))]))
        yield service


async def tell(service: RunningService, face: Face, story: tuple[Step, ...] = STORY) -> list[Outcome]:
    """Tells the story to a fresh service. Each step must end as it says."""
    keys = {
        "all": service.key,
        "plain": await service.new_key(ALL_SCOPES - OPTIONS),
        "other": await service.new_key(tenant=OTHER_TENANT),
    }
    await plant_task(service)
    service.readers["eip155:1"] = reader()
    saved: dict[str, Any] = {}
    outcomes = []
    for number, step in enumerate(story):
        command = filled(step.command, saved)
        outcome = await face.call(step.operation, command, key=keys[step.key], request_id=f"step-{number}")
        assert (outcome.code, outcome.field) == (step.code, step.place), (face.name, number, step, outcome)
        for name, place in step.save.items():
            saved[name] = at(outcome.result, place)
        outcomes.append(outcome)
    return outcomes


def filled(tree: Any, saved: Mapping[str, Any]) -> Any:
    if isinstance(tree, Mapping):
        return {name: filled(value, saved) for name, value in tree.items()}
    if isinstance(tree, list):
        return [filled(value, saved) for value in tree]
    return saved[tree[1:]] if isinstance(tree, str) and tree.startswith("$") else tree


def at(tree: Any, place: str) -> Any:
    for name in place.split("."):
        tree = tree[name]
    return tree

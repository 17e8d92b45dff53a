"""A key, a network and transactions, for the tests of Tron."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from btclib_secp256k1 import keys

from strongroom.chains.tron import addresses
from strongroom.chains.tron.chain import Tron
from strongroom.domain.network import Network
from strongroom.domain.signing import OurKey, Ours, Policy, Signed, SignOptions
from strongroom.domain.summary import Caution
from tests.unit.chains.evm.evm_cases import signature

TRON = Tron()
MAINNET, NILE = TRON.networks[:2]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EXPIRATION = int((NOW + timedelta(minutes=1)).timestamp()) * 1000
DEFAULT = Policy(TRON.limits)
ANYTHING = Policy(TRON.limits, SignOptions(allow=frozenset({"permission_update", "owner_cosigning"})))
PERMISSIVE = Policy(dict.fromkeys(TRON.limits))

PRIVATE, OTHER_PRIVATE = b"\x46" * 32, b"\x47" * 32
USDT = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
BLOCK = {"ref_block_bytes": "5be7", "ref_block_hash": "cda93a6b3a3c2a44", "expiration": EXPIRATION}


def our_key(private: bytes = PRIVATE) -> OurKey:
    public_key = keys.pubkey_from_prvkey(private)
    return OurKey(public_key, "m", "raw", addresses.from_public_key(public_key))


def ours(private: bytes = PRIVATE) -> Ours:
    key = our_key(private)
    return {key.public_key: key}


OWNER = addresses.to_text(our_key().address)
OTHER = addresses.to_text(our_key(OTHER_PRIVATE).address)
OWNER_HEX = our_key().address.hex()
OTHER_HEX = our_key(OTHER_PRIVATE).address.hex()


def built(
    kind: str = "TransferContract", *, sender: str = OWNER, more: dict[str, Any] | None = None, **values: Any
) -> Any:
    """The short form. ``values`` are the contract's fields, and ``more`` are the fields next to the contract."""
    given = values or {"to_address": OTHER, "amount": 1_000_000}
    return {"contract": {"type": kind, "owner_address": sender, **given}, **BLOCK, **(more or {})}


def call(data: str, **more: Any) -> Any:
    return built("TriggerSmartContract", contract_address=USDT, data=data, **more, more={"fee_limit": 100_000_000})


def node_form(form: Any, *, visible: bool = False) -> dict[str, Any]:
    """The same transaction in the response of a node."""
    from strongroom.chains.tron import jsonform

    reading = TRON.decode(MAINNET, form).reading
    answer = jsonform.write(jsonform.Reading(reading.transaction, reading.raw_data, visible, ()), ())
    del answer["signature"]
    return answer


def sign(
    unsigned: Any,
    *,
    private: bytes = PRIVATE,
    policy: Policy = DEFAULT,
    network: Network = MAINNET,
    now: datetime = NOW,
) -> Signed:
    decoded = TRON.decode(network, unsigned)
    TRON.check(decoded, ours(private), policy, now)
    prepared = TRON.prepare(decoded, ours(private))
    return TRON.assemble(prepared, signature(prepared, private))


def check(unsigned: Any, policy: Policy = DEFAULT, *, private: bytes = PRIVATE) -> tuple[Caution, ...]:
    return TRON.check(TRON.decode(MAINNET, unsigned), ours(private), policy, NOW)


def codes(cautions: tuple[Caution, ...]) -> list[str]:
    return [caution.code for caution in cautions]

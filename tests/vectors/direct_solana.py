"""Runs one vector of ``solana.*.json`` against the code, without a server.

`RUNNERS` maps a group to a function that takes one vector. It raises AssertionError if the result differs or if the
vector has a key that the function does not compare. Keys come from the service's signer, with a key wrap in memory.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from strongroom.chains.solana.chain import Solana
from strongroom.chains.solana.programs import token
from strongroom.chains.solana.programs.base import Account, Instruction
from strongroom.chains.solana.schemes import SCHEMES
from strongroom.codecs import base58, solana
from strongroom.codecs.solana import from_text
from strongroom.domain.scheme import Curve, Position
from strongroom.domain.secret import Secret
from strongroom.domain.signing import Message, OurKey, Ours, Policy, Prepared, Signed
from strongroom.domain.wallet import Owner, PublicNode, SealedSecret
from strongroom.errors import InvalidAddress, InvalidKey, InvalidMessage, Refused
from strongroom.keys import bip39, slip10
from strongroom.keys.base import Mnemonic, RawKey, RawKeyFormat, Want
from strongroom.keys.seeded import SeededSigner
from strongroom.keywrap.local import LocalKeyWrap
from tests.vectors.direct_common import only

Vector = dict[str, Any]

SOLANA = Solana()
NETWORK = SOLANA.networks[0]
PERMISSIVE = Policy(dict.fromkeys(SOLANA.limits))
DEFAULT = Policy(SOLANA.limits)
_OWNER = Owner(UUID(int=1), UUID(int=2))
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def with_key(
    material: Mnemonic | RawKey, path: str, use: Callable[[SeededSigner, SealedSecret, PublicNode], Any]
) -> Any:
    async def run() -> Any:
        signer = SeededSigner(LocalKeyWrap([bytes(32)]))
        try:
            created = await signer.restore(_OWNER, material, [Want(path, Curve.ED25519)])
            return await use(signer, created.secret, created.public[0])
        finally:
            await signer.close()

    return asyncio.run(run())


def raw_key(key: str, form: RawKeyFormat = RawKeyFormat.HEX) -> RawKey:
    return RawKey(Curve.ED25519, form, Secret(key))


def words(given: Vector) -> Mnemonic:
    return Mnemonic(Secret(given["mnemonic"]), Secret(given["passphrase"]))


def ours(node: PublicNode) -> Ours:
    return {node.public_key: OurKey(node.public_key, node.path, "raw", node.public_key)}


async def signatures(signer: SeededSigner, secret: SealedSecret, prepared: Prepared) -> list[bytes]:
    made = await signer.sign(prepared.requests(secret, UUID(int=3)))
    assert all(isinstance(one, bytes) for one in made)
    return [one for one in made if isinstance(one, bytes)]


def sign_with(keys: Sequence[str], unsigned: str, policy: Policy) -> Signed:
    """Signs with one key after another, as their wallets would."""
    found: Signed | None = None
    for key in keys:

        async def use(signer: SeededSigner, secret: SealedSecret, node: PublicNode) -> Signed:
            decoded = SOLANA.decode(NETWORK, unsigned)  # noqa: B023 - called at once
            SOLANA.check(decoded, ours(node), policy, _NOW)
            prepared = SOLANA.prepare(decoded, ours(node))
            return SOLANA.assemble(prepared, await signatures(signer, secret, prepared))

        found = with_key(raw_key(key), "m", use)
        unsigned = found.raw
    assert found is not None
    return found


def address(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "address")
    only(expected, "valid", "public_key_hex", "on_curve", "note")
    parsed = SOLANA.parse_address(NETWORK, given["address"])
    assert expected["valid"] is True
    assert parsed.canonical.hex() == expected["public_key_hex"]
    assert parsed.details == {"on_curve": expected["on_curve"]}
    assert parsed.kind == ("wallet" if expected["on_curve"] else "program_address")
    assert parsed.address == given["address"]


def derive(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "mnemonic", "passphrase", "path", "scheme")
    only(expected, "private_key_hex", "public_key_hex", "address", "secret_key_base58_64bytes")
    private = bytes.fromhex(expected["private_key_hex"])
    path = given["path"] or "m"
    if given["path"] is not None:
        seed = bip39.seed(bip39.parse(given["mnemonic"], None), given["passphrase"])
        indexes = [int(step[:-1]) + 2**31 for step in path.split("/")[1:]]
        assert bytes(slip10.derive(seed, indexes).key.reveal()) == private

    async def use(signer: SeededSigner, secret: SealedSecret, node: PublicNode) -> bytes:
        return node.public_key

    public = with_key(words(given), path, use)
    assert public.hex() == expected["public_key_hex"]
    assert SOLANA.render(NETWORK, SCHEMES["phantom"], public).address == expected["address"]
    assert base58.encode(private + public) == expected["secret_key_base58_64bytes"]
    exported = raw_key(expected["secret_key_base58_64bytes"], RawKeyFormat.BASE58)
    assert with_key(exported, "m", use) == public


def message(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "private_key_hex", "message_hex", "message_utf8", "method")
    only(expected, "signature_base58", "signature_hex", "address")
    text = Message("solana", bytes.fromhex(given["message_hex"]))

    async def use(signer: SeededSigner, secret: SealedSecret, node: PublicNode) -> None:
        prepared, _ = SOLANA.prepare_message(NETWORK, text, ours(node))
        signed = SOLANA.assemble_message(prepared, await signatures(signer, secret, prepared))
        assert signed.signature == expected["signature_base58"]
        assert base58.decode(signed.signature).hex() == expected["signature_hex"]
        assert signed.address == expected["address"]
        assert SOLANA.verify_message(NETWORK, text, signed.signature, signed.address)

    with_key(raw_key(given["private_key_hex"]), "m", use)


def sign(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(
        given,
        *("private_keys_hex", "addresses", "unsigned_tx_base64", "message_base64", "version"),
        *("mnemonic", "path", "describe"),
    )
    only(
        expected,
        *("signed_tx_base64", "signed_tx_base58", "signatures_base58", "txid"),
        *("complete", "fee_payer", "size_bytes", "required_signers"),
    )
    for unsigned in (given["unsigned_tx_base64"], {"message": given["message_base64"]}):
        decoded = SOLANA.decode(NETWORK, unsigned)
        assert base64.b64encode(decoded.transaction.signed_bytes).decode() == given["message_base64"]
        shown = SOLANA.summarise(decoded, None)
        assert shown.type == ("legacy" if given["version"] == "legacy" else f"v{given['version']}")
    signed = sign_with(given["private_keys_hex"], given["unsigned_tx_base64"], PERMISSIVE)
    assert signed.raw == expected["signed_tx_base64"]
    if "signed_tx_base58" in expected:
        assert base58.encode(base64.b64decode(signed.raw)) == expected["signed_tx_base58"]
    assert signed.complete is expected["complete"]
    assert signed.tx_id == expected.get("txid")
    empty = base58.encode(bytes(64))
    made = [each or empty for each in signed.details["signatures"]]  # type: ignore[attr-defined]
    assert made == expected["signatures_base58"]
    assert len(base64.b64decode(signed.raw)) == expected["size_bytes"]
    assert shown.details["signers"] == expected["required_signers"]
    if "fee_payer" in expected:
        assert shown.details["fee_payer"] == expected["fee_payer"]


def associated_address(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "owner", "mint", "token_program")
    only(expected, "associated_token_address", "bump")
    owner, mint, program = (from_text(given[name]) for name in ("owner", "mint", "token_program"))
    assert base58.encode(solana.associated_address(owner, mint, program)) == expected["associated_token_address"]
    seeds = owner + program + mint + bytes((expected["bump"],))
    derived = sha256(seeds + solana.ASSOCIATED + b"ProgramDerivedAddress").digest()
    assert base58.encode(derived) == expected["associated_token_address"]


def instruction(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "source", "mint", "destination", "owner", "amount", "decimals", "program")
    only(expected, "data_hex", "accounts")
    accounts = tuple(Account(from_text(key), signer, writable) for key, signer, writable in expected["accounts"])
    step = token.read(Instruction(from_text(given["program"]), accounts, bytes.fromhex(expected["data_hex"])))
    assert step is not None
    action = step.action
    shown = {"source": action.from_address, "mint": action.asset, "destination": action.to, "amount": action.amount}
    shown |= {"owner": action.details["authority"], "decimals": action.details["decimals"], "program": action.contract}
    assert shown == given


def refused_address(vector: Vector) -> None:
    only(vector["input"], "address")
    only(vector["expected"], "valid", "reason", "kind")
    assert vector["expected"]["valid"] is False
    _raises(InvalidAddress, lambda: SOLANA.parse_address(NETWORK, vector["input"]["address"]))


def refused_transaction(vector: Vector) -> None:
    given = vector["input"]
    only(given, "private_key_hex", "unsigned_tx_base64", "sign_message_hex")
    only(vector["expected"], "error", "reason", "kind")
    assert vector["expected"]["error"] is True
    if "sign_message_hex" in given:
        data = Message("solana", bytes.fromhex(given["sign_message_hex"]))

        async def use(signer: SeededSigner, secret: SealedSecret, node: PublicNode) -> None:
            SOLANA.prepare_message(NETWORK, data, ours(node))

        _raises(InvalidMessage, lambda: with_key(raw_key(given["private_key_hex"]), "m", use))
    else:
        _raises(Refused, lambda: sign_with([given["private_key_hex"]], given["unsigned_tx_base64"], DEFAULT))


def refused_key(vector: Vector) -> None:
    only(vector["input"], "private_key_hex")
    only(vector["expected"], "error", "reason", "kind")
    assert vector["expected"]["error"] is True

    async def use(signer: SeededSigner, secret: SealedSecret, node: PublicNode) -> None:
        raise AssertionError("the key was taken")

    _raises(InvalidKey, lambda: with_key(raw_key(vector["input"]["private_key_hex"]), "m", use))


def predecessor(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "mnemonic", "passphrase")
    only(expected, "must_not_equal", "correct_default", "correct_path")
    scheme = SCHEMES["phantom"]

    async def use(signer: SeededSigner, secret: SealedSecret, node: PublicNode) -> str:
        return SOLANA.render(NETWORK, scheme, node.public_key).address

    assert scheme.match(expected["correct_path"]) == Position()
    found = with_key(words(given), expected["correct_path"], use)
    assert found == expected["correct_default"]
    assert found != expected["must_not_equal"]


def _raises(kind: type[Exception], call: Callable[[], Any]) -> None:
    try:
        call()
    except kind:
        return
    raise AssertionError("it was not refused")


RUNNERS: dict[str, Callable[[Vector], None]] = {
    "sol.address": address,
    "sol.derive": derive,
    "sol.derive.cli": derive,
    "sol.message.raw": message,
    "sol.negative.address": refused_address,
    "sol.negative.key": refused_key,
    "sol.negative.predecessor": predecessor,
    "sol.negative.tx": refused_transaction,
    "sol.sign.legacy": sign,
    "sol.sign.partial": sign,
    "sol.sign.v0": sign,
    "sol.token.ata": associated_address,
    "sol.token.instruction": instruction,
}

"""One PSBT with 500 inputs of one wallet: the time of the whole request, and the number of calls to the key wrap.

    python bench/psbt.py --inputs 500

Runs the embedded stack in this process (SQLite, local key wrap), without a socket. No key is kept open. For comparison,
it prints what libsecp256k1 alone takes to make and verify as many signatures.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import structlog
from btclib_secp256k1 import dsa, keys, recovery

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from strongroom.chains.bitcoin import psbt, schemes
from strongroom.chains.bitcoin.psbt import Origin, Psbt, PsbtInput, PsbtOutput, TapOrigin
from strongroom.codecs.bip32 import derive_public, parse_extended_key, parse_path
from strongroom.codecs.bip144 import OutPoint, Transaction, TxIn, TxOut
from strongroom.domain.wallet import PublicNode
from strongroom.keywrap.base import WrapFailure, Wrapped
from strongroom.keywrap.local import LocalKeyWrap
from tests.support.service import RunningService, prepared, running

SCRIPTS = {"bip44": schemes.p2pkh, "bip49": schemes.p2sh_p2wpkh, "bip84": schemes.p2wpkh, "bip86": schemes.p2tr}
VALUE = 10_000


def bare(count: int) -> float:
    """Seconds to make and verify so many signatures."""
    private = b"\x11" * 32
    public, began = keys.pubkey_from_prvkey(private), time.perf_counter()
    for number in range(count):
        digest = number.to_bytes(32, "big")
        compact, _ = recovery.sign(digest, private, verify=False)
        dsa.verify(digest, public, dsa.to_der(compact))
    return time.perf_counter() - began


def spending(scheme: str, node: PublicNode, fingerprint: bytes, count: int) -> str:
    """A PSBT that spends ``count`` outputs of an account to a stranger, with all previous transactions."""
    inputs, maps = [], []
    for index in range(count):
        path = f"{node.path}/0/{index}"
        key = derive_public(node, path).public_key
        output = TxOut(VALUE, SCRIPTS[scheme](key))
        before = OutPoint(sha256(path.encode()).digest(), index)
        previous = Transaction(2, (TxIn(before, b"", 0xFFFFFFFF),), (output,), 0)
        inputs.append(TxIn(OutPoint(previous.hash, 0), b"", 0xFFFFFFFD))
        maps.append(_map(scheme, key, Origin(fingerprint, parse_path(path)), previous))
    paid = TxOut(VALUE * count - 200 * count, schemes.p2wpkh(keys.pubkey_from_prvkey(b"\x22" * 32)))
    transaction = Transaction(2, tuple(inputs), (paid,), 0)
    return psbt.to_base64(Psbt(transaction=transaction, inputs=tuple(maps), outputs=(PsbtOutput(),)))


def _map(scheme: str, key: bytes, origin: Origin, previous: Transaction) -> PsbtInput:
    if scheme == "bip86":
        return PsbtInput(
            non_witness_utxo=previous,
            tap_internal_key=key[1:],
            tap_bip32_derivations={key[1:]: TapOrigin((), origin)},
        )
    redeem = schemes.p2wpkh(key) if scheme == "bip49" else None
    return PsbtInput(non_witness_utxo=previous, redeem_script=redeem, bip32_derivations={key: origin})


async def measure(
    service: RunningService, scheme: str, count: int, asked: Callable[[], int]
) -> tuple[float, float, int]:
    """Seconds of decoding, seconds of signing, and unwraps of signing. The account is open, but no key is."""
    made = await service.http.call("wallets.create", {}, key=service.key)
    where = {"wallet_id": made.result["id"], "network": "bitcoin"}
    account = (await service.http.call("accounts.get", {**where, "scheme": scheme}, key=service.key)).result
    found = parse_extended_key(account["extended_public_key"])
    node = PublicNode(account["path"], found.public_key, found.chain_code, found.parent_fingerprint)
    fingerprint = bytes.fromhex(account["master_fingerprint"])
    unsigned = {"network": "bitcoin", "unsigned_tx": spending(scheme, node, fingerprint, count)}
    began = time.perf_counter()
    assert (await service.http.call("transactions.decode", unsigned, key=service.key)).code == "ok"
    decoded, before = time.perf_counter(), asked()
    signed = await service.http.call("transactions.sign", {**where, **unsigned}, key=service.key)
    assert signed.code == "ok", signed
    assert signed.result["complete"]
    return decoded - began, time.perf_counter() - decoded, asked() - before


async def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=500)
    count: int = parser.parse_args(arguments).inputs
    asked = 0
    unwrap = LocalKeyWrap.unwrap

    async def counted(self: LocalKeyWrap, items: Sequence[tuple[Wrapped, bytes]]) -> list[bytes | WrapFailure]:
        nonlocal asked
        asked += 1
        return await unwrap(self, items)

    LocalKeyWrap.unwrap = counted  # type: ignore[method-assign]
    structlog.configure(processors=[_drop])
    with tempfile.TemporaryDirectory() as folder:
        data = await asyncio.to_thread(prepared, Path(folder) / "data")
        async with running(data, {"SIGNER__TTL": "0"}) as service:
            alone = bare(count)
            print(f"libsecp256k1 alone, {count} made and verified: {alone * 1000:.0f} ms")
            for scheme in SCRIPTS:
                decode, sign, unwraps = await measure(service, scheme, count, lambda: asked)
                print(
                    f"{scheme}  decode {decode * 1000:6.0f} ms  sign {sign * 1000:6.0f} ms"
                    f"  {sign / alone:5.1f} times libsecp256k1  {unwraps} unwraps"
                )


def _drop(*_: object) -> str:
    raise structlog.DropEvent


if __name__ == "__main__":
    asyncio.run(main())

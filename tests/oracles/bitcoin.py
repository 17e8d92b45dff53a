"""Random unsigned transactions of Bitcoin, and the script engine of Bitcoin Core that says whether they are spent.

The engine is libbitcoinkernel. PSBTs are written from BIP-174 and BIP-371 alone, keys are tweaked by libsecp256k1.
"""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from btclib_secp256k1 import keys as secp256k1
from btclib_secp256k1 import ssa, xonly
from btclib_secp256k1.recovery import sign as sign_recoverable
from Crypto.Hash import RIPEMD160

N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
HARDENED = 2**31
_PURPOSES = {"p2pkh": 44, "p2sh-p2wpkh": 49, "p2wpkh": 84, "p2tr": 86, "p2wsh": 48, "p2sh": 45, "p2sh-p2wsh": 48}
KINDS = tuple(_PURPOSES)
SHARED = ("p2wsh", "p2sh", "p2sh-p2wsh")
"""Of two keys out of three."""


@dataclass(frozen=True)
class Output:
    value: int
    script: bytes

    @property
    def raw(self) -> bytes:
        return self.value.to_bytes(8, "little") + var_bytes(self.script)


@dataclass(frozen=True)
class Key:
    private: bytes
    path: tuple[int, ...]

    @property
    def public(self) -> bytes:
        return secp256k1.pubkey_from_prvkey(self.private)


@dataclass(frozen=True)
class Coin:
    """Something to spend: the keys, and how an output is locked by them."""

    kind: str
    keys: tuple[Key, ...]

    @property
    def public(self) -> bytes:
        return self.keys[0].public

    @property
    def multisig(self) -> bytes:
        """Sorted, as BIP-67 says."""
        return b"\x52" + b"".join(map(var_bytes, sorted(key.public for key in self.keys))) + b"\x53\xae"

    @property
    def redeem(self) -> bytes | None:
        """What a P2SH output is the hash of."""
        inner = {
            "p2sh": self.multisig,
            "p2sh-p2wpkh": b"\x00\x14" + hash160(self.public),
            "p2sh-p2wsh": b"\x00\x20" + hashlib.sha256(self.multisig).digest(),
        }
        return inner.get(self.kind)

    @property
    def script(self) -> bytes:
        if self.redeem is not None:
            return b"\xa9\x14" + hash160(self.redeem) + b"\x87"
        if self.kind == "p2pkh":
            return b"\x76\xa9\x14" + hash160(self.public) + b"\x88\xac"
        if self.kind == "p2wpkh":
            return b"\x00\x14" + hash160(self.public)
        if self.kind == "p2wsh":
            return b"\x00\x20" + hashlib.sha256(self.multisig).digest()
        tweaked, _ = xonly.tweak_add(self.public[1:], tagged_hash("TapTweak", self.public[1:]))
        return b"\x51\x20" + tweaked

    def sign(self, key: Key, digest: bytes) -> bytes:
        """r‖s‖recovery id, or 64 bytes of BIP-340 under the tweaked key."""
        if self.kind != "p2tr":
            compact, recovery_id = sign_recoverable(digest, key.private)
            return compact + bytes([recovery_id])
        tweaked = xonly.prvkey_tweak_add(key.private, tagged_hash("TapTweak", key.public[1:]))
        return ssa.sign(digest, tweaked, bytes(32))


@dataclass(frozen=True)
class Unsigned:
    psbt: str
    coins: tuple[Coin, ...]
    """One for each input."""
    spent: tuple[Output, ...]
    fee: int
    txid: str | None
    """None where signatures are part of it."""

    @property
    def keys(self) -> dict[bytes, tuple[Coin, Key]]:
        """By public key."""
        return {key.public: (coin, key) for coin in self.coins for key in coin.keys}


@dataclass
class Maker:
    draw: random.Random
    fingerprint: bytes
    _made: int = field(default=0)

    def coin(self) -> Coin:
        kind = self.draw.choice(KINDS)
        return Coin(kind, tuple(self._key(kind) for _ in range(3 if kind in SHARED else 1)))

    def _key(self, kind: str) -> Key:
        self._made += 1
        path = (_PURPOSES[kind] + HARDENED, HARDENED, HARDENED, self.draw.randrange(2), self._made)
        return Key(self.draw.randrange(1, N).to_bytes(32, "big"), path)

    def unsigned(self) -> Unsigned:
        draw = self.draw
        coins = tuple(self.coin() for _ in range(draw.randint(1, 4)))
        version = draw.choice((1, 2)).to_bytes(4, "little")
        inputs, maps, spent = b"", [], []
        for coin in coins:
            before, vout, output = self._before(coin)
            sequence = draw.choice((0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF, 0))
            inputs += double(before) + vout.to_bytes(4, "little") + b"\0" + sequence.to_bytes(4, "little")
            maps.append(self._map(coin, before, output, alone=len(coins) == 1))
            spent.append(output)
        fee = 1000 * len(coins) + draw.randint(500, 1500)
        outputs = self._outputs(sum(output.value for output in spent) - fee)
        transaction = version + size(len(coins)) + inputs + size(len(outputs)) + b"".join(each.raw for each in outputs)
        transaction += draw.randrange(2**31).to_bytes(4, "little")
        psbt = b"psbt\xff" + pair(b"\0", transaction) + b"\0" + b"".join(maps) + b"\0" * len(outputs)
        fixed = all(coin.kind in ("p2wpkh", "p2tr", "p2wsh") for coin in coins)
        txid = double(transaction)[::-1].hex() if fixed else None
        return Unsigned(base64.b64encode(psbt).decode(), coins, tuple(spent), fee, txid)

    def _before(self, coin: Coin) -> tuple[bytes, int, Output]:
        """A transaction that pays the keys, without witnesses, and where in it."""
        draw = self.draw
        outputs = [Output(draw.randint(50_000, 10**8), self._script()) for _ in range(draw.randint(1, 3))]
        vout = draw.randrange(len(outputs))
        outputs[vout] = Output(outputs[vout].value, coin.script)
        raw = b"\2\0\0\0\1" + draw.randbytes(36) + b"\0" + b"\xff" * 4
        return raw + size(len(outputs)) + b"".join(output.raw for output in outputs) + bytes(4), vout, outputs[vout]

    def _map(self, coin: Coin, before: bytes, output: Output, *, alone: bool) -> bytes:
        """With the previous transaction, without which the amount of one input among several proves nothing."""
        legacy, entries = coin.kind in ("p2pkh", "p2sh"), b""
        if self.draw.random() < 0.5 or legacy or not alone:
            entries += pair(b"\x00", before)
        if not legacy:
            entries += pair(b"\x01", output.raw)
        if self.draw.random() < 0.3:
            entries += pair(b"\x03", b"\1\0\0\0")
        if coin.redeem is not None:
            entries += pair(b"\x04", coin.redeem)
        if coin.kind in ("p2wsh", "p2sh-p2wsh"):
            entries += pair(b"\x05", coin.multisig)
        for key in coin.keys:
            origin = self.fingerprint + b"".join(step.to_bytes(4, "little") for step in key.path)
            if coin.kind == "p2tr":
                entries += pair(b"\x16" + key.public[1:], b"\0" + origin) + pair(b"\x17", key.public[1:])
            else:
                entries += pair(b"\x06" + key.public, origin)
        return entries + b"\0"

    def _outputs(self, total: int) -> list[Output]:
        draw = self.draw
        share, rest = divmod(total, draw.randint(1, 3))
        outputs = [Output(share, self._script()) for _ in range(total // share)]
        outputs[0] = Output(share + rest, outputs[0].script)
        if draw.random() < 0.2:
            data = draw.randbytes(draw.randint(1, 75))
            outputs.append(Output(0, b"\x6a" + bytes([len(data)]) + data))
        return outputs

    def _script(self) -> bytes:
        random20, random32 = self.draw.randbytes(20), self.draw.randbytes(32)
        return self.draw.choice(
            (
                b"\x76\xa9\x14" + random20 + b"\x88\xac",
                b"\xa9\x14" + random20 + b"\x87",
                b"\x00\x14" + random20,
                b"\x00\x20" + random32,
                b"\x51\x20" + xonly.from_prvkey(1 + int.from_bytes(random20, "big"))[0],
            )
        )


def maps(psbt: str) -> list[dict[bytes, bytes]]:
    """What each map of a PSBT holds; their order within a map is open (BIP-174)."""
    raw = base64.b64decode(psbt)
    at = 5
    found: list[dict[bytes, bytes]] = [{}]

    def read() -> bytes:
        nonlocal at
        length, width = _length(raw, at)
        start, at = at + width, at + width + length
        return raw[start:at]

    while at < len(raw):
        if key := read():
            found[-1][key] = read()
        else:
            found.append({})
    return found


def txid(raw: bytes) -> str:
    """Of a transaction of fewer than 253 inputs and outputs, with witnesses or without."""
    start, _, end = _parts(raw)
    return double(raw[:4] + raw[start:end] + raw[-4:])[::-1].hex()


def outputs_of(raw: bytes) -> int:
    """How many there are, in a transaction of fewer than 253 inputs and outputs."""
    return raw[_parts(raw)[1]]


def _parts(raw: bytes) -> tuple[int, int, int]:
    """Where the inputs begin, where the outputs begin, and where they end."""
    at = 4 + 2 * (raw[4] == 0)
    start = at
    inputs, at = raw[at], at + 1
    for _ in range(inputs):
        length, width = _length(raw, at + 36)
        at += 36 + width + length + 4
    middle = at
    outputs, at = raw[at], at + 1
    for _ in range(outputs):
        length, width = _length(raw, at + 8)
        at += 8 + width + length
    return start, middle, at


def _length(raw: bytes, at: int) -> tuple[int, int]:
    """A compact size, and how many bytes it takes."""
    return (int.from_bytes(raw[at + 1 : at + 3], "little"), 3) if raw[at] == 0xFD else (raw[at], 1)


def are_spent(raw: bytes, spent: Sequence[Output]) -> bool:
    """Whether each input of a serialised transaction may spend its output."""
    return all(is_spent(raw, index, spent) for index in range(len(spent)))


def is_spent(raw: bytes, index: int, spent: Sequence[Output]) -> bool:
    """Whether one input may; the others need not."""
    import pbk
    from pbk.script import PrecomputedTransactionData

    transaction = pbk.Transaction(raw)
    scripts = [pbk.ScriptPubkey(output.script) for output in spent]
    outputs = [pbk.TransactionOutput(script, output.value) for script, output in zip(scripts, spent, strict=True)]
    shared = PrecomputedTransactionData(transaction, outputs)
    return bool(scripts[index].verify(spent[index].value, transaction, shared, index, pbk.ScriptVerificationFlags.ALL))


def one_bit_changed(draw: random.Random, raw: bytes, signatures: Sequence[bytes]) -> bytes:
    """In r of one of those that the transaction holds, as they are or in DER."""
    held = [part for signature in signatures if raw.count(part := signature[:32].lstrip(b"\0")) == 1]
    part = draw.choice(held)
    at = raw.index(part) + draw.randrange(len(part))
    return raw[:at] + bytes([raw[at] ^ 1 << draw.randrange(8)]) + raw[at + 1 :]


def hash160(data: bytes) -> bytes:
    return RIPEMD160.new(hashlib.sha256(data).digest()).digest()


def double(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def tagged_hash(tag: str, data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(tag.encode()).digest() * 2 + data).digest()


def size(number: int) -> bytes:
    return bytes([number]) if number < 0xFD else b"\xfd" + number.to_bytes(2, "little")


def var_bytes(data: bytes) -> bytes:
    return size(len(data)) + data


def pair(key: bytes, value: bytes) -> bytes:
    return var_bytes(key) + var_bytes(value)

"""Accounts as nodes return them, many per call, and the contents of accounts of the token programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import msgspec

from strongroom.codecs import base58, base64text, solana
from strongroom.rpc.base import Holder, NodeError, Verdict
from strongroom.rpc.http import Work
from strongroom.rpc.jsonrpc import JsonRpc, Question, all_of
from strongroom.rpc.solana import values

AT_ONCE: Final = 100
"""Accounts per call that agave accepts (MAX_MULTIPLE_ACCOUNTS)."""
SYSTEM: Final = bytes(32)

_STATE: Final = 108
"""Offset of the state in a token account, after mint, owner, amount and delegate."""
_HEAD: Final = _STATE + 1
_FROZEN: Final = 2
_MINT: Final = 82
_DECIMALS: Final = 44
_NONCE: Final = 80
"""Size of a nonce account: version, state (1 if set up), authority, nonce, fee (solana-nonce, `state::Versions`)."""


class Context(msgspec.Struct, frozen=True):
    slot: int


class _Account(msgspec.Struct, frozen=True):
    lamports: int
    owner: str
    data: tuple[str, str]


class _Many(msgspec.Struct, frozen=True):
    context: Context
    value: list[_Account | None]


class _Owned(msgspec.Struct, frozen=True):
    pubkey: str
    account: _Account


class _ByOwner(msgspec.Struct, frozen=True):
    context: Context
    value: list[_Owned]


@dataclass(frozen=True, slots=True)
class Account:
    """``data`` holds the bytes that were asked for."""

    lamports: int
    owner: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class TokenAccount:
    address: str
    program: bytes
    mint: bytes
    owner: bytes
    amount: int
    frozen: bool


@dataclass(frozen=True, slots=True)
class Mint:
    program: bytes
    decimals: int


class Accounts:
    """Questions about accounts. ``since``: the slot at which, or later, they are read. A node that is behind it cannot
    tell.
    """

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc

    async def many(
        self, keys: Sequence[bytes], *, since: int, size: int = _HEAD, commitment: str = values.COMMITMENT
    ) -> Mapping[bytes, Account]:
        """The existing accounts, by key, with the first ``size`` bytes of their data. Raises NodeError."""
        unique = list(dict.fromkeys(keys))
        chunks = [unique[at : at + AT_ONCE] for at in range(0, len(unique), AT_ONCE)]
        options = _options(since, size, commitment)
        questions = [Question("getMultipleAccounts", [[base58.encode(k) for k in c], options]) for c in chunks]
        found: dict[bytes, Account] = {}
        for chunk, answer in zip(chunks, all_of(await self._rpc.batch(questions, _Many)), strict=True):
            not_before(answer.context, since)
            if len(answer.value) != len(chunk):
                raise NodeError(Verdict.BROKEN, "bad_answer")
            found |= {k: _account(each, size) for k, each in zip(chunk, answer.value, strict=True) if each is not None}
        return found

    async def mints(self, keys: Sequence[bytes], *, since: int) -> Mapping[bytes, Mint]:
        """The mints of either token program among them, by key."""
        found = await self.many(keys, since=since, size=_MINT)
        return {k: mint for k, account in found.items() if (mint := _mint(account)) is not None}

    async def nonce(self, key: bytes) -> bytes | None:
        """What a nonce account holds, if that is finalized and has not changed since. Otherwise None."""
        found = [
            _nonce((await self.many([key], since=0, size=_NONCE, commitment=each)).get(key))
            for each in (values.FINALIZED, values.COMMITMENT)
        ]
        return found[0] if found[0] == found[1] else None

    async def of(self, holder: Holder, *, since: int) -> list[TokenAccount]:
        """All token accounts of a holder, of both programs. Raises NodeError."""
        found: dict[str, TokenAccount] = {}
        for program in solana.TOKEN_PROGRAMS:
            params = [holder.address, {"programId": base58.encode(program)}, _options(since, _HEAD)]
            answer = await self._rpc.call("getTokenAccountsByOwner", params, _ByOwner, work=Work.HISTORY)
            not_before(answer.context, since)
            for each in answer.value:
                values.key(each.pubkey)
                token = token_account(each.pubkey, _account(each.account, _HEAD))
                if each.pubkey in found:
                    raise NodeError(Verdict.BROKEN, "bad_answer")
                if token is None or token.program != program or token.owner != holder.canonical:
                    raise NodeError(Verdict.LYING, "not_its_account")
                found[each.pubkey] = token
        return list(found.values())


def token_account(address: str, account: Account) -> TokenAccount | None:
    """The token account, or None if it is something else or not set up."""
    data = account.data
    if account.owner not in solana.TOKEN_PROGRAMS or len(data) != _HEAD or not data[_STATE]:
        return None
    held = int.from_bytes(data[64:72], "little")
    return TokenAccount(address, account.owner, data[:32], data[32:64], held, data[_STATE] == _FROZEN)


@lru_cache(maxsize=16_384)
def associated(owner: bytes, mint: bytes, program: bytes) -> bytes:
    """Cached, because it takes a tenth of a millisecond."""
    return solana.associated_address(owner, mint, program)


def not_before(context: Context, since: int) -> None:
    if values.slot(context.slot) < since:
        raise NodeError(Verdict.ELSEWHERE, "behind")


def _options(since: int, size: int, commitment: str = values.COMMITMENT) -> dict[str, object]:
    return {
        "encoding": "base64",
        "commitment": commitment,
        "minContextSlot": since,
        "dataSlice": {"offset": 0, "length": size},
    }


def _account(found: _Account, size: int) -> Account:
    text, encoding = found.data
    try:
        data = base64text.decode(text)
    except ValueError:
        raise NodeError(Verdict.BROKEN, "bad_data") from None
    if encoding != "base64" or len(data) > size:
        raise NodeError(Verdict.BROKEN, "bad_data")
    return Account(values.lamports(found.lamports), values.key(found.owner), data)


def _nonce(account: Account | None) -> bytes | None:
    if account is None or account.owner != SYSTEM or len(account.data) != _NONCE:
        return None
    return account.data[40:72] if int.from_bytes(account.data[4:8], "little") == 1 else None


def _mint(account: Account) -> Mint | None:
    data = account.data
    if account.owner not in solana.TOKEN_PROGRAMS or len(data) != _MINT or data[_DECIMALS + 1] != 1:
        return None
    return Mint(account.owner, values.bounded(data[_DECIMALS], 255))

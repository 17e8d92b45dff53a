"""Builds a message from the structured form, which lists payments.

    {fee_payer, recent_blockhash | durable_nonce: {account, authority, value}, transfers: [...], from?, memo?,
     compute_unit_limit?, compute_unit_price?, version?}

A transfer is ``{to, amount}`` in lamports, or ``{to, amount, mint, decimals, token_program?, create_account?,
to_program_address?}`` in base units of a token. In the second form ``to`` is the owner, and the tokens move between the
associated token accounts of ``from`` and ``to``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from strongroom.chains.known_fields import refuse_unknown
from strongroom.chains.solana.message import LEGACY, V0, Compiled, Header, Message
from strongroom.chains.solana.programs import associated, budget, memo, system, token
from strongroom.chains.solana.programs.base import Account, Instruction
from strongroom.codecs import solana
from strongroom.codecs.ed25519 import is_on_curve
from strongroom.errors import InvalidTransaction

MAX_TRANSFERS: Final = 32
"""About 20 transfers to different recipients fit into a transaction. A token transfer takes up to 1 ms to build."""
_FIELDS: Final = frozenset(
    {"fee_payer", "from", "recent_blockhash", "durable_nonce", "transfers", "memo", "compute_unit_limit",
     "compute_unit_price", "version"}
)  # fmt: skip
_OTHER_FORMS: Final = frozenset({"transaction", "message", "last_valid_block_height"})
"""Fields that `decoding` reads."""
_TRANSFER: Final = frozenset({"to", "amount"})
_TOKEN_TRANSFER: Final = _TRANSFER | {"mint", "decimals", "token_program", "create_account", "to_program_address"}
_NONCE: Final = frozenset({"account", "authority", "value"})
_TOKEN_PROGRAMS: Final = {"spl-token": solana.TOKEN, "token-2022": solana.TOKEN_2022}
_VERSIONS: Final = {"legacy": LEGACY, 0: V0}
_RECENT_BLOCKHASHES: Final = solana.from_text("SysvarRecentB1ockHashes11111111111111111111")


def message(form: Mapping[str, Any]) -> Message:
    """Raises InvalidTransaction."""
    refuse_unknown(form, _FIELDS, "unsigned_tx", instead=_OTHER_FORMS)
    payer = _address(form, "fee_payer", "unsigned_tx")
    source = _address(form, "from", "unsigned_tx") if "from" in form else payer
    given = form.get("version", "legacy")
    version = _VERSIONS.get(given) if type(given) in (str, int) else None
    if version is None:
        raise InvalidTransaction(
            "version must be legacy or 0", field="unsigned_tx.version", allowed=list(map(str, _VERSIONS))
        )
    blockhash, first = _lifetime(form)
    instructions = [*first, *_budget(form), *_transfers(form, payer, source), *_memo(form)]
    return _compile(payer, instructions, blockhash, version)


def _lifetime(form: Mapping[str, Any]) -> tuple[bytes, list[Instruction]]:
    """The blockhash or nonce value of the message, and the instruction that a nonce needs."""
    if ("recent_blockhash" in form) == ("durable_nonce" in form):
        raise InvalidTransaction("give either recent_blockhash or durable_nonce", field="unsigned_tx.recent_blockhash")
    if "recent_blockhash" in form:
        return _address(form, "recent_blockhash", "unsigned_tx"), []
    nonce, at = form["durable_nonce"], "unsigned_tx.durable_nonce"
    _only(nonce, _NONCE, at)
    accounts = (
        Account(_address(nonce, "account", at), signer=False, writable=True),
        Account(_RECENT_BLOCKHASHES, signer=False, writable=False),
        Account(_address(nonce, "authority", at), signer=True, writable=False),
    )
    advance = Instruction(system.PROGRAM, accounts, system.ADVANCE_NONCE.to_bytes(4, "little"))
    return _address(nonce, "value", at), [advance]


def _budget(form: Mapping[str, Any]) -> Iterator[Instruction]:
    for name, tag in (("compute_unit_limit", budget.UNITS), ("compute_unit_price", budget.PRICE)):
        if name in form:
            size = budget.SIZES[tag]
            value = _number(form, name, "unsigned_tx", 2 ** (8 * size) - 1)
            yield Instruction(budget.PROGRAM, (), bytes((tag,)) + value.to_bytes(size, "little"))


def _transfers(form: Mapping[str, Any], payer: bytes, source: bytes) -> Iterator[Instruction]:
    given = form.get("transfers")
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_TRANSFERS:
        raise InvalidTransaction(
            f"transfers must be a list of 1 to {MAX_TRANSFERS} transfers", field="unsigned_tx.transfers"
        )
    for index, each in enumerate(given):
        at = f"unsigned_tx.transfers[{index}]"
        if isinstance(each, dict) and "mint" in each:
            yield from _tokens(each, at, payer, source)
        else:
            _only(each, _TRANSFER, at, instead=("mint",))
            amount = _number(each, "amount", at, 2**64 - 1)
            accounts = (
                Account(source, signer=True, writable=True),
                Account(_address(each, "to", at), signer=False, writable=True),
            )
            data = system.TRANSFER.to_bytes(4, "little") + amount.to_bytes(8, "little")
            yield Instruction(system.PROGRAM, accounts, data)


def _tokens(each: Mapping[str, Any], at: str, payer: bytes, source: bytes) -> Iterator[Instruction]:
    _only(each, _TOKEN_TRANSFER, at)
    owner, mint = _address(each, "to", at), _address(each, "mint", at)
    amount, decimals = _number(each, "amount", at, 2**64 - 1), _number(each, "decimals", at, 255)
    name = each.get("token_program", "spl-token")
    program = _TOKEN_PROGRAMS.get(name) if isinstance(name, str) else None
    if program is None:
        raise InvalidTransaction(
            "token_program must be spl-token or token-2022", field=f"{at}.token_program", allowed=list(_TOKEN_PROGRAMS)
        )
    if not is_on_curve(owner) and not _flag(each, "to_program_address", at, default=False):
        raise InvalidTransaction(
            "the owner is a program address, for which nobody has a key. To send to it all the "
            "same, set to_program_address",
            field=f"{at}.to",
        )
    target = solana.associated_address(owner, mint, program)
    if _flag(each, "create_account", at, default=True):
        accounts = (
            Account(payer, signer=True, writable=True),
            Account(target, signer=False, writable=True),
            *(Account(key, signer=False, writable=False) for key in (owner, mint, system.PROGRAM, program)),
        )
        yield Instruction(solana.ASSOCIATED, accounts, bytes((associated.CREATE_IDEMPOTENT,)))
    accounts = (
        Account(solana.associated_address(source, mint, program), signer=False, writable=True),
        Account(mint, signer=False, writable=False),
        Account(target, signer=False, writable=True),
        Account(source, signer=True, writable=False),
    )
    data = bytes((token.TRANSFER_CHECKED,)) + amount.to_bytes(8, "little") + bytes((decimals,))
    yield Instruction(program, accounts, data)


def _memo(form: Mapping[str, Any]) -> Iterator[Instruction]:
    if "memo" in form:
        text = form["memo"]
        if not isinstance(text, str) or not text:
            raise InvalidTransaction("memo must be text", field="unsigned_tx.memo")
        try:
            yield Instruction(memo.PROGRAM, (), text.encode())
        except UnicodeEncodeError:
            raise InvalidTransaction("memo is not valid Unicode text", field="unsigned_tx.memo") from None


def _compile(payer: bytes, instructions: list[Instruction], blockhash: bytes, version: int) -> Message:
    """Order the keys as a message has them, with signers first, then writable accounts, then by first use."""
    wanted: dict[bytes, list[bool]] = {payer: [True, True]}
    for each in instructions:
        for account in each.accounts:
            assert account.key is not None
            rights = wanted.setdefault(account.key, [False, False])
            rights[0] |= account.signer
            rights[1] |= account.writable
    for each in instructions:
        wanted.setdefault(each.program, [False, False])
    keys = sorted(wanted, key=lambda key: (key != payer, not wanted[key][0], not wanted[key][1]))
    header = Header(
        signers=sum(signer for signer, _ in wanted.values()),
        readonly_signers=sum(signer and not writable for signer, writable in wanted.values()),
        readonly_others=sum(not signer and not writable for signer, writable in wanted.values()),
    )
    if len(keys) > 256:
        raise InvalidTransaction("it names more than 256 accounts", field="unsigned_tx.transfers")
    place = {key: index for index, key in enumerate(keys)}
    compiled = tuple(
        Compiled(place[each.program], bytes(place[a.key] for a in each.accounts if a.key is not None), each.data)
        for each in instructions
    )
    return Message(version, header, tuple(keys), blockhash, compiled)


def _only(form: object, names: frozenset[str], field: str, *, instead: Iterable[str] = ()) -> None:
    if not isinstance(form, dict):
        raise InvalidTransaction("must be an object", field=field)
    refuse_unknown(form, names, field, instead=instead)


def _address(form: Mapping[str, Any], name: str, at: str) -> bytes:
    try:
        return solana.from_text(form.get(name))
    except ValueError as error:
        raise InvalidTransaction(str(error), field=f"{at}.{name}") from None


def _number(form: Mapping[str, Any], name: str, at: str, most: int) -> int:
    """An integer, or its decimal text, because amounts exceed 2^53. Booleans and floats are refused."""
    value = form.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20 and str(int(value)) == value:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise InvalidTransaction(f"must be a whole number from 0 to {most}", field=f"{at}.{name}")
    return value


def _flag(form: Mapping[str, Any], name: str, at: str, *, default: bool) -> bool:
    value = form.get(name, default)
    if not isinstance(value, bool):
        raise InvalidTransaction("must be true or false", field=f"{at}.{name}")
    return value

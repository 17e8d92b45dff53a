"""The JSON form of a transfer, which is that of TON Connect with values that would otherwise be read from a node.

    {seqno, valid_until, messages: [{address, amount, bounce?, payload? | comment?, state_init?}],
     send_mode?, deploy?, from?, network?}

Amounts are nanotons in decimal strings. ``payload`` and ``state_init`` (or ``stateInit``) are bags of cells in base64.
For highload v3, ``query_id`` and ``created_at`` replace ``seqno`` and ``valid_until``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from strongroom.chains.base import Decoded
from strongroom.chains.known_fields import refuse_unknown
from strongroom.chains.ton import addresses, boc, payloads
from strongroom.chains.ton.addresses import TonAddress
from strongroom.chains.ton.cell import Cell, CellError, Slice
from strongroom.chains.ton.networks import global_id
from strongroom.chains.ton.payloads import Payload
from strongroom.domain.network import Network
from strongroom.domain.signing import KeyHint
from strongroom.errors import InvalidTransaction

DEFAULT_MODE: Final = 3
MAX_AMOUNT: Final = 2**120 - 1
FOR_EVER: Final = 2**32 - 1
"""The ``valid_until`` of a message that does not expire."""

_FIELDS: Final = {
    "seqno", "valid_until", "query_id", "created_at", "messages", "send_mode", "deploy", "from", "network",
}  # fmt: skip
_MESSAGE: Final = {"address", "amount", "bounce", "payload", "comment", "state_init", "stateInit"}
_MOST: Final = 255
"""The most messages that any contract sends at once."""
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,36}", re.ASCII)
_EMPTY: Final = Cell()


@dataclass(frozen=True, slots=True)
class OutMessage:
    to: TonAddress
    amount: int
    bounce: bool
    body: Cell
    payload: Payload
    state_init: Cell | None


@dataclass(frozen=True, slots=True)
class TonTransfer(Decoded):
    """Either ``seqno`` and ``valid_until`` are set, or ``query_id`` and ``created_at``. The other two are None."""

    seqno: int | None
    valid_until: int | None
    query_id: int | None
    created_at: int | None
    messages: tuple[OutMessage, ...]
    mode: int
    deploy: bool
    sender: bytes | None
    """The ``from`` field, if it is given."""

    @property
    def sequence(self) -> str:
        return str(self.seqno) if self.query_id is None else f"{self.query_id}:{self.created_at}"


def decode(network: Network, unsigned: object) -> TonTransfer:
    """Read the structure only. Raises InvalidTransaction, InvalidAddress."""
    if not isinstance(unsigned, dict):
        raise _bad("a TON transfer must be given in its JSON form", "")
    refuse_unknown(unsigned, _FIELDS, "unsigned_tx")
    if "network" in unsigned and unsigned["network"] != str(global_id(network.testnet)):
        raise _bad('network must be the global id of this network: "-239", or "-3" on the test network', "network")
    highload = "query_id" in unsigned or "created_at" in unsigned
    if highload and ("seqno" in unsigned or "valid_until" in unsigned):
        raise _bad("query_id and created_at cannot be combined with seqno and valid_until", "query_id")
    first, second = ("query_id", "created_at") if highload else ("seqno", "valid_until")
    numbers: dict[str, int | None] = {
        "seqno": None, "valid_until": None, "query_id": None, "created_at": None,
        first: _uint(unsigned, first, 23 if highload else 32), second: _uint(unsigned, second, 64 if highload else 32),
    }  # fmt: skip
    deploy = unsigned.get("deploy", numbers["seqno"] == 0)
    if not isinstance(deploy, bool):
        raise _bad("deploy must be true or false", "deploy")
    sender = None
    if "from" in unsigned:
        sender = addresses.read(network, unsigned["from"], field="unsigned_tx.from").canonical
    return TonTransfer(
        network,
        () if sender is None else (KeyHint(address=sender),),
        seqno=numbers["seqno"],
        valid_until=numbers["valid_until"],
        query_id=numbers["query_id"],
        created_at=numbers["created_at"],
        messages=_messages(network, unsigned.get("messages")),
        mode=_uint(unsigned, "send_mode", 8) if "send_mode" in unsigned else DEFAULT_MODE,
        deploy=deploy,
        sender=sender,
    )


def _messages(network: Network, given: object) -> tuple[OutMessage, ...]:
    if not isinstance(given, list) or not 1 <= len(given) <= _MOST:
        raise _bad(f"messages must be a list of 1 to {_MOST} messages", "messages")
    texts = [
        text
        for message in given
        if isinstance(message, dict)
        for name in ("payload", "state_init", "stateInit", "comment")
        if isinstance(text := message.get(name), str)
    ]
    if sum(map(len, texts)) > boc.MAX_BYTES // 3 * 4:
        raise _bad("the payloads, comments and state_inits are too large for one external message", "messages")
    budget = boc.Budget()
    return tuple(_message(network, message, f"messages.{place}", budget) for place, message in enumerate(given))


def _message(network: Network, given: Any, where: str, budget: boc.Budget) -> OutMessage:
    if not isinstance(given, dict):
        raise _bad("a message must be an object", where)
    refuse_unknown(given, _MESSAGE, f"unsigned_tx.{where}")
    to = addresses.read(network, given.get("address"), field=f"unsigned_tx.{where}.address")
    bounce = given.get("bounce")
    if bounce is not None and not isinstance(bounce, bool):
        raise _bad("bounce must be true or false", f"{where}.bounce")
    if "payload" in given and "comment" in given:
        raise _bad("payload and comment cannot be combined", f"{where}.comment")
    if "state_init" in given and "stateInit" in given:
        raise _bad("state_init and stateInit are the same field: give one", f"{where}.state_init")
    body = _body(given, where, budget)
    return OutMessage(
        to=to,
        amount=_amount(given, where),
        bounce=(to.bounceable is not False) if bounce is None else bounce,
        body=body,
        payload=payloads.read(body),
        state_init=_state_init(given, where, budget),
    )


def _amount(given: dict[str, Any], where: str) -> int:
    text = given.get("amount")
    if not isinstance(text, str) or _DECIMAL.fullmatch(text) is None or int(text) > MAX_AMOUNT:
        raise _bad("amount must be nanotons, a string of decimal digits below 2^120", f"{where}.amount")
    return int(text)


def _body(given: dict[str, Any], where: str, budget: boc.Budget) -> Cell:
    if "comment" in given:
        if not isinstance(given["comment"], str):
            raise _bad("comment must be text", f"{where}.comment")
        try:
            return payloads.comment(given["comment"])
        except CellError as error:
            raise _bad(str(error), f"{where}.comment") from None
    return _bag(given, "payload", where, budget) or _EMPTY


def _bag(given: dict[str, Any], name: str, where: str, budget: boc.Budget) -> Cell | None:
    if name not in given:
        return None
    if not isinstance(given[name], str):
        raise _bad(f"{name} must be a bag of cells in base64", f"{where}.{name}")
    try:
        return boc.from_base64(given[name], budget)
    except CellError as error:
        raise _bad(f"{name}: {error}", f"{where}.{name}") from None


def _state_init(given: dict[str, Any], where: str, budget: boc.Budget) -> Cell | None:
    name = "stateInit" if "stateInit" in given else "state_init"
    found = _bag(given, name, where, budget)
    if found is not None:
        try:
            check_state_init(found)
        except CellError:
            raise _bad(f"{name} is not a StateInit with code, data and libraries", f"{where}.{name}") from None
    return found


def check_state_init(state: Cell) -> tuple[Cell | None, Cell | None]:
    """The code and the data of a StateInit (``block.tlb``). Raises CellError if the cell is none."""
    inside = Slice(state)
    if inside.bit():
        inside.uint(5)
    if inside.bit():
        inside.uint(2)
    code, data = inside.maybe_ref(), inside.maybe_ref()
    inside.maybe_ref()
    inside.end()
    return code, data


def _uint(given: dict[str, Any], name: str, bits: int) -> int:
    value = given.get(name)
    if type(value) is not int or not 0 <= value < 2**bits:
        raise _bad(f"{name} is required, and must be an integer of {bits} bits", name)
    return value


def _bad(message: str, where: str) -> InvalidTransaction:
    return InvalidTransaction(message, field=f"unsigned_tx.{where}" if where else "unsigned_tx")

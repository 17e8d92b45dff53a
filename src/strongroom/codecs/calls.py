"""Finds out what a contract call does, for every chain that uses the Solidity ABI.

Reading fails closed. A call that is not in the registry (`codecs.known`), or whose arguments cannot be read, is an
``unknown_call``. Bytes after the arguments hide nothing, because contracts ignore them, so they only add
``noncanonical_call``. Calls inside calls are read as far as they are known. Depth, number of calls and number of values
are bounded, and a call that exceeds a bound is unknown too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from strongroom.codecs import abi
from strongroom.codecs.effects import APPROVE, TRANSFERS, ZERO, Effect, approval_cautions, effect_of, expand
from strongroom.codecs.known import CALLS, MULTI_SEND, ROUTER, Inside, Known

MAX_DEPTH: Final = 4
MAX_CALLS: Final = 64
"""Calls in one transaction, its own included. More would not fit into a summary that a person reads."""
MAX_VALUES: Final = abi.MAX_VALUES
"""Argument values in one transaction."""
_SELECTOR: Final = 4
_EXECUTION: Final = ("(address,uint256,bytes)[]",)
_ROUTER_RECIPIENTS: Final = {(1).to_bytes(20, "big"): "sender", (2).to_bytes(20, "big"): "contract"}


@dataclass(frozen=True, slots=True)
class Call:
    """A call that a transaction makes, directly or inside another call. Addresses are 20 bytes."""

    target: bytes
    data: bytes
    value: int = 0
    sender: bytes | None = None
    account: bytes | None = None
    """In a delegatecall, the account that the code of ``target`` runs as. Otherwise None."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that was found in a call, the outermost call first."""

    effects: tuple[Effect, ...]
    cautions: tuple[str, ...]
    """Codes in the order in which they were found."""
    lost: frozenset[str]
    """Those of the cautions by which something of value is certainly lost."""
    unknown: int
    """The number of calls that were not understood."""


@dataclass(frozen=True, slots=True)
class Parameter:
    kind: str
    """The type in canonical form."""
    name: str
    parts: tuple[Parameter, ...] | None = None
    """The parts of a tuple, or of the tuples in an array."""


def read_call(call: Call) -> Reading:
    """What a call does. Raises nothing. A call that cannot be read is reported as unknown."""
    if call.data or call.account is not None:
        return _read(call)
    # Most calls are plain transfers. Reading them without a walk takes a quarter of the time.
    effect = Effect("transfer", from_=call.sender, to=call.target, amount=call.value)
    to_nobody, to_self = call.target == ZERO, call.target == call.sender
    codes = [code for code, found in (("to_zero_address", to_nobody), ("to_self", to_self)) if found]
    lost = {"to_zero_address"} if to_nobody and call.value else set()
    return Reading((effect,), tuple(codes), frozenset(lost), 0)


@lru_cache(maxsize=16)
def _read(call: Call) -> Reading:
    """Cached, because a call is read for its cautions and again for its summary."""
    walk = _Walk()
    walk.call(call, 0)
    return Reading(tuple(walk.effects), tuple(walk.cautions), frozenset(walk.lost), walk.unknown)


@lru_cache(maxsize=512)
def parameters(signature: str) -> tuple[Parameter, ...]:
    """The parameters of a signature with names, as the registry writes them."""
    inner = signature[signature.index("(") + 1 : -1]
    return tuple(_parameter(part) for part in abi.split(inner))


def canonical(signature: str) -> str:
    """The signature without names, from which the selector is computed."""
    kinds = ",".join(parameter.kind for parameter in parameters(signature))
    return f"{signature.partition('(')[0]}({kinds})"


def _parameter(text: str) -> Parameter:
    if not text.startswith("("):
        kind, _, name = text.partition(" ")
        return Parameter(kind, name)
    close = text.rindex(")")
    suffix, _, name = text[close + 1 :].partition(" ")
    parts = tuple(_parameter(part) for part in abi.split(text[1:close]))
    return Parameter(f"({','.join(part.kind for part in parts)}){suffix}", name, parts)


_KNOWN: Final = {abi.selector(canonical(known.signature)): known for known in CALLS}


class _Walk:
    """Reads a call and those inside it, within one budget."""

    def __init__(self) -> None:
        self.effects: list[Effect] = []
        self.cautions: dict[str, None] = {}
        self.lost: set[str] = set()
        self.unknown = 0
        self._calls_left = MAX_CALLS
        self._values_left = MAX_VALUES

    def call(self, call: Call, depth: int) -> None:
        self._calls_left -= 1
        if call.target == ZERO:
            self._lose("to_zero_address", certain=call.value > 0)
        if call.target == call.sender and depth == 0:
            self._say("to_self")
        if not call.data and call.account is None:
            self._coins(call)
            return
        known = _KNOWN.get(call.data[:_SELECTOR])
        is_batch = known is not None and known.inside is Inside.PACKED and call.target in MULTI_SEND
        if call.account is not None and not is_batch:
            known = None  # the code runs as the account and may do anything to it, whatever its function is called
        if known is None or not self._known(known, call, call.data[_SELECTOR:], depth):
            self._unknown(call)

    def _known(self, known: Known, call: Call, data: bytes, depth: int) -> bool:
        """Note what a known call does. Returns False, having noted nothing, if the arguments cannot be read."""
        try:
            values, is_canonical = self._read([each.kind for each in parameters(known.signature)], data)
            rows = expand(_named(parameters(known.signature), values))
        except ValueError:
            return False
        if not is_canonical:
            self._say("noncanonical_call")
        self._say(*known.cautions)
        for row in rows[: max(1, self._calls_left)]:
            self._effect(known, call, row)
        self._calls_left -= len(rows) - 1
        if self._calls_left < 0:
            self._not_all_read()
        if call.value:
            self._coins(call)
        if known.inside is not None:
            self._inside(known.inside, call, rows[0], depth)
        return True

    def _read(self, kinds: Sequence[str], data: bytes) -> tuple[tuple[Any, ...], bool]:
        reader = abi.Reader(data, self._values_left)
        try:
            return reader.read(kinds)
        finally:
            self._values_left = max(0, reader.values_left)

    def _say(self, *codes: str) -> None:
        self.cautions.update(dict.fromkeys(codes))

    def _lose(self, code: str, *, certain: bool) -> None:
        self._say(code)
        if certain:
            self.lost.add(code)

    def _unknown(self, call: Call) -> None:
        self._not_all_read()
        selector = f"0x{call.data[:_SELECTOR].hex()}"
        self.effects.append(Effect("contract_call", selector, call.target, call.sender, data_size=len(call.data)))
        if call.value:
            self._coins(call)

    def _coins(self, call: Call) -> None:
        self.effects.append(Effect("transfer", from_=call.sender, to=call.target, amount=call.value))

    def _effect(self, known: Known, call: Call, row: Mapping[str, Any]) -> None:
        to = _recipient(known, row.get("to"), call)
        effect = effect_of(known.kind, known.signature.partition("(")[0], call.target, call.sender, {**row, "to": to})
        self.effects.append(effect)
        if known.kind == APPROVE and known.gives:
            self._say(*approval_cautions(row))
        elif known.kind in TRANSFERS:
            self._transfer(effect, row, call.sender)

    def _transfer(self, effect: Effect, row: Mapping[str, Any], sender: bytes | None) -> None:
        moves = row.get("amount") != 0
        if effect.to == effect.asset:
            self._lose("to_token_contract", certain=moves)
        if effect.to == ZERO:
            self._lose("to_zero_address", certain=moves)
        if effect.to == sender:
            self._say("to_self")

    def _inside(self, inside: Inside, call: Call, row: Mapping[str, Any], depth: int) -> None:
        try:
            if inside is Inside.ROUTER:
                self._router(call, row, depth)
                return
            for each in self._calls(inside, call, row):
                if self._calls_left <= 0 or depth >= MAX_DEPTH:
                    raise ValueError("too many calls, or too deep")
                if each.account is not None:
                    self._say("delegate_call")
                self.call(each, depth + 1)
        except ValueError:
            self._not_all_read()

    def _not_all_read(self) -> None:
        """Note that some call is not understood or not shown."""
        self.unknown += 1
        self._say("unknown_call")

    def _calls(self, inside: Inside, call: Call, row: Mapping[str, Any]) -> Iterator[Call]:
        """The inner calls, each as its target will see it. Raises ValueError if they cannot be read."""
        account = call.account or call.target
        if inside is Inside.SELF:
            yield from (Call(call.target, data, 0, call.sender) for data in row["calls"])
        elif inside is Inside.PACKED:
            yield from _packed(row["data"], account)
        elif inside is Inside.MODE:
            yield from self._execution(row["mode"], row["data"], account)
        else:
            yield from _listed(row, row.get("from", account), call.target)

    def _execution(self, mode: bytes, data: bytes, account: bytes) -> Iterator[Call]:
        """Executions of ERC-7579 and batches of ERC-7821. The first byte of the mode is the type of call."""
        if mode[0] == 0x00 and len(data) >= 52:
            yield Call(data[:20], data[52:], int.from_bytes(data[20:52], "big"), account)
        elif mode[0] == 0xFF and len(data) >= 20:
            yield Call(data[:20], data[20:], 0, account, account)
        elif mode[0] == 0x01 and mode[6:10] != b"\x78\x21\x00\x02":
            [batch], _ = self._read(_EXECUTION, data)
            for target, value, inner in batch:
                yield Call(account if target == ZERO else target, inner, value, account)
        else:
            raise ValueError("a mode that is not known")

    def _router(self, call: Call, row: Mapping[str, Any], depth: int) -> None:
        commands, inputs = row["commands"], row["inputs"]
        if len(commands) != len(inputs) or depth >= MAX_DEPTH:
            raise ValueError("each command must have one input")
        for command, data in zip(commands, inputs, strict=True):
            self._calls_left -= 1
            known = ROUTER.get(command & 0x7F)
            if self._calls_left < 0:
                raise ValueError("too many commands")
            if known is None or not self._known(known, Call(call.target, data, 0, call.sender), data, depth + 1):
                self._not_all_read()


def _packed(data: bytes, account: bytes) -> Iterator[Call]:
    """The calls of Safe's multiSend, each packed as operation (1), target (20), value (32), length (32) and data."""
    at = 0
    while at < len(data):
        operation, size = data[at], int.from_bytes(data[at + 53 : at + 85], "big")
        start = at + 85
        if start + size > len(data) or operation > 1:
            raise ValueError("a packed call ends too early or has an unknown operation")
        target, value = data[at + 1 : at + 21], int.from_bytes(data[at + 21 : at + 53], "big")
        yield Call(target, data[start : start + size], value, account, account if operation else None)
        at = start + size


def _listed(row: Mapping[str, Any], sender: bytes, contract: bytes) -> Iterator[Call]:
    calls: list[Mapping[str, Any]]
    if "calls" in row:
        calls = row["calls"] if isinstance(row["calls"], list) else [row["calls"]]
    elif isinstance(row.get("target"), list):
        targets, datas = row["target"], row["data"]
        values = row.get("value") or [0] * len(targets)
        if not len(targets) == len(datas) == len(values):
            raise ValueError("the lists differ in length")
        calls = [{"target": t, "value": v, "data": d} for t, v, d in zip(targets, values, datas, strict=True)]
    else:
        calls = [row]
    for each in calls:
        operation = each.get("operation", 0)
        if operation > 1:
            raise ValueError("an unknown operation")
        giver = each.get("from", sender)
        account = giver if operation else None
        yield Call(each.get("target", contract), each["data"], each.get("value", 0), giver, account)


def _recipient(known: Known, to: bytes | None, call: Call) -> bytes | None:
    """The recipient. The Universal Router has two placeholder addresses, for the sender and for itself."""
    meaning = _ROUTER_RECIPIENTS.get(to) if to is not None and known.signature[:1].isupper() else None
    return to if meaning is None else call.sender if meaning == "sender" else call.target


def _named(params: Sequence[Parameter], values: Sequence[Any]) -> list[tuple[str, Any]]:
    """The named parameters with their values. A tuple becomes such a list too, or a mapping if it is a call."""
    return [(each.name, _value(each, value)) for each, value in zip(params, values, strict=True) if each.name]


def _value(parameter: Parameter, value: Any) -> Any:
    if parameter.parts is None:
        return value
    if isinstance(value, list):
        return [_tuple(parameter, parameter.parts, item) for item in value]
    return _tuple(parameter, parameter.parts, value)


def _tuple(parameter: Parameter, parts: Sequence[Parameter], value: Sequence[Any]) -> Any:
    named = _named(parts, value)
    return named if parameter.name == "details" else dict(named)

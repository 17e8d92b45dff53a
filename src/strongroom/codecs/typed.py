"""Finds out what EIP-712 messages of known types let others do, for every chain that has such messages.

A contract checks the whole encoded type, so a type is known only if it is exactly one of the registry's. Messages of
any other type are reported as unknown, and their fields with well-known names are shown nevertheless. Fields that are
not signed are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from strongroom.codecs import abi, eip712, hexadecimal
from strongroom.codecs.calls import MAX_CALLS, Call, read_call
from strongroom.codecs.effects import ZERO, Effect, approval_cautions, effect_of, expand
from strongroom.codecs.eip712 import ParseAddress, TypedData
from strongroom.codecs.keccak import keccak256
from strongroom.codecs.known import PERMITTED_TYPE, ROLES, TYPES, Form, KnownType

KIND: Final = "typed_data"
MAX_TEXT: Final = 256
"""Characters of a text that a summary repeats."""

_SPENDING: Final = frozenset({known.name for known in TYPES if known.form is not Form.OTHER} | {"Order"})
"""Names of types that give something away, whatever their fields are."""
_ITEMS: Final = frozenset({"details"})
_ORDER: Final = "OrderComponents"
_ORDER_PARTS: Final = [
    f"){part})" for known in TYPES if known.name == _ORDER for part in known.encoded.split(")") if part
]


@dataclass(frozen=True, slots=True)
class TypedReading:
    effects: tuple[Effect, ...]
    """The message itself, followed by what it permits. A single permission is part of the message's own effect."""
    cautions: tuple[str, ...]


def read_typed(typed: TypedData, parse_address: ParseAddress) -> TypedReading:
    return _Reader(typed, parse_address).read()


def short(value: object) -> object:
    """A JSON value for a summary. A long text is cut and gets its hash, so that different texts look different."""
    if isinstance(value, bool) or value is None or (isinstance(value, int) and value.bit_length() <= MAX_TEXT):
        return value
    text = value if isinstance(value, str) else str(value)
    if len(text) <= MAX_TEXT:
        return text
    return f"{text[:MAX_TEXT]}… keccak256 {hexadecimal.to_text(keccak256(text.encode()))}"


class _Reader:
    def __init__(self, typed: TypedData, parse_address: ParseAddress) -> None:
        self.typed = typed
        self.contract = _contract(typed, parse_address)
        self.parse_address = parse_address
        self.cautions: dict[str, None] = {}
        self.effects: list[Effect] = []
        self.known = _known(typed)

    def read(self) -> TypedReading:
        typed = self.typed
        if typed.primary_type in _SPENDING and (self.known is None or self.known.form is not Form.OTHER):
            self._say("spending_permission")
        try:
            self._message()
        except ValueError:
            self.known, self.effects = None, [self._plain({})]
        if self.known is None:  # even without a verifying contract, as in a zkSync transaction
            self._say("unknown_typed_data")
        if "chainId" not in typed.domain:
            self._say("no_chain_binding")
        if typed.has_unsigned_fields:
            self._say("unsigned_fields")
        return TypedReading(tuple(self.effects), tuple(self.cautions))

    def _say(self, *codes: str) -> None:
        self.cautions.update(dict.fromkeys(codes))

    def _message(self) -> None:
        """Raises ValueError if the message does not fit its known type or has too much to show."""
        form = None if self.known is None else self.known.form
        message = self.typed.message
        if form is Form.ORDER:
            self.effects.append(self._plain({}))
            self._orders(message)
        elif form is Form.FORWARD:
            self.effects.append(self._plain({}))
            self._forward(message)
        elif form is Form.DELEGATION:
            self._delegation(message)
        else:
            self._grants(form)

    def _grants(self, form: Form | None) -> None:
        known = None if self.known is None else self.known.fields
        rows = expand(self._named(self.typed.primary_type, self.typed.message, known))
        if len(rows) > MAX_CALLS:
            raise ValueError("too much to show")
        if form is Form.APPROVE or form is None:
            for row in rows:
                self._say(*(approval_cautions(row) if "spender" in row else ()))
        kind = KIND if form in (None, Form.OTHER) else form.value
        found = [effect_of(kind, self.typed.primary_type, self.contract, None, row) for row in rows]
        if len(found) == 1:
            self.effects.append(replace(found[0], kind=KIND))
        else:
            common = {name: value for name, value in rows[0].items() if name in ("spender", "deadline", "from")}
            self.effects += [self._plain(common), *found]

    def _plain(self, row: Mapping[str, Any]) -> Effect:
        return effect_of(KIND, self.typed.primary_type, self.contract, None, row)

    def _delegation(self, message: Mapping[str, Any]) -> None:
        caveats = message["caveats"]
        if not caveats:
            self._say("unlimited_delegation")
        row = {
            "from": self.parse_address(message["delegator"]),
            "spender": self.parse_address(message["delegate"]),
            "caveats": len(caveats),
            "enforcers": [self.parse_address(each["enforcer"]) for each in filter(None, caveats)],
        }
        self.effects.append(self._plain(row))

    def _forward(self, message: Mapping[str, Any]) -> None:
        for call in self._forwarded(message):
            if call.account is not None:
                self._say("delegate_call")
            read = read_call(call)
            self._say(*read.cautions)
            self.effects += read.effects
        if self.typed.primary_type == "SafeTx":
            self.effects += self._refund(message)
        elif self.typed.primary_type == "PackedUserOperation":
            self._fee(message)
        deadline = message.get("deadline", message.get("validUntil"))
        if deadline is not None:
            self.effects[0] = self._plain({"deadline": eip712.integer(deadline)})

    def _forwarded(self, message: Mapping[str, Any]) -> list[Call]:
        """The calls that somebody else will make for the signer."""
        name, address = self.typed.primary_type, self.parse_address
        if name == "MetaTransaction":
            if self.contract is None:
                raise ValueError("no contract is called")
            data = hexadecimal.to_bytes(message["functionSignature"])
            return [Call(self.contract, data, 0, address(message["from"]))]
        if name == "PackedUserOperation":
            made, inits = address(message["sender"]), hexadecimal.to_bytes(message["initCode"])
            factory = [Call(_address_in(inits), inits[len(ZERO) :])] if inits else []
            return [*factory, Call(made, hexadecimal.to_bytes(message["callData"]))]
        target, data = address(message["to"]), hexadecimal.to_bytes(message["data"])
        value = eip712.integer(message["value"])
        if name == "ForwardRequest":
            return [Call(target, data, value, address(message["from"]))]
        operation = eip712.integer(message["operation"])
        if operation > 1:
            raise ValueError("an unknown operation")
        return [Call(target, data, value, self.contract, (self.contract or target) if operation else None)]

    def _refund(self, message: Mapping[str, Any]) -> Iterator[Effect]:
        """What a Safe pays to whoever executes its transaction. The gas of the call itself comes on top, so the amount
        is open.
        """
        price = eip712.integer(message["gasPrice"])
        if not price:
            return
        token, receiver = self.parse_address(message["gasToken"]), self.parse_address(message["refundReceiver"])
        gas = eip712.integer(message["baseGas"] if "baseGas" in message else message["dataGas"])
        yield Effect(
            kind="refund",
            from_=self.contract,
            to=None if receiver == ZERO else receiver,
            asset=None if token == ZERO else token,
            details={"gas_price": price, "base_gas": gas},
        )

    def _fee(self, message: Mapping[str, Any]) -> None:
        """Note who pays for a user operation, and the most that it can cost if it is the account (ERC-4337)."""
        paymaster = hexadecimal.to_bytes(message["paymasterAndData"])
        if paymaster:
            self.effects[0] = self._plain({"paymaster": _address_in(paymaster)})
            return
        limits, prices = hexadecimal.to_bytes(message["accountGasLimits"]), hexadecimal.to_bytes(message["gasFees"])
        gas = eip712.integer(message["preVerificationGas"])
        gas += int.from_bytes(limits[:16], "big") + int.from_bytes(limits[16:], "big")
        amount = gas * int.from_bytes(prices[16:], "big")
        self.effects.append(Effect(kind="fee", from_=self.parse_address(message["sender"]), amount=amount))

    def _orders(self, message: Mapping[str, Any]) -> None:
        orders = list(_leaves(message["tree"])) if self.typed.primary_type == "BulkOrder" else [message]
        for order in filter(None, orders):  # a struct may be null
            offerer = self.parse_address(order["offerer"])
            details = {"deadline": eip712.integer(order["endTime"])}
            offers = [self._item("offer", each, {"from": offerer, **details}) for each in filter(None, order["offer"])]
            given = [self._item("consideration", each, details) for each in filter(None, order["consideration"])]
            if offers and offerer not in {each.to for each in given}:
                self._say("nothing_in_return")
            self.effects += [*offers, *given]
            if len(self.effects) > MAX_CALLS:
                raise ValueError("too much to show")

    def _item(self, kind: str, item: Mapping[str, Any], row: Mapping[str, Any]) -> Effect:
        """Item types are 0 for the coin, 1 for ERC-20, 2 and 3 for one NFT, 4 and 5 for an NFT that meets criteria."""
        item_type, amount = eip712.integer(item["itemType"]), eip712.integer(item["startAmount"])
        details = {name: value for name, value in row.items() if name != "from"}
        if (end := eip712.integer(item["endAmount"])) != amount:
            details["end_amount"] = end
        if item_type >= 2:
            details["token_id" if item_type <= 3 else "criteria"] = eip712.integer(item["identifierOrCriteria"])
        return Effect(
            kind=kind,
            from_=row.get("from"),
            to=self.parse_address(item["recipient"]) if "recipient" in item else None,
            amount=amount,
            asset=None if item_type == 0 else self.parse_address(item["token"]),
            details=details,
        )

    def _named(self, struct: str, value: Mapping[str, Any], most: int | None = None) -> list[tuple[str, Any]]:
        """The meaning of the signed fields of a struct, in the form that `effects.expand` takes.

        ``most`` is the number of leading fields to read. A witness that a spender names like an amount means nothing.
        """
        found: list[tuple[str, Any]] = []
        for name, kind in self.typed.types[struct][:most]:
            role, given = ROLES.get(name), value.get(name)
            if role is None or given is None:
                continue
            inner = kind.removesuffix("[]")
            if role in _ITEMS and inner in self.typed.types:
                items = given if kind != inner else [given]
                found.append((role, [self._named(inner, item) for item in items if item is not None]))
            elif role in ("from", "to", "spender", "token") and kind == "address":
                found.append((role, self.parse_address(given)))
            elif role in ("amount", "token_id", "deadline", "expiration") and kind in abi.INTEGERS:
                found.append((role, eip712.integer(given)))
            elif role in ("approved", "allowed") and kind == "bool":
                found.append((role, given))
        return found


def _address_in(data: bytes) -> bytes:
    """The address that a field begins with. Raises ValueError if it is too short."""
    if len(data) < len(ZERO):
        raise ValueError("a field must begin with an address")
    return data[: len(ZERO)]


def _contract(typed: TypedData, parse_address: ParseAddress) -> bytes | None:
    """The verifying contract, if a valid address is signed. The domain may give the field any type."""
    value = typed.domain.get("verifyingContract")
    try:
        return parse_address(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _known(typed: TypedData) -> KnownType | None:
    for known in TYPES:
        if known.name != typed.primary_type:
            continue
        if typed.encoded_type == known.encoded:
            return known
        if known.encoded[-1] != ")" and typed.encoded_type.startswith(known.encoded) and _has_parts(typed, known):
            return known
    return None


def _has_parts(typed: TypedData, known: KnownType) -> bool:
    """Whether the structs inside a type that is known by its beginning are known too."""
    if known.form is Form.ORDER:
        names = [name for name, _ in typed.types[typed.primary_type]]
        return names == ["tree"] and all(part in typed.encoded_type for part in _ORDER_PARTS)
    return f"){PERMITTED_TYPE}" in typed.encoded_type


def _leaves(tree: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(tree, list):
        yield tree
        return
    for branch in tree:
        yield from _leaves(branch)

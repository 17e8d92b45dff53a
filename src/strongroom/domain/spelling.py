"""Maps names of fields in other libraries to their names here. It handles names only, never values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from strongroom.hints import Hints

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}", re.ASCII)
_MOST_DIGITS: Final = 4
"""A name with more digits may be part of a key in hexadecimal."""

_SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "amount": ("value",),
    "calldata": ("data",),
    "chain": ("network",),
    "feelimit": ("max_fee_limit",),
    "fromaddress": ("from",),
    "gas": ("gasLimit",),
    "gaslimit": ("gas",),
    "input": ("data",),
    "memo": ("comment", "data"),
    "mnemoniclength": ("words",),
    "name": ("label",),
    "msg": ("message",),
    "pagesize": ("limit",),
    "perpage": ("limit",),
    "psbt": ("unsigned_tx",),
    "rawtransaction": ("unsigned_tx", "signed_tx"),
    "rawtx": ("unsigned_tx", "signed_tx"),
    "recipient": ("to",),
    "seed": ("mnemonic",),
    "seedphrase": ("mnemonic",),
    "signedtransaction": ("signed_tx",),
    "toaddress": ("to",),
    "transaction": ("unsigned_tx", "signed_tx"),
    "tx": ("unsigned_tx", "signed_tx"),
    "txhash": ("tx_id",),
    "unsignedtransaction": ("unsigned_tx",),
    "wallet": ("wallet_id",),
    "wordcount": ("words",),
}
"""Names that a field may have here, the likeliest first, by its other name in lower case without underscores."""


def printable_name(text: str) -> str | None:
    """The name of a field if a message may repeat it, that is, if it is a plain identifier of at most 40 characters."""
    if _NAME.fullmatch(text) is None or sum(letter.isdigit() for letter in text) > _MOST_DIGITS:
        return None
    return text


def meant(name: str, known: Iterable[str]) -> str | None:
    """The one of ``known`` that the name most likely means, such as gasLimit for gas_limit. None if there is none."""
    by_form = {_form(each): each for each in known}
    forms = (_form(name), *map(_form, _SYNONYMS.get(_form(name), ())))
    return next((by_form[form] for form in forms if form in by_form), None)


def unknown(given: str, known: Iterable[str]) -> tuple[str | None, str, Hints]:
    """For a field that is not in ``known``, its name if a message may repeat it, the message, and hints."""
    ours = sorted(known)
    name = printable_name(given)
    if name is not None and (better := meant(name, ours)) is not None:
        return name, f"no such field: it is called {better} here", Hints(did_you_mean=better)
    return name, "there is no such field", Hints(allowed=ours)


def _form(name: str) -> str:
    return name.replace("_", "").lower()

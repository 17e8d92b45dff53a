"""The registry of tokens that are shown by default. Its decimals hold, whatever a contract says.

It consists of a shipped list (`data/tokens.json`, which names the sources of each entry) and of the operator's own
files in the same format. `import_token_list` converts lists of others.
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import msgspec

from strongroom.codecs import base58, eip55
from strongroom.codecs.crc import crc16
from strongroom.domain.asset import Asset, token_id
from strongroom.domain.network import Network

MOST_BYTES: Final = 4 << 20
MOST_TOKENS: Final = 10_000
MOST_DECIMALS: Final = 36
MOST_SYMBOL: Final = 20
MOST_NAME: Final = 60
"""Characters, as in the schema of Uniswap's token lists."""

_HIDDEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_FORMULA: Final = frozenset("=+-@")
"""What a spreadsheet takes for the beginning of a formula."""
_MARKUP: Final = frozenset("<>&`")
_IN_SYMBOLS: Final = frozenset("._-$₮")
_TRON_PREFIX: Final = 0x41
_TON_BOUNCEABLE: Final = 0x11


class _Listed(msgspec.Struct, frozen=True, rename={"chain_id": "chainId"}):
    """An entry of either format. The fields are untyped, so that one bad entry does not spoil the list."""

    network: Any = None
    chain_id: Any = None
    contract: Any = None
    address: Any = None
    symbol: Any = None
    name: Any = None
    decimals: Any = None
    sources: Any = None


class _List(msgspec.Struct, frozen=True):
    tokens: list[_Listed]


@dataclass(frozen=True, slots=True)
class Refused:
    position: int
    """Position in the list, from 0."""
    reason: str
    """``network`` (not configured here), ``address``, ``decimals``, ``text`` or ``duplicate``."""


@dataclass(frozen=True, slots=True)
class Imported:
    tokens: Sequence[Asset]
    refused: Sequence[Refused]


def registry(lists: Iterable[bytes], networks: Sequence[Network]) -> dict[str, dict[str, Asset]]:
    """The tokens of the shipped list and the operator's own lists, by CAIP-2 id and contract.

    Entries of networks that are not configured are skipped. Raises ValueError for any other bad entry, and if two lists
    give one contract different decimals or symbols.
    """
    found: dict[str, dict[str, Asset]] = {network.caip2: {} for network in networks}
    for content in (_shipped(), *lists):
        taken = _take(content, networks, _own)
        if bad := [each for each in taken.refused if each.reason != "network"]:
            raise ValueError(f"token {bad[0].position} of a list: its {bad[0].reason} is not valid")
        for token in taken.tokens:
            assert token.contract is not None
            there = found[token.network].setdefault(token.contract, token)
            if (there.decimals, there.symbol) != (token.decimals, token.symbol):
                raise ValueError(f"two token lists differ on {token.id}")
    return found


def import_token_list(content: bytes, networks: Sequence[Network]) -> Imported:
    """The entries of a list in the format of https://github.com/Uniswap/token-lists that are on configured EVM
    networks.

    Raises ValueError if it is not such a list, or too large.
    """
    return _take(content, networks, _uniswap)


def as_list(tokens: Iterable[Asset]) -> bytes:
    """The tokens in the registry's own format."""
    rows = [
        {
            "network": token.network,
            "contract": token.contract,
            "symbol": token.symbol,
            "name": token.name,
            "decimals": token.decimals,
        }
        for token in tokens
    ]
    return msgspec.json.format(msgspec.json.encode({"tokens": rows}), indent=2) + b"\n"


def unlisted(network: Network, contract: str, symbol: object = None, decimals: object = None) -> Asset:
    """A token that is not in the registry, with what its contract or an indexer says about it."""
    bounded = decimals if isinstance(decimals, int) and 0 <= decimals <= MOST_DECIMALS else None
    return Asset(token_id(network, contract), network.caip2, _tame(symbol), bounded, contract, listed=False)


def _tame(symbol: object) -> str:
    """Letters, digits and a few signs of the symbol, or ``?`` if nothing is left. Look-alikes of other scripts stay."""
    if not isinstance(symbol, str):
        return "?"
    normal = unicodedata.normalize("NFC", symbol[: 4 * MOST_SYMBOL])
    kept = "".join(sign for sign in normal if sign in _IN_SYMBOLS or unicodedata.category(sign)[0] in "LN")
    return kept.lstrip("-._")[:MOST_SYMBOL] or "?"


def _shipped() -> bytes:
    return files("strongroom.rpc").joinpath("data", "tokens.json").read_bytes()


_Place = Callable[[_Listed, Sequence[Network]], tuple[Network | None, object]]
"""Gives the network and the contract of an entry. The network is None if it is not configured."""


def _own(listed: _Listed, networks: Sequence[Network]) -> tuple[Network | None, object]:
    return next((each for each in networks if each.caip2 == listed.network), None), listed.contract


def _uniswap(listed: _Listed, networks: Sequence[Network]) -> tuple[Network | None, object]:
    named = type(listed.chain_id) is int
    fits = (each for each in networks if named and each.chain == "evm" and each.chain_id == listed.chain_id)
    return next(fits, None), listed.address


def _take(content: bytes, networks: Sequence[Network], place: _Place) -> Imported:
    if len(content) > MOST_BYTES:
        raise ValueError(f"a token list must have at most {MOST_BYTES} bytes")
    try:
        rows = msgspec.json.decode(content, type=_List).tokens
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError):
        raise ValueError("this is not a token list") from None
    if len(rows) > MOST_TOKENS:
        raise ValueError(f"a token list must have at most {MOST_TOKENS} tokens")
    taken: dict[str, Asset] = {}
    refused: list[Refused] = []
    for position, row in enumerate(rows):
        token = _read(row, *place(row, networks))
        if isinstance(token, str):
            refused.append(Refused(position, token))
        elif token.id in taken:
            refused.append(Refused(position, "duplicate"))
        else:
            taken[token.id] = token
    return Imported(list(taken.values()), refused)


def _read(row: _Listed, network: Network | None, written: object) -> Asset | str:
    """The token, or the reason why it was refused."""
    if network is None:
        return "network"
    try:
        contract = _CONTRACTS[network.chain](written if isinstance(written, str) else "")
    except (KeyError, ValueError):
        return "address"
    if type(row.decimals) is not int or not 0 <= row.decimals <= MOST_DECIMALS:
        return "decimals"
    symbol, name = _text(row.symbol, MOST_SYMBOL), _text(row.name, MOST_NAME)
    if symbol is None or name is None or any(sign.isspace() for sign in symbol):
        return "text"
    return Asset(token_id(network, contract), network.caip2, symbol, row.decimals, contract, name)


def _text(value: object, most: int) -> str | None:
    """The text in NFC. None if it is empty, too long, or has characters that hide, reorder, break lines or
    start code.
    """
    if not isinstance(value, str) or len(value) > 4 * most:
        return None
    normal = unicodedata.normalize("NFC", value).strip()
    bad = any(sign in _MARKUP or unicodedata.category(sign) in _HIDDEN for sign in normal)
    return None if bad or not 0 < len(normal) <= most or normal[0] in _FORMULA else normal


def _evm(text: str) -> str:
    return eip55.checksum(eip55.parse(text))


def _tron(text: str) -> str:
    payload = base58.decode_check(text) if len(text) == 34 else b""
    if len(payload) != 21 or payload[0] != _TRON_PREFIX:
        raise ValueError("not a Tron address")
    return text


def _solana(text: str) -> str:
    if len(text) > 44 or len(base58.decode(text)) != 32:
        raise ValueError("not a Solana address")
    return text


def _ton(text: str) -> str:
    """The bounceable form, in which masters are written: tag, workchain, 32 bytes, checksum, in base64url."""
    data = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    if len(data) != 36 or data[0] != _TON_BOUNCEABLE or crc16(data[:34]) != data[34:]:
        raise ValueError("not a bounceable TON address")
    return text


_CONTRACTS: Final[Mapping[str, Callable[[str], str]]] = {"evm": _evm, "tron": _tron, "solana": _solana, "ton": _ton}

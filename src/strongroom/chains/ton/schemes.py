"""The derivation paths of TON wallets and the contracts that hold their coins, which together give an address.

A scheme is named ``<keys>-<contract>``. Two suffixes give further wallets of the same key. They are ``-master`` (in the
masterchain) and ``-sub<N>`` (subwallet N, from 1), in this order, as in ``bip39-v4r2-sub7`` or ``native-v5r1-master``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from strongroom.chains.ton.addresses import MASTERCHAIN
from strongroom.chains.ton.contracts import CONTRACTS, HIGHLOAD_V3, V5R1, Account
from strongroom.domain.scheme import Curve, Scheme
from strongroom.domain.wallet import WalletKind

_NAME: Final = re.compile(
    r"(?P<keys>bip39|ledger|native|raw)-(?P<contract>[a-z0-9]+)(?P<master>-master)?(?:-sub(?P<sub>[1-9][0-9]{0,5}))?",
    re.ASCII,
)
_KINDS: Final = {
    "bip39": (WalletKind.BIP39, "m/44'/607'/{index}'", "Trust, TON Connect WalletKit, Tonkeeper's multichain words"),
    "ledger": (WalletKind.BIP39, "m/44'/607'/{network}'/{workchain}'/{index}'/0'", "Ledger"),
    "native": (WalletKind.TON_NATIVE, "m", "TON's own 24 words: Tonkeeper, MyTonWallet, Tonhub"),
    "raw": (WalletKind.RAW_KEY, "m", "A single imported private key"),
}
_LEDGER_MASTERCHAIN: Final = 255


class _Schemes(Mapping[str, Scheme]):
    """Lists the names without suffixes, but finds those with suffixes too."""

    def __init__(self, *, testnet: bool) -> None:
        self._testnet = testnet
        self._plain = [f"{keys}-{name}" for keys in _KINDS for name in (V5R1.name, "v4r2", "v3r2", HIGHLOAD_V3.name)]

    def __getitem__(self, name: str) -> Scheme:
        return _scheme(name, self._testnet)

    def __iter__(self) -> Iterator[str]:
        return iter(self._plain)

    def __len__(self) -> int:
        return len(self._plain)


def account(scheme_name: str) -> Account:
    """The contract that a scheme names. Raises KeyError."""
    found = _NAME.fullmatch(scheme_name)
    if found is None:
        raise KeyError("there is no scheme with this name")
    contract = CONTRACTS[found["contract"]]
    subwallet = int(found["sub"] or 0)
    if subwallet > contract.max_subwallet or (found["master"] and contract is HIGHLOAD_V3):
        raise KeyError("the contract has no wallet with this id")
    return Account(contract, MASTERCHAIN if found["master"] else 0, subwallet)


@lru_cache(maxsize=1024)
def _scheme(name: str, testnet: bool) -> Scheme:
    held = account(name)
    kind, template, whose = _KINDS[name.partition("-")[0]]
    workchain = 0 if held.workchain == 0 else _LEDGER_MASTERCHAIN
    path = template.replace("{network}", str(int(testnet))).replace("{workchain}", str(workchain))
    return Scheme(name, path, Curve.ED25519, f"{whose}; wallet {held.contract.name}", frozenset({kind}))


SCHEMES: Final[Mapping[str, Mapping[str, Scheme]]] = {
    "ton": _Schemes(testnet=False),
    "ton-test": _Schemes(testnet=True),
}
DEFAULTS: Final = {
    WalletKind.BIP39: "bip39-v5r1",
    WalletKind.TON_NATIVE: "native-v5r1",
    WalletKind.RAW_KEY: "raw-v5r1",
}

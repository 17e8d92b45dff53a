from __future__ import annotations

import pytest

from strongroom.chains.base import Chain
from strongroom.chains.registry import CHAINS
from strongroom.domain.scheme import Position
from strongroom.domain.wallet import WalletKind
from strongroom.errors import InvalidAddress
from tests.unit.chains.evm.evm_cases import ETHEREUM, EVM, FROM, our_key


def test_the_registry_holds_the_chain_under_its_name() -> None:
    chain: Chain = CHAINS["evm"]
    assert chain.name == "evm"


def test_networks_are_told_apart() -> None:
    names = [name for network in EVM.networks for name in (network.name, *network.aliases, network.caip2)]
    assert len(names) == len(set(names))
    assert {(network.chain, network.keyspace, network.decimals) for network in EVM.networks} == {("evm", "evm", 18)}
    assert all(network.caip2 == f"eip155:{network.chain_id}" for network in EVM.networks)
    assert all(network.limits.keys() <= EVM.limits.keys() for network in EVM.networks)
    assert "eth" in ETHEREUM.aliases


@pytest.mark.parametrize(
    ("scheme", "position", "path"),
    [
        ("bip44", Position(1, 0, 5), "m/44'/60'/1'/0/5"),
        ("ledger-live", Position(index=5), "m/44'/60'/5'/0/0"),
        ("ledger-legacy", Position(account=1, index=5), "m/44'/60'/1'/5"),
        ("raw", Position(), "m"),
    ],
)
def test_schemes(scheme: str, position: Position, path: str) -> None:
    assert EVM.schemes("evm")[scheme].path(position) == path


def test_default_schemes() -> None:
    assert EVM.default_scheme("evm", WalletKind.BIP39).name == "bip44"
    assert EVM.default_scheme("evm", WalletKind.RAW_KEY).name == "raw"


def test_a_network_that_nobody_configured() -> None:
    network = EVM.network_for("eip155:424242")
    assert network is not None
    assert (network.name, network.caip2, network.chain_id, network.keyspace) == (
        "eip155:424242",
        "eip155:424242",
        424242,
        "evm",
    )


@pytest.mark.parametrize(
    "text",
    ["", "eip155:", "eip155:01", "eip155:-1", "eip155:1 ", "EIP155:1", "eip155:٣", f"eip155:{2**64}", "solana:1"],
)
def test_what_is_no_caip2_id(text: str) -> None:
    assert EVM.network_for(text) is None


def test_addresses() -> None:
    shown = EVM.render(ETHEREUM, EVM.schemes("evm")["bip44"], our_key().public_key)
    assert shown.address == FROM
    assert shown.canonical == our_key().address
    assert shown.forms == {"address": FROM, "lowercase": FROM.lower()}
    assert EVM.parse_address(ETHEREUM, FROM.lower()) == shown
    with pytest.raises(InvalidAddress):
        EVM.parse_address(ETHEREUM, FROM.lower().replace("a", "A", 1))

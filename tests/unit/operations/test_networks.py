from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from strongroom.bootstrap.networks import configured_networks
from strongroom.chains.registry import CHAINS
from strongroom.config.settings import Settings, load
from strongroom.domain.network import Network
from strongroom.domain.signing import SignOptions
from strongroom.domain.wallet import WalletKind
from strongroom.errors import ConfigurationError, UnknownNetwork, UnknownScheme
from strongroom.operations.networks import Networks

EVM = CHAINS["evm"]
MAIN, TEST = EVM.networks[0], EVM.networks[1]


def networks(*added: Network, any_network: bool = False, **limits: int | None) -> Networks:
    return Networks(CHAINS, [MAIN, TEST, *added], limits={"evm": limits}, any_network=any_network)


@pytest.mark.parametrize("text", ["ethereum", "eth", "eip155:1"])
def test_network_answers_to_its_name_aliases_and_caip2_id(text: str) -> None:
    assert networks().resolve(text) == (MAIN, EVM)


@pytest.mark.parametrize("text", ["", "Ethereum", "ethereum ", "eip155:01", "eip155:2", "EIP155:1", "1", "bip122:000"])
def test_anything_else_is_unknown(text: str) -> None:
    with pytest.raises(UnknownNetwork) as caught:
        networks().resolve(text)
    assert caught.value.field == "network"


def test_any_caip2_id_where_that_is_allowed() -> None:
    network, chain = networks(any_network=True).resolve("eip155:424242")
    assert (network.chain_id, network.keyspace, chain) == (424242, "evm", EVM)
    for text in ("eip155:01", f"eip155:{2**64}", "solana:x"):
        with pytest.raises(UnknownNetwork):
            networks(any_network=True).resolve(text)


def test_symbols_are_those_of_the_settings(tmp_path: Path) -> None:
    def settings(**symbols: str) -> Settings:
        variables = {f"STRONGROOM_SYMBOLS__{name}": text for name, text in symbols.items()}
        return load({"STRONGROOM_DATA_DIR": str(tmp_path), **variables}, dotenv=None)

    found = configured_networks(settings(TON="GRAM"), CHAINS)
    assert [found.resolve(name)[0].symbol for name in ("ton", "ton-testnet", "ethereum")] == ["GRAM", "TON", "ETH"]
    with pytest.raises(ConfigurationError, match="nowhere"):
        configured_networks(settings(NOWHERE="X"), CHAINS)


def test_wallets_of_tons_own_words_have_keys_on_ton_alone() -> None:
    known = networks()
    with pytest.raises(UnknownScheme) as caught:
        known.default_scheme(MAIN, WalletKind.TON_NATIVE)
    assert caught.value.field == "network"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "ethereum"},
        {"caip2": "eip155:1"},
        {"aliases": ("eth",)},
        {"aliases": ("sepolia",)},
        {"chain": "nowhere"},
        {"limits": {"max_fun": 1}},
    ],
    ids=str,
)
def test_networks_that_contradict_each_other(change: dict[str, object]) -> None:
    added = replace(MAIN, name="mine", caip2="eip155:5", aliases=())
    assert networks(added).resolve("mine")[0] is added
    with pytest.raises(ConfigurationError):
        networks(replace(added, **change))  # type: ignore[arg-type]


def test_limits_of_the_network_go_before_those_of_the_chain_and_its_own() -> None:
    own = replace(MAIN, name="mine", caip2="eip155:5", aliases=(), limits={"max_gas": 7, "max_fee": None})
    found = networks(own, max_fee=5, min_gas=None)
    assert EVM.limits["max_fee"] not in (5, None)
    assert found.limits(MAIN) == {**EVM.limits, "max_fee": 5, "min_gas": None}
    assert found.limits(own) == {**EVM.limits, "max_fee": None, "min_gas": None, "max_gas": 7}
    options = SignOptions(allow_resign=True)
    policy = found.policy(own, options)
    assert (policy.limits, policy.options) == (found.limits(own), options)


def test_scheme_by_name_for_the_kind_of_wallet() -> None:
    found = networks()
    assert found.scheme(MAIN, WalletKind.BIP39, None).name == "bip44"
    assert found.scheme(MAIN, WalletKind.RAW_KEY, None).name == "raw"
    assert found.scheme(MAIN, WalletKind.BIP39, "ledger-live").template == "m/44'/60'/{index}'/0/0"
    for kind, name in ((WalletKind.BIP39, "nothing"), (WalletKind.BIP39, "raw"), (WalletKind.RAW_KEY, "bip44")):
        with pytest.raises(UnknownScheme) as caught:
            found.scheme(MAIN, kind, name)
        assert caught.value.field == "scheme"


def test_each_keyspace_once_with_its_first_network() -> None:
    assert networks().keyspaces() == {"evm": (MAIN, EVM)}
    assert [network.name for network, _ in networks().listed()] == [MAIN.name, TEST.name]

from __future__ import annotations

import json
from typing import Any

import pytest

from strongroom.chains.registry import CHAINS
from strongroom.domain.network import Network
from strongroom.rpc import assets
from strongroom.rpc.assets import as_list, import_token_list, registry, unlisted

NETWORKS: list[Network] = [network for chain in CHAINS.values() for network in chain.networks]
BY_NAME = {network.name: network for network in NETWORKS}
USDC = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
GOOD = {"chainId": 1, "address": USDC, "symbol": "USDC", "name": "USD Coin", "decimals": 6}


def a_list(*tokens: Any) -> bytes:
    return json.dumps({"name": "A list", "version": {"major": 1}, "tokens": tokens}).encode()


def test_what_is_shipped() -> None:
    found = registry([], NETWORKS)
    assert sum(map(len, found.values())) == 34
    named = {(caip2, each.symbol): each for caip2, tokens in found.items() for each in tokens.values()}
    assert named["eip155:1", "USDT"].decimals == 6
    assert named["eip155:56", "USDT"].decimals == 18  # dfinity/oisy-wallet#6220
    assert named["eip155:1", "USDC"].id == f"eip155:1/erc20:{USDC.lower()}"
    assert named["tron:0x2b6653dc", "USDT"].id == "tron:0x2b6653dc/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
    assert named["tvm:-239", "USDT"].contract == "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs"
    assert all(len(tokens) == len({each.symbol for each in tokens.values()}) for tokens in found.values())


def test_each_shipped_token_has_two_sources() -> None:
    content = json.loads(assets._shipped())
    for token in content["tokens"]:
        assert len(set(token["sources"])) == 2
        assert content["sources"].keys() >= set(token["sources"])


def test_contracts_are_written_as_their_network_shows_them() -> None:
    for caip2, tokens in registry([], NETWORKS).items():
        [network] = [each for each in NETWORKS if each.caip2 == caip2]
        for contract in tokens:
            parsed = CHAINS[network.chain].parse_address(network, contract)
            assert contract in {parsed.address, *parsed.forms.values()}, contract


def test_a_slip_in_a_shipped_contract_is_found() -> None:
    """By the checksum of each form of address. Those of Solana have none."""
    checked = 0
    for token in json.loads(assets._shipped())["tokens"]:
        contract = token["contract"]
        at = max((at for at in range(2, len(contract)) if contract[at].isalpha()), default=0)
        if not at or token["network"].startswith("solana:"):  # 0x42…06: digits alone
            continue
        slip = contract[:at] + contract[at].swapcase() + contract[at + 1 :]
        with pytest.raises(ValueError, match="address"):
            registry([json.dumps({"tokens": [token | {"contract": slip}]}).encode()], NETWORKS)
        checked += 1
    assert checked == 28


def test_a_token_list_is_imported() -> None:
    found = import_token_list(a_list(GOOD, GOOD | {"chainId": 137, "address": USDC.lower()}), NETWORKS)
    assert [each.contract for each in found.tokens] == [USDC, USDC]
    assert [each.id for each in found.tokens] == [f"eip155:{n}/erc20:{USDC.lower()}" for n in (1, 137)]
    assert not found.refused
    again = registry([as_list(found.tokens)], NETWORKS)
    assert again["eip155:137"][USDC].name == "USD Coin"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"chainId": 999_999}, "network"),
        ({"chainId": "1"}, "network"),
        ({"chainId": True}, "network"),
        ({"chainId": 728126428}, "network"),  # Tron's, of which the format says nothing
        ({"address": USDC.replace("A0b", "a0b")}, "address"),
        ({"address": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}, "address"),
        ({"address": None}, "address"),
        ({"decimals": 37}, "decimals"),
        ({"decimals": -1}, "decimals"),
        ({"decimals": "6"}, "decimals"),
        ({"decimals": 6.0}, "decimals"),
        ({"decimals": True}, "decimals"),
        ({"symbol": ""}, "text"),
        ({"symbol": "U" * 21}, "text"),
        ({"symbol": "US DC"}, "text"),
        ({"symbol": "USDC\u202e"}, "text"),
        ({"symbol": "US\u200bDC"}, "text"),
        ({"symbol": "=cmd"}, "text"),
        ({"symbol": "\ud800"}, "text"),
        ({"name": "n" * 61}, "text"),
        ({"name": "<!channel>"}, "text"),
        ({"name": "a\r\nb"}, "text"),
        ({"name": 5}, "text"),
    ],
)
def test_what_cannot_be_taken_costs_no_other(change: dict[str, Any], reason: str) -> None:
    if change.get("symbol") == "\ud800":
        with pytest.raises(ValueError, match="not a token list"):
            import_token_list(a_list(GOOD | change), NETWORKS)
        return
    found = import_token_list(a_list(GOOD | change, GOOD), NETWORKS)
    assert [(each.position, each.reason) for each in found.refused] == [(0, reason)]
    assert len(found.tokens) == 1


def test_the_second_of_two_is_refused() -> None:
    found = import_token_list(a_list(GOOD, GOOD | {"decimals": 18, "address": USDC.lower()}), NETWORKS)
    assert [each.reason for each in found.refused] == ["duplicate"]
    assert found.tokens[0].decimals == 6


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b'{"tokens": [1]}', b'{"tokens": {}}', b"[" * 100_000, b'{"tokens":' + b"[" * 100_000, b"\xff"],
)
def test_what_is_no_list(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a token list"):
        import_token_list(content, NETWORKS)


def test_lists_are_bounded() -> None:
    with pytest.raises(ValueError, match="10000 tokens"):
        import_token_list(a_list(*[{}] * 10_001), NETWORKS)
    with pytest.raises(ValueError, match="bytes"):
        import_token_list(b" " * (assets.MOST_BYTES + 1), NETWORKS)


def test_lists_that_differ_are_not_taken() -> None:
    own = {"network": "eip155:1", "contract": USDC, "symbol": "USDC", "name": "USD Coin", "decimals": 6}
    registry([a_list(own)], NETWORKS)
    with pytest.raises(ValueError, match=r"two token lists differ on eip155:1/erc20:0xa0b8"):
        registry([a_list(own | {"decimals": 18})], NETWORKS)
    with pytest.raises(ValueError, match="decimals is not valid"):
        registry([a_list(own | {"decimals": 77})], NETWORKS)
    registry([a_list(own | {"network": "eip155:999999"})], NETWORKS)


@pytest.mark.parametrize(
    ("symbol", "shown"),
    [
        ("USDC", "USDC"),
        ("USD₮", "USD₮"),
        ("a\u202eb\r\n<b>\0", "abb"),
        ("=cmd()", "cmd"),
        ("-_.x", "x"),
        ("\u0300" * 50, "?"),
        ("", "?"),
        (None, "?"),
        ("x" * 1000, "x" * 20),
    ],
)
def test_symbols_of_unlisted_tokens_are_tamed(symbol: object, shown: str) -> None:
    token = unlisted(BY_NAME["ethereum"], USDC, symbol, 255)
    assert (token.symbol, token.decimals, token.listed) == (shown, None, False)

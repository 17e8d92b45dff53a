"""The registry of known calls and types. Every signature has the selector or hash that other people's code has."""

from __future__ import annotations

import re

import pytest
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.crypto import keccak

from strongroom.codecs import abi, calls
from strongroom.codecs.known import CALLS, ROLES, ROUTER, TYPES, Inside, Known, KnownType

WORDS = {
    *("from", "to", "spender", "amount", "token", "token_id", "token_ids", "amounts", "approved", "allowed"),
    *("deadline", "expiration", "details", "target", "value", "data", "operation", "calls"),
}

# From the sources that are named: Etherscan's verified contracts, 4byte.directory and the ERCs.
PUBLISHED = {
    "a9059cbb": "transfer(address,uint256)",
    "095ea7b3": "approve(address,uint256)",
    "23b872dd": "transferFrom(address,address,uint256)",
    "39509351": "increaseAllowance(address,uint256)",
    "a457c2d7": "decreaseAllowance(address,uint256)",
    "a22cb465": "setApprovalForAll(address,bool)",
    "42842e0e": "safeTransferFrom(address,address,uint256)",
    "b88d4fde": "safeTransferFrom(address,address,uint256,bytes)",
    "f242432a": "safeTransferFrom(address,address,uint256,uint256,bytes)",
    "2eb2c2d6": "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)",
    "d505accf": "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
    "8fcbaf0c": "permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)",
    "e3ee160e": ("transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)"),
    "ef55bec6": "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)",
    "4000aea0": "transferAndCall(address,uint256,bytes)",
    "cae9ca51": "approveAndCall(address,uint256,bytes)",
    "9bd9bbc6": "send(address,uint256,bytes)",
    "959b8c3f": "authorizeOperator(address)",
    "87517c45": "approve(address,address,uint160,uint48)",
    "36c78516": "transferFrom(address,address,uint160,address)",
    "0d58b1db": "transferFrom((address,address,uint160,address)[])",
    "2b67b570": "permit(address,((address,uint160,uint48,uint48),address,uint256),bytes)",
    "2a2d80d1": "permit(address,((address,uint160,uint48,uint48)[],address,uint256),bytes)",
    "30f28b7a": "permitTransferFrom(((address,uint256),uint256,uint256),(address,uint256),address,bytes)",
    "edd9444b": "permitTransferFrom(((address,uint256)[],uint256,uint256),(address,uint256)[],address,bytes)",
    "137c29fe": (
        "permitWitnessTransferFrom(((address,uint256),uint256,uint256),(address,uint256),address,bytes32,string,bytes)"
    ),
    "ac9650d8": "multicall(bytes[])",
    "5ae401dc": "multicall(uint256,bytes[])",
    "1f0464d1": "multicall(bytes32,bytes[])",
    "252dba42": "aggregate((address,bytes)[])",
    "82ad56cb": "aggregate3((address,bool,bytes)[])",
    "174dea71": "aggregate3Value((address,bool,uint256,bytes)[])",
    "bce38bd7": "tryAggregate(bool,(address,bytes)[])",
    "6a761202": "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)",
    "8d80ff0a": "multiSend(bytes)",
    "b61d27f6": "execute(address,uint256,bytes)",
    "e9ae5c53": "execute(bytes32,bytes)",
    "3593564c": "execute(bytes,bytes[],uint256)",
    "24856bc3": "execute(bytes,bytes[])",
    "34fcd5be": "executeBatch((address,uint256,bytes)[])",
    "47e1da2a": "executeBatch(address[],uint256[],bytes[])",
    "f2fde38b": "transferOwnership(address)",
    "3659cfe6": "upgradeTo(address)",
    "4f1ef286": "upgradeToAndCall(address,bytes)",
    "d0e30db0": "deposit()",
    "2e1a7d4d": "withdraw(uint256)",
    "38ed1739": "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)",
    "7ff36ab5": "swapExactETHForTokens(uint256,address[],address,uint256)",
    "414bf389": "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
}

PUBLISHED_TYPES = {
    # OpenZeppelin ERC20Permit.sol, Permit2 PermitHash.sol, FiatTokenV2, Seaport, Safe, DelegationManager
    "6e71edae12b1b97f4d1f60370fef10105fa2faae0126114a169c64845d6126c9": "Permit(address owner",
    "ea2aa0a1be11a07ed86d755c93467f4f82362b452371d1ba94d1715123511acb": "Permit(address holder",
    "49ecf333e5b8c95c40fdafc95c1ad136e8914a8fb55e9dc8bb01eaa83a2df9ad": "Permit(address spender",
    "f3841cd1ff0085026a6327b620b67997ce40f282c88a8e905a7a5626e310f3d0": "PermitSingle",
    "af1b0d30d2cab0380e68f0689007e3254993c596f2fdd0aaa7f4d04f79440863": "PermitBatch(",
    "939c21a48a8dbe3a9a2404a1d46691e4d39f6583d6ec6b35714604c986d80106": "PermitTransferFrom",
    "fcf35f5ac6a2c28868dc44c302166470266239195f02b0ee408334829333b766": "PermitBatchTransferFrom",
    "7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267": "TransferWithAuthorization",
    "d099cc98ef71107a616c4f0f941f04c322d8e254fe26b3c6668db87aae413de8": "ReceiveWithAuthorization",
    "fa445660b7e21515a59617fcd68910b487aa5808b8abda3d78bc85df364b2c2f": "OrderComponents",
    "bb8310d486368db6bd6f849402fdd73ad53d316b5a4b2644ad6efe0f941286d8": "SafeTx(address to,uint256 value,bytes data,"
    "uint8 operation,uint256 safeTxGas,uint256 baseGas",
    "88c1d2ecf185adf710588203a5f263f0ff61be0d33da39792cde19ba9aa4331e": "Delegation(address delegate,",
}


@pytest.mark.parametrize("known", CALLS, ids=lambda known: known.signature)
def test_a_selector_is_the_hash_that_another_library_makes_of_the_signature(known: Known) -> None:
    # The names are removed with a pattern here, so that two ways to read a signature check each other.
    bare = re.sub(r" [a-z_0-9]+", "", known.signature)
    assert calls.canonical(known.signature) == bare
    assert abi.selector(bare) == function_signature_to_4byte_selector(bare)


@pytest.mark.parametrize(("selector", "signature"), PUBLISHED.items())
def test_published_selectors(selector: str, signature: str) -> None:
    assert signature in {calls.canonical(known.signature) for known in CALLS}
    assert abi.selector(signature).hex() == selector


def test_no_two_entries_have_one_selector() -> None:
    assert len({abi.selector(calls.canonical(known.signature)) for known in CALLS}) == len(CALLS)
    assert len({known.encoded for known in TYPES}) == len(TYPES)


@pytest.mark.parametrize("known", [*CALLS, *ROUTER.values()], ids=lambda known: known.signature)
def test_arguments_have_names_of_the_types_that_the_names_stand_for(known: Known) -> None:
    kinds = {
        **dict.fromkeys(("from", "to", "spender", "token"), "address"),
        **dict.fromkeys(("amount", "token_id", "deadline", "expiration"), "uint"),
        **dict.fromkeys(("approved", "allowed"), "bool"),
        "operation": "uint8",
    }

    def walk(parameters: tuple[calls.Parameter, ...]) -> set[str]:
        names = set()
        for each in parameters:
            names.add(each.name)
            assert each.kind.startswith(kinds.get(each.name, "")), each
            assert (each.name in ("details", "calls")) or not each.parts
            names |= walk(each.parts or ())
        return names

    names = walk(calls.parameters(known.signature))
    needed = {
        Inside.SELF: {"calls"},
        Inside.CALLS: {"data"},
        Inside.PACKED: {"data"},
        Inside.MODE: {"mode", "data"},
        Inside.ROUTER: {"commands", "inputs"},
        None: set(),
    }[known.inside]
    assert needed <= names
    if known.kind == "token_approve":
        assert "spender" in names
    if known.kind.startswith("token_transfer"):
        assert "to" in names
    assert known.inside is not None or not names & {"target", "data", "calls"}


@pytest.mark.parametrize("known", TYPES, ids=lambda known: known.encoded[:60])
def test_types_are_as_eip712_encodes_them(known: KnownType) -> None:
    structs = re.findall(r"([A-Za-z]+)\(([^()]*)\)?", known.encoded)
    assert "".join(f"{name}({fields})" for name, fields in structs).startswith(known.encoded)
    assert [name for name, _ in structs][1:] == sorted(name for name, _ in structs[1:])


@pytest.mark.parametrize(("type_hash", "beginning"), PUBLISHED_TYPES.items())
def test_published_type_hashes(type_hash: str, beginning: str) -> None:
    [known] = [known for known in TYPES if known.encoded.startswith(beginning)]
    assert keccak(text=known.encoded).hex() == type_hash


def test_roles_are_words_that_calls_know() -> None:
    assert set(ROLES.values()) <= WORDS

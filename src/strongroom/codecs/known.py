"""The registry of known calls and known EIP-712 types. To add one, add a line.

A call is written as its signature with parameter names. The names say what the arguments mean:

    from, to, spender   who gives, who receives, who may take; ``from`` defaults to the sender
    amount, token       how much of what; ``token`` defaults to the contract that is called
    token_id, token_ids, amounts    those of an NFT or a multi-token
    approved, allowed   a right over all tokens of a collection, or over all the money
    deadline, expiration    until when the signature, and until when the allowance is valid
    details             a tuple or a list of tuples with further names, each of them an effect of its own
    target, value, data, operation  an inner call, or lists of them; ``calls`` is a list of calls as tuples or bytes

An argument with any other name appears in the action's details. One without a name is ignored.
A type of typed data is written as EIP-712 encodes it. `ROLES` says what the names of its fields mean.

Chains that share the ABI (EVM, Tron) share this table.
"""
# ruff: noqa: E501 - a table, one entry a line

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Inside(StrEnum):
    """How a call encodes its inner calls."""

    SELF = "self"
    """Each of ``calls`` is data for the called contract itself, sent by the same sender."""
    CALLS = "calls"
    """``target``, ``value`` and ``data`` of calls by the called contract. They are single values, parallel lists, or
    fields of ``calls``."""
    PACKED = "packed"
    """``data`` is the packed format of Safe's multiSend."""
    MODE = "mode"
    """``mode`` and ``data`` are those of ERC-7579."""
    ROUTER = "router"
    """``commands`` and ``inputs`` are those of Uniswap's Universal Router."""


@dataclass(frozen=True, slots=True)
class Known:
    signature: str
    kind: str
    """The kind of the resulting action."""
    cautions: tuple[str, ...] = ()
    """Cautions that this call always has."""
    inside: Inside | None = None
    gives: bool = True
    """False if the call takes a right back, so that no amount is too large."""


_TRANSFER: Final = "token_transfer"
_FROM: Final = "token_transfer_from"
_APPROVE: Final = "token_approve"
_CALL: Final = "contract_call"
_SWAP: Final = "swap"
_ALL: Final = ("approval_for_all",)

_PERMIT_DETAILS: Final = "(address token,uint160 amount,uint48 expiration,uint48)"
_PERMITTED: Final = "(address token,uint256 amount)"
_V3_SINGLE: Final = "address token_in,address token_out,uint24,address to"
_V2: Final = "address[] path,address to,uint256 deadline"
_VRS: Final = "uint8,bytes32,bytes32"

CALLS: Final = (
    # ERC-20 and its extensions
    Known("transfer(address to,uint256 amount)", _TRANSFER),
    Known("approve(address spender,uint256 amount)", _APPROVE),
    Known("transferFrom(address from,address to,uint256 amount)", _FROM),
    Known("increaseAllowance(address spender,uint256 amount)", _APPROVE),
    Known("increaseApproval(address spender,uint256 amount)", _APPROVE),
    Known("decreaseAllowance(address spender,uint256 amount)", _APPROVE, gives=False),
    Known("decreaseApproval(address spender,uint256 amount)", _APPROVE, gives=False),
    Known("burn(uint256 amount)", _CALL),
    Known("mint(address to,uint256 amount)", _CALL),
    # ERC-2612, and the variant of DAI
    Known(f"permit(address from,address spender,uint256 amount,uint256 deadline,{_VRS})", _APPROVE),
    Known("permit(address from,address spender,uint256 amount,uint256 deadline,bytes)", _APPROVE),
    Known(f"permit(address from,address spender,uint256,uint256 deadline,bool allowed,{_VRS})", _APPROVE),
    # ERC-3009
    Known(f"transferWithAuthorization(address from,address to,uint256 amount,uint256,uint256 deadline,bytes32,{_VRS})", _FROM),
    Known("transferWithAuthorization(address from,address to,uint256 amount,uint256,uint256 deadline,bytes32,bytes)", _FROM),
    Known(f"receiveWithAuthorization(address from,address to,uint256 amount,uint256,uint256 deadline,bytes32,{_VRS})", _FROM),
    Known("receiveWithAuthorization(address from,address to,uint256 amount,uint256,uint256 deadline,bytes32,bytes)", _FROM),
    # ERC-677, ERC-1363
    Known("transferAndCall(address to,uint256 amount)", _TRANSFER),
    Known("transferAndCall(address to,uint256 amount,bytes)", _TRANSFER),
    Known("transferFromAndCall(address from,address to,uint256 amount)", _FROM),
    Known("transferFromAndCall(address from,address to,uint256 amount,bytes)", _FROM),
    Known("approveAndCall(address spender,uint256 amount)", _APPROVE),
    Known("approveAndCall(address spender,uint256 amount,bytes)", _APPROVE),
    # ERC-777
    Known("send(address to,uint256 amount,bytes)", _TRANSFER),
    Known("operatorSend(address from,address to,uint256 amount,bytes,bytes)", _FROM),
    Known("authorizeOperator(address spender)", _APPROVE, _ALL),
    Known("revokeOperator(address spender)", _APPROVE, gives=False),
    # ERC-721, ERC-1155, ERC-6909
    Known("safeTransferFrom(address from,address to,uint256 token_id)", _FROM),
    Known("safeTransferFrom(address from,address to,uint256 token_id,bytes)", _FROM),
    Known("safeTransferFrom(address from,address to,uint256 token_id,uint256 amount,bytes)", _FROM),
    Known("safeBatchTransferFrom(address from,address to,uint256[] token_ids,uint256[] amounts,bytes)", _FROM),
    Known("setApprovalForAll(address spender,bool approved)", _APPROVE),
    Known("setOperator(address spender,bool approved)", _APPROVE),
    Known("transfer(address to,uint256 token_id,uint256 amount)", _TRANSFER),
    Known("transferFrom(address from,address to,uint256 token_id,uint256 amount)", _FROM),
    Known("approve(address spender,uint256 token_id,uint256 amount)", _APPROVE),
    # Permit2
    Known("approve(address token,address spender,uint160 amount,uint48 expiration)", _APPROVE),
    Known("transferFrom(address from,address to,uint160 amount,address token)", _FROM),
    Known("transferFrom((address from,address to,uint160 amount,address token)[] details)", _FROM),
    Known(f"permit(address from,({_PERMIT_DETAILS} details,address spender,uint256 deadline) details,bytes)", _APPROVE),
    Known(f"permit(address from,({_PERMIT_DETAILS}[] details,address spender,uint256 deadline) details,bytes)", _APPROVE),
    Known(f"permitTransferFrom(({_PERMITTED} details,uint256,uint256 deadline) details,(address to,uint256 amount) details,address from,bytes)", _FROM),
    Known(f"permitTransferFrom(({_PERMITTED}[] details,uint256,uint256 deadline) details,(address to,uint256 amount)[] details,address from,bytes)", _FROM),
    Known(f"permitWitnessTransferFrom(({_PERMITTED} details,uint256,uint256 deadline) details,(address to,uint256 amount) details,address from,bytes32,string,bytes)", _FROM),
    Known(f"permitWitnessTransferFrom(({_PERMITTED}[] details,uint256,uint256 deadline) details,(address to,uint256 amount)[] details,address from,bytes32,string,bytes)", _FROM),
    Known("lockdown((address token,address spender)[] details)", _APPROVE, gives=False),
    # Wrapped coins, staking, lending
    Known("deposit()", _CALL),
    Known("withdraw(uint256 amount)", _CALL),
    Known("submit(address referral)", _CALL),
    Known("deposit(uint256 amount,address to)", _CALL),
    Known("withdraw(uint256 amount,address to,address from)", _CALL),
    Known("redeem(uint256 amount,address to,address from)", _CALL),
    Known("supply(address token,uint256 amount,address to,uint16)", _CALL),
    Known("withdraw(address token,uint256 amount,address to)", _CALL),
    Known("borrow(address token,uint256 amount,uint256,uint16,address from)", _CALL),
    Known("repay(address token,uint256 amount,uint256,address from)", _CALL),
    Known("approveDelegation(address spender,uint256 amount)", _APPROVE),
    Known("delegate(address delegate)", _CALL),
    Known("castVote(uint256 proposal,uint8 support)", _CALL),
    # Exchanges
    Known(f"swapExactTokensForTokens(uint256 amount,uint256 least,{_V2})", _SWAP),
    Known(f"swapExactTokensForTokensSupportingFeeOnTransferTokens(uint256 amount,uint256 least,{_V2})", _SWAP),
    Known(f"swapTokensForExactTokens(uint256 receive,uint256 amount,{_V2})", _SWAP),
    Known(f"swapExactETHForTokens(uint256 least,{_V2})", _SWAP),
    Known(f"swapExactETHForTokensSupportingFeeOnTransferTokens(uint256 least,{_V2})", _SWAP),
    Known(f"swapETHForExactTokens(uint256 receive,{_V2})", _SWAP),
    Known(f"swapExactTokensForETH(uint256 amount,uint256 least,{_V2})", _SWAP),
    Known(f"swapExactTokensForETHSupportingFeeOnTransferTokens(uint256 amount,uint256 least,{_V2})", _SWAP),
    Known(f"swapTokensForExactETH(uint256 receive,uint256 amount,{_V2})", _SWAP),
    Known("addLiquidity(address token,address token_b,uint256 amount,uint256 amount_b,uint256,uint256,address to,uint256 deadline)", _CALL),
    Known("addLiquidityETH(address token,uint256 amount,uint256,uint256,address to,uint256 deadline)", _CALL),
    Known("removeLiquidity(address token,address token_b,uint256 amount,uint256 least,uint256 least_b,address to,uint256 deadline)", _CALL),
    Known("removeLiquidityETH(address token,uint256 amount,uint256 least,uint256 least_coins,address to,uint256 deadline)", _CALL),
    Known(f"exactInputSingle(({_V3_SINGLE},uint256 deadline,uint256 amount,uint256 least,uint160) details)", _SWAP),
    Known(f"exactInputSingle(({_V3_SINGLE},uint256 amount,uint256 least,uint160) details)", _SWAP),
    Known("exactInput((bytes,address to,uint256 deadline,uint256 amount,uint256 least) details)", _SWAP),
    Known("exactInput((bytes,address to,uint256 amount,uint256 least) details)", _SWAP),
    Known(f"exactOutputSingle(({_V3_SINGLE},uint256 deadline,uint256 receive,uint256 amount,uint160) details)", _SWAP),
    Known(f"exactOutputSingle(({_V3_SINGLE},uint256 receive,uint256 amount,uint160) details)", _SWAP),
    Known("exactOutput((bytes,address to,uint256 deadline,uint256 receive,uint256 amount) details)", _SWAP),
    Known("exactOutput((bytes,address to,uint256 receive,uint256 amount) details)", _SWAP),
    Known("refundETH()", _CALL),
    Known("unwrapWETH9(uint256 least,address to)", _CALL),
    Known("sweepToken(address token,uint256 least,address to)", _CALL),
    Known("execute(bytes commands,bytes[] inputs)", _CALL, inside=Inside.ROUTER),
    Known("execute(bytes commands,bytes[] inputs,uint256 deadline)", _CALL, inside=Inside.ROUTER),
    Known(f"selfPermit(address token,uint256 amount,uint256 deadline,{_VRS})", _CALL),
    Known(f"selfPermitAllowed(address token,uint256,uint256 deadline,{_VRS})", _CALL),
    # Control of a contract
    Known("transferOwnership(address new_owner)", _CALL, ("ownership_change",)),
    Known("renounceOwnership()", _CALL, ("ownership_change",)),
    Known("acceptOwnership()", _CALL),
    Known("setOwner(address new_owner)", _CALL, ("ownership_change",)),
    Known("changeAdmin(address new_owner)", _CALL, ("ownership_change",)),
    Known("changeProxyAdmin(address proxy,address new_owner)", _CALL, ("ownership_change",)),
    Known("grantRole(bytes32 role,address account)", _CALL, ("ownership_change",)),
    Known("revokeRole(bytes32 role,address account)", _CALL),
    Known("renounceRole(bytes32 role,address account)", _CALL),
    Known("upgradeTo(address implementation)", _CALL, ("contract_upgrade",)),
    Known("upgradeToAndCall(address implementation,bytes)", _CALL, ("contract_upgrade",)),
    Known("upgrade(address proxy,address implementation)", _CALL, ("contract_upgrade",)),
    Known("upgradeAndCall(address proxy,address implementation,bytes)", _CALL, ("contract_upgrade",)),
    Known("addOwnerWithThreshold(address new_owner,uint256 threshold)", _CALL, ("ownership_change",)),
    Known("removeOwner(address previous,address owner,uint256 threshold)", _CALL, ("ownership_change",)),
    Known("swapOwner(address previous,address owner,address new_owner)", _CALL, ("ownership_change",)),
    Known("changeThreshold(uint256 threshold)", _CALL, ("ownership_change",)),
    Known("enableModule(address module)", _CALL, ("ownership_change",)),
    Known("disableModule(address previous,address module)", _CALL),
    Known("setGuard(address guard)", _CALL, ("ownership_change",)),
    Known("setFallbackHandler(address handler)", _CALL, ("ownership_change",)),
    Known("pause()", _CALL),
    Known("unpause()", _CALL),
    # Inner calls: to the called contract, by the called contract, or by an account that is a contract
    Known("multicall(bytes[] calls)", _CALL, inside=Inside.SELF),
    Known("multicall(uint256 deadline,bytes[] calls)", _CALL, inside=Inside.SELF),
    Known("multicall(bytes32 previous_block,bytes[] calls)", _CALL, inside=Inside.SELF),
    Known("batch(bytes[] calls,bool)", _CALL, inside=Inside.SELF),
    Known("aggregate((address target,bytes data)[] calls)", _CALL, inside=Inside.CALLS),
    Known("blockAndAggregate((address target,bytes data)[] calls)", _CALL, inside=Inside.CALLS),
    Known("tryAggregate(bool,(address target,bytes data)[] calls)", _CALL, inside=Inside.CALLS),
    Known("tryBlockAndAggregate(bool,(address target,bytes data)[] calls)", _CALL, inside=Inside.CALLS),
    Known("aggregate3((address target,bool,bytes data)[] calls)", _CALL, inside=Inside.CALLS),
    Known("aggregate3Value((address target,bool,uint256 value,bytes data)[] calls)", _CALL, inside=Inside.CALLS),
    Known("execTransaction(address target,uint256 value,bytes data,uint8 operation,uint256,uint256 base_gas,uint256 gas_price,address gas_token,address refund_receiver,bytes)", _CALL, inside=Inside.CALLS),
    Known("execTransactionFromModule(address target,uint256 value,bytes data,uint8 operation)", _CALL, inside=Inside.CALLS),
    Known("execTransactionFromModuleReturnData(address target,uint256 value,bytes data,uint8 operation)", _CALL, inside=Inside.CALLS),
    Known("multiSend(bytes data)", _CALL, inside=Inside.PACKED),
    Known("execute(address target,uint256 value,bytes data)", _CALL, inside=Inside.CALLS),
    Known("execute(address target,uint256 value,bytes data,uint8 operation)", _CALL, inside=Inside.CALLS),
    Known("execute((address target,uint256 value,bytes data)[] calls)", _CALL, inside=Inside.CALLS),
    Known("executeBatch(address[] target,bytes[] data)", _CALL, inside=Inside.CALLS),
    Known("executeBatch(address[] target,uint256[] value,bytes[] data)", _CALL, inside=Inside.CALLS),
    Known("executeBatch((address target,uint256 value,bytes data)[] calls)", _CALL, inside=Inside.CALLS),
    Known("executeUserOp(address target,uint256 value,bytes data,uint8 operation)", _CALL, inside=Inside.CALLS),
    Known("execute(bytes32 mode,bytes data)", _CALL, inside=Inside.MODE),
    Known("executeFromExecutor(bytes32 mode,bytes data)", _CALL, inside=Inside.MODE),
    Known("submitTransaction(address target,uint256 value,bytes data)", _CALL, inside=Inside.CALLS),
    Known("functionCall(address target,bytes data)", _CALL, inside=Inside.CALLS),
    Known("execute((address from,address target,uint256 value,uint256,uint48 deadline,bytes data,bytes) calls)", _CALL, inside=Inside.CALLS),
    Known("execute((address from,address target,uint256 value,uint256,uint256,bytes data) calls,bytes)", _CALL, inside=Inside.CALLS),
    Known("executeMetaTransaction(address from,bytes data,bytes32,bytes32,uint8)", _CALL, inside=Inside.CALLS),
)  # fmt: skip
"""Every other call is unknown. Functions that may do anything, like claim(), are left out on purpose."""

MULTI_SEND: Final = frozenset(
    bytes.fromhex(address)
    for address in (
        "8d29be29923b68abfdd21e541b9374737b49cdad",  # MultiSend 1.1.1
        "a238cbeb142c10ef7ad8442c6d1f9e89e07e7761",  # MultiSend 1.3.0
        "998739bfdaadde7c933b942a68053933098f9eda",
        "40a2accbd92bca938b02010e17a5b8929b49130d",  # MultiSendCallOnly 1.3.0
        "a1dabef33b3b82c7814b6d82a79e50f4ac44102b",
        "38869bf66a61cf6bdb996a6ae40d5853fd43b526",  # MultiSend 1.4.1
        "9641d764fc13c8b624c04430c7356c1c7c8102e2",  # MultiSendCallOnly 1.4.1
        "218543288004cd07832472d464648173c77d7eb7",  # MultiSend 1.5.0
        "a83c336b20401af773b6219ba5027174338d1836",  # MultiSendCallOnly 1.5.0
    )
)
"""Safe's own deployments of multiSend (safe-global/safe-deployments), whose code does what its arguments say."""

ROUTER: Final = {
    0x00: Known("V3_SWAP_EXACT_IN(address to,uint256 amount,uint256 least,bytes,bool)", _SWAP),
    0x01: Known("V3_SWAP_EXACT_OUT(address to,uint256 receive,uint256 amount,bytes,bool)", _SWAP),
    0x02: Known("PERMIT2_TRANSFER_FROM(address token,address to,uint160 amount)", _FROM),
    0x03: Known(f"PERMIT2_PERMIT_BATCH(({_PERMIT_DETAILS}[] details,address spender,uint256 deadline) details,bytes)", _APPROVE),
    0x04: Known("SWEEP(address token,address to,uint256 least)", _CALL),
    0x05: Known("TRANSFER(address token,address to,uint256 amount)", _CALL),
    0x06: Known("PAY_PORTION(address token,address to,uint256 basis_points)", _CALL),
    0x08: Known("V2_SWAP_EXACT_IN(address to,uint256 amount,uint256 least,address[] path,bool)", _SWAP),
    0x09: Known("V2_SWAP_EXACT_OUT(address to,uint256 receive,uint256 amount,address[] path,bool)", _SWAP),
    0x0A: Known(f"PERMIT2_PERMIT(({_PERMIT_DETAILS} details,address spender,uint256 deadline) details,bytes)", _APPROVE),
    0x0B: Known("WRAP_ETH(address to,uint256 amount)", _CALL),
    0x0C: Known("UNWRAP_WETH(address to,uint256 least)", _CALL),
    0x0D: Known("PERMIT2_TRANSFER_FROM_BATCH((address from,address to,uint160 amount,address token)[] details)", _FROM),
    0x0E: Known("BALANCE_CHECK_ERC20(address from,address token,uint256 least)", _CALL),
    0x21: Known("EXECUTE_SUB_PLAN(bytes commands,bytes[] inputs)", _CALL, inside=Inside.ROUTER),
}  # fmt: skip
"""Commands of the Universal Router (Uniswap/universal-router, Commands.sol). The others are unknown calls."""


class Form(StrEnum):
    """What a message of a known type does."""

    APPROVE = "token_approve"
    TRANSFER = "token_transfer_from"
    ORDER = "order"
    """An order of Seaport, which exchanges offers for considerations."""
    FORWARD = "forward"
    """A call that somebody else makes for the signer."""
    DELEGATION = "delegation"
    """Gives somebody else the right to act for the signer."""
    OTHER = "message"
    """Moves nothing."""


@dataclass(frozen=True, slots=True)
class KnownType:
    encoded: str
    """The type as EIP-712 encodes it. If it does not end with a parenthesis, it is only the beginning."""
    form: Form

    @property
    def name(self) -> str:
        return self.encoded.partition("(")[0]

    @property
    def fields(self) -> int | None:
        """The number of leading fields whose meaning is known, or None for all. Applications choose the others."""
        return None if self.encoded.endswith(")") else self.encoded.count(",")


ROLES: Final = {
    **dict.fromkeys(("from", "owner", "holder", "offerer", "delegator"), "from"),
    **dict.fromkeys(("to", "recipient", "receiver"), "to"),
    **dict.fromkeys(("spender", "operator", "delegate"), "spender"),
    **dict.fromkeys(("amount", "value"), "amount"),
    "token": "token",
    **dict.fromkeys(("tokenId", "id"), "token_id"),
    **dict.fromkeys(("deadline", "sigDeadline", "expiry", "validBefore", "validUntil", "endTime"), "deadline"),
    "expiration": "expiration",
    "approved": "approved",
    "allowed": "allowed",
    **dict.fromkeys(("details", "permitted"), "details"),
}
"""The meaning of fields of typed data, in the names that calls use."""

_ITEM: Final = "uint8 itemType,address token,uint256 identifierOrCriteria,uint256 startAmount,uint256 endAmount"
_SEAPORT_ITEMS: Final = f"ConsiderationItem({_ITEM},address recipient)OfferItem({_ITEM})"
_PERMIT_TYPE: Final = "PermitDetails(address token,uint160 amount,uint48 expiration,uint48 nonce)"
PERMITTED_TYPE: Final = "TokenPermissions(address token,uint256 amount)"
_REQUEST: Final = "address from,address to,uint256 value,uint256 gas,uint256 nonce"
_ERC3009: Final = "address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce"

TYPES: Final = (
    # ERC-2612, DAI, ERC-721 (ERC-4494) and similar
    KnownType("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)", Form.APPROVE),
    KnownType("Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)", Form.APPROVE),
    KnownType("Permit(address spender,uint256 tokenId,uint256 nonce,uint256 deadline)", Form.APPROVE),
    KnownType("PermitForAll(address owner,address operator,bool approved,uint256 nonce,uint256 deadline)", Form.APPROVE),
    # Permit2; a witness type has fields of the application after the nonce and the deadline
    KnownType(f"PermitSingle(PermitDetails details,address spender,uint256 sigDeadline){_PERMIT_TYPE}", Form.APPROVE),
    KnownType(f"PermitBatch(PermitDetails[] details,address spender,uint256 sigDeadline){_PERMIT_TYPE}", Form.APPROVE),
    KnownType(f"PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline){PERMITTED_TYPE}", Form.APPROVE),
    KnownType(f"PermitBatchTransferFrom(TokenPermissions[] permitted,address spender,uint256 nonce,uint256 deadline){PERMITTED_TYPE}", Form.APPROVE),
    KnownType("PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,", Form.APPROVE),
    KnownType("PermitBatchWitnessTransferFrom(TokenPermissions[] permitted,address spender,uint256 nonce,uint256 deadline,", Form.APPROVE),
    # ERC-3009
    KnownType(f"TransferWithAuthorization({_ERC3009})", Form.TRANSFER),
    KnownType(f"ReceiveWithAuthorization({_ERC3009})", Form.TRANSFER),
    KnownType("CancelAuthorization(address authorizer,bytes32 nonce)", Form.OTHER),
    # Seaport; the tree of a bulk order may have any number of dimensions
    KnownType(f"OrderComponents(address offerer,address zone,OfferItem[] offer,ConsiderationItem[] consideration,uint8 orderType,uint256 startTime,uint256 endTime,bytes32 zoneHash,uint256 salt,bytes32 conduitKey,uint256 counter){_SEAPORT_ITEMS}", Form.ORDER),
    KnownType("BulkOrder(OrderComponents[2]", Form.ORDER),
    # Calls that somebody else makes for the signer
    KnownType(f"ForwardRequest({_REQUEST},bytes data)", Form.FORWARD),
    KnownType(f"ForwardRequest({_REQUEST},bytes data,uint256 validUntil)", Form.FORWARD),
    KnownType(f"ForwardRequest({_REQUEST},uint48 deadline,bytes data)", Form.FORWARD),
    KnownType("MetaTransaction(uint256 nonce,address from,bytes functionSignature)", Form.FORWARD),
    KnownType("SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)", Form.FORWARD),
    KnownType("SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 dataGas,uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)", Form.FORWARD),
    KnownType("PackedUserOperation(address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,bytes paymasterAndData)", Form.FORWARD),
    # Delegations: of the right to act (MetaMask's framework), and of votes (ERC-20 Votes, Governor)
    KnownType("Delegation(address delegate,address delegator,bytes32 authority,Caveat[] caveats,uint256 salt)Caveat(address enforcer,bytes terms)", Form.DELEGATION),
    KnownType("Delegation(address delegatee,uint256 nonce,uint256 expiry)", Form.OTHER),
    KnownType("Ballot(uint256 proposalId,uint8 support)", Form.OTHER),
    KnownType("Ballot(uint256 proposalId,uint8 support,address voter,uint256 nonce)", Form.OTHER),
)  # fmt: skip
"""Every other type is unknown typed data. Contracts accept a type only exactly as encoded, so similar ones are too."""

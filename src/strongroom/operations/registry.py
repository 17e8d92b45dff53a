"""Everything that the service can do. Read this file and you know; the faces are made from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from strongroom import errors
from strongroom.operations import (
    addresses,
    administration,
    balances,
    broadcasting,
    discovery,
    history,
    messages,
    nodes,
    tasks,
    transactions,
    wallets,
)
from strongroom.operations.addresses import (
    AccountView,
    AddressPage,
    AddressValidity,
    AddressView,
    FindAddress,
    FoundAddresses,
    GetAccount,
    GetAddress,
    ListAddresses,
    NextAddress,
    ValidateAddress,
)
from strongroom.operations.administration import (
    ApiKeyPage,
    ApiKeyView,
    AuditPage,
    CreateApiKey,
    CreatedApiKey,
    ListApiKeys,
    ListAudit,
    ListNetworks,
    NetworkList,
    RevokeApiKey,
)
from strongroom.operations.balances import AddressBalances, BalancesView, WalletBalances
from strongroom.operations.broadcasting import BroadcastTransaction, BroadcastView
from strongroom.operations.call import Call
from strongroom.operations.discovery import DiscoverAddresses, DiscoveryView, GetDiscovery
from strongroom.operations.history import AddressHistory, HistoryPage, WalletHistory
from strongroom.operations.messages import (
    SignAuthorization,
    SignedMessageView,
    SignMessage,
    SignTypedData,
    Verification,
    VerifyMessage,
    VerifyTypedData,
)
from strongroom.operations.nodes import FeesView, GetFees, GetHead, GetTransaction, HeadView, TransactionState
from strongroom.operations.tasks import CancelTask, ListTasks, RetryTask, TaskPage, TaskView
from strongroom.operations.transactions import (
    DecodedTransaction,
    DecodeTransaction,
    SignedTransaction,
    SignTransaction,
)
from strongroom.operations.wallets import (
    ArchiveWallet,
    CreatedWallet,
    CreateWallet,
    GetWallet,
    ImportWallet,
    ListWallets,
    UnarchiveWallet,
    UpdateWallet,
    WalletPage,
    WalletView,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One use case, as every face needs to know it."""

    name: str
    """Also its name in audit records and metrics."""
    method: str
    path: str
    """Below /api/v1; placeholders are fields of the command."""
    rpc: str
    command: type[msgspec.Struct]
    result: type[msgspec.Struct]
    scope: str
    summary: str
    run: Callable[[Any, Call], Awaitable[Any]]
    mutates: bool = False
    """Takes an idempotency key and goes through T1 and T2."""
    opens_key: bool = False
    limit: str = "read"
    """Class of rate limit."""
    status: int = 200
    unsettled: Callable[[Any], bool] | None = None
    """Of a result: whether what was asked for is still under way. REST answers 202 then."""
    errors: tuple[type[errors.StrongroomError], ...] = ()
    """What it may answer beyond what every operation may."""


_KEYS = (errors.KeyWrapUnavailable, errors.IntegrityError)
_WRITES = (errors.InFlight, errors.Superseded, errors.IdempotencyMismatch)
_PLACE = (errors.UnknownNetwork, errors.UnknownScheme, errors.InvalidPath, errors.NotFound)
_SIGNS = (*_KEYS, *_WRITES, *_PLACE, errors.InvalidAddress, errors.WrongKey, errors.AddressNotDerived,
          errors.WalletArchived)  # fmt: skip
_READS = (errors.UnknownNetwork, errors.SourceMissing, errors.NodeUnavailable, errors.NodesDisagree)
_TRANSACTION = (errors.InvalidTransaction, errors.LimitExceeded, errors.OptionRequired)

# fmt: off
OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(name="wallets.create", method="POST", path="/wallets", rpc="CreateWallet",
              command=CreateWallet, result=CreatedWallet, scope="wallets:create", run=wallets.create,
              mutates=True, opens_key=True, limit="create", status=201,
              errors=(*_KEYS, *_WRITES, errors.UnknownNetwork, errors.ExternalIdTaken),
              summary="Make a wallet from fresh entropy"),
    Operation(name="wallets.import", method="POST", path="/wallets/import", rpc="ImportWallet",
              command=ImportWallet, result=CreatedWallet, scope="wallets:import", run=wallets.import_,
              mutates=True, opens_key=True, limit="create", status=201,
              errors=(*_KEYS, *_WRITES, errors.UnknownNetwork, errors.ExternalIdTaken, errors.InvalidMnemonic,
                      errors.InvalidKey, errors.SourceMissing),
              summary="Import a mnemonic or a private key"),
    Operation(name="wallets.list", method="GET", path="/wallets", rpc="ListWallets",
              command=ListWallets, result=WalletPage, scope="wallets:read", run=wallets.list_,
              summary="List wallets"),
    Operation(name="wallets.get", method="GET", path="/wallets/{wallet_id}", rpc="GetWallet",
              command=GetWallet, result=WalletView, scope="wallets:read", run=wallets.get,
              errors=(errors.NotFound,), summary="Look at a wallet"),
    Operation(name="wallets.update", method="PATCH", path="/wallets/{wallet_id}", rpc="UpdateWallet",
              command=UpdateWallet, result=WalletView, scope="wallets:write", run=wallets.update,
              mutates=True, limit="write", errors=(*_WRITES, errors.NotFound), summary="Rename a wallet"),
    Operation(name="wallets.archive", method="POST", path="/wallets/{wallet_id}/archive", rpc="ArchiveWallet",
              command=ArchiveWallet, result=WalletView, scope="wallets:write", run=wallets.archive,
              mutates=True, limit="write", errors=(*_WRITES, errors.NotFound),
              summary="Archive a wallet: its keys are no longer used"),
    Operation(name="wallets.unarchive", method="POST", path="/wallets/{wallet_id}/unarchive", rpc="UnarchiveWallet",
              command=UnarchiveWallet, result=WalletView, scope="wallets:unarchive", run=wallets.unarchive,
              mutates=True, limit="write", errors=(*_WRITES, errors.NotFound),
              summary="Take a wallet back into use"),

    Operation(name="addresses.derive", method="GET", path="/wallets/{wallet_id}/address/{network}", rpc="GetAddress",
              command=GetAddress, result=AddressView, scope="addresses:derive", run=addresses.get,
              opens_key=True, limit="address", errors=(*_KEYS, *_PLACE, errors.WalletArchived, errors.InFlight),
              summary="The address at an index or path, derived where it is new"),
    Operation(name="addresses.next", method="POST", path="/wallets/{wallet_id}/addresses", rpc="NextAddress",
              command=NextAddress, result=AddressView, scope="addresses:derive", run=addresses.next_,
              mutates=True, opens_key=True, limit="address", status=201,
              errors=(*_KEYS, *_WRITES, *_PLACE, errors.WalletArchived, errors.AddressNotDerived),
              summary="Hand out the next unused address"),
    Operation(name="addresses.discover", method="POST", path="/wallets/{wallet_id}/addresses/discover",
              rpc="DiscoverAddresses", command=DiscoverAddresses, result=DiscoveryView, scope="addresses:derive",
              run=discovery.discover, mutates=True, opens_key=True, limit="address", status=202,
              errors=(*_KEYS, *_WRITES, *_PLACE, errors.WalletArchived, errors.SourceMissing),
              summary="Look for addresses that the chain has seen before, in the background"),
    Operation(name="addresses.discovery", method="GET", path="/wallets/{wallet_id}/discoveries/{discovery_id}",
              rpc="GetDiscovery", command=GetDiscovery, result=DiscoveryView, scope="addresses:read",
              run=discovery.get, errors=(errors.NotFound, errors.UnknownNetwork),
              summary="How far a discovery has come"),
    Operation(name="addresses.list", method="GET", path="/wallets/{wallet_id}/addresses", rpc="ListAddresses",
              command=ListAddresses, result=AddressPage, scope="addresses:read", run=addresses.list_,
              errors=(errors.NotFound, errors.UnknownNetwork), summary="List a wallet's addresses"),
    Operation(name="addresses.find", method="GET", path="/addresses/{network}/{address}", rpc="FindAddress",
              command=FindAddress, result=FoundAddresses, scope="addresses:read", run=addresses.find,
              errors=(errors.NotFound, errors.UnknownNetwork, errors.InvalidAddress),
              summary="Find whose an address is"),
    Operation(name="addresses.validate", method="POST", path="/networks/{network}/validate-address",
              rpc="ValidateAddress", command=ValidateAddress, result=AddressValidity, scope="networks:read",
              run=addresses.validate, errors=(errors.UnknownNetwork,), summary="Check an address of any owner"),
    Operation(name="accounts.get", method="GET", path="/wallets/{wallet_id}/accounts/{network}", rpc="GetAccount",
              command=GetAccount, result=AccountView, scope="addresses:read", run=addresses.get_account,
              opens_key=True, limit="address", errors=(*_KEYS, *_PLACE, errors.WalletArchived, errors.InFlight),
              summary="An account's extended public key, and its descriptor"),

    Operation(name="transactions.sign", method="POST", path="/wallets/{wallet_id}/sign", rpc="SignTransaction",
              command=SignTransaction, result=SignedTransaction, scope="sign:transaction", run=transactions.sign,
              mutates=True, opens_key=True, limit="sign", errors=(*_SIGNS, *_TRANSACTION, errors.AlreadySigned),
              summary="Sign a transaction"),
    Operation(name="transactions.decode", method="POST", path="/networks/{network}/decode", rpc="DecodeTransaction",
              command=DecodeTransaction, result=DecodedTransaction, scope="networks:read", run=transactions.decode,
              errors=(errors.UnknownNetwork, *_TRANSACTION), summary="What a transaction does, without a key"),
    Operation(name="messages.sign", method="POST", path="/wallets/{wallet_id}/sign-message", rpc="SignMessage",
              command=SignMessage, result=SignedMessageView, scope="sign:message", run=messages.sign,
              mutates=True, opens_key=True, limit="sign", errors=(*_SIGNS, errors.InvalidMessage),
              summary="Sign a message"),
    Operation(name="typed_data.sign", method="POST", path="/wallets/{wallet_id}/sign-typed-data", rpc="SignTypedData",
              command=SignTypedData, result=SignedMessageView, scope="sign:typed-data", run=messages.sign_typed_data,
              mutates=True, opens_key=True, limit="sign", errors=(*_SIGNS, errors.InvalidMessage),
              summary="Sign EIP-712 typed data"),
    Operation(name="authorizations.sign", method="POST", path="/wallets/{wallet_id}/sign-authorization",
              rpc="SignAuthorization", command=SignAuthorization, result=SignedMessageView,
              scope="sign:authorization", run=messages.sign_authorization,
              mutates=True, opens_key=True, limit="sign", errors=(*_SIGNS, errors.InvalidMessage),
              summary="Sign an EIP-7702 authorisation"),
    Operation(name="messages.verify", method="POST", path="/networks/{network}/verify-message", rpc="VerifyMessage",
              command=VerifyMessage, result=Verification, scope="networks:read", run=messages.verify,
              errors=(errors.UnknownNetwork, errors.InvalidAddress, errors.InvalidMessage),
              summary="Verify a signed message"),
    Operation(name="typed_data.verify", method="POST", path="/networks/{network}/verify-typed-data",
              rpc="VerifyTypedData", command=VerifyTypedData, result=Verification, scope="networks:read",
              run=messages.verify_typed_data,
              errors=(errors.UnknownNetwork, errors.InvalidAddress, errors.InvalidMessage),
              summary="Verify signed typed data"),

    Operation(name="balances.wallet", method="GET", path="/wallets/{wallet_id}/balances/{network}",
              rpc="GetWalletBalances", command=WalletBalances, result=BalancesView, scope="balances:read",
              run=balances.of_wallet, limit="chain", errors=(*_READS, errors.NotFound),
              summary="What a wallet holds on a network"),
    Operation(name="balances.address", method="GET", path="/addresses/{network}/{address}/balance",
              rpc="GetAddressBalances", command=AddressBalances, result=BalancesView, scope="chain:read",
              run=balances.of_address, limit="chain", errors=(*_READS, errors.InvalidAddress),
              summary="What an address of anyone holds"),
    Operation(name="history.wallet", method="GET", path="/wallets/{wallet_id}/transactions/{network}",
              rpc="ListWalletTransactions", command=WalletHistory, result=HistoryPage, scope="balances:read",
              run=history.of_wallet, limit="chain",
              errors=(*_READS, errors.NotFound, errors.InvalidAddress, errors.CursorStale),
              summary="What came in and went out of a wallet, newest first"),
    Operation(name="history.address", method="GET", path="/addresses/{network}/{address}/transactions",
              rpc="ListAddressTransactions", command=AddressHistory, result=HistoryPage, scope="chain:read",
              run=history.of_address, limit="chain", errors=(*_READS, errors.InvalidAddress, errors.CursorStale),
              summary="What came in and went out of an address of anyone, newest first"),
    Operation(name="transactions.state", method="GET", path="/networks/{network}/transactions/{tx_id}",
              rpc="GetTransaction", command=GetTransaction, result=TransactionState, scope="chain:read",
              run=nodes.transaction, limit="chain", errors=_READS, summary="What has become of a transaction"),
    Operation(name="transactions.broadcast", method="POST", path="/networks/{network}/broadcast",
              rpc="BroadcastTransaction", command=BroadcastTransaction, result=BroadcastView, scope="broadcast",
              run=broadcasting.broadcast, mutates=True, limit="broadcast", unsettled=broadcasting.is_unsettled,
              errors=(*_WRITES, *_READS, errors.InvalidTransaction, errors.TransactionRejected),
              summary="Send a signed transaction to the network"),
    Operation(name="fees.suggest", method="GET", path="/networks/{network}/fees", rpc="SuggestFees",
              command=GetFees, result=FeesView, scope="networks:read", run=nodes.fees, limit="chain", errors=_READS,
              summary="Fees for a slow, a normal and a fast transaction"),
    Operation(name="networks.head", method="GET", path="/networks/{network}/head", rpc="GetHead",
              command=GetHead, result=HeadView, scope="networks:read", run=nodes.head, limit="chain", errors=_READS,
              summary="The newest block of a network"),

    Operation(name="networks.list", method="GET", path="/networks", rpc="ListNetworks",
              command=ListNetworks, result=NetworkList, scope="networks:read", run=administration.list_networks,
              summary="List networks with their schemes and limits"),
    Operation(name="api_keys.create", method="POST", path="/api-keys", rpc="CreateApiKey",
              command=CreateApiKey, result=CreatedApiKey, scope="admin", run=administration.create_api_key,
              mutates=True, limit="admin", status=201, errors=_WRITES, summary="Make an API key"),
    Operation(name="api_keys.list", method="GET", path="/api-keys", rpc="ListApiKeys",
              command=ListApiKeys, result=ApiKeyPage, scope="admin", run=administration.list_api_keys,
              limit="admin", summary="List API keys"),
    Operation(name="api_keys.revoke", method="POST", path="/api-keys/{key_id}/revoke", rpc="RevokeApiKey",
              command=RevokeApiKey, result=ApiKeyView, scope="admin", run=administration.revoke_api_key,
              mutates=True, limit="admin", errors=(*_WRITES, errors.NotFound), summary="Revoke an API key"),
    Operation(name="audit.list", method="GET", path="/audit", rpc="ListAudit",
              command=ListAudit, result=AuditPage, scope="audit:read", run=administration.list_audit,
              limit="admin", summary="Read audit records, newest first"),
    Operation(name="tasks.list", method="GET", path="/tasks", rpc="ListTasks",
              command=ListTasks, result=TaskPage, scope="admin", run=tasks.list_,
              limit="admin", summary="List background work"),
    Operation(name="tasks.retry", method="POST", path="/tasks/retry", rpc="RetryTask",
              command=RetryTask, result=TaskView, scope="admin", run=tasks.retry,
              mutates=True, limit="admin", errors=(*_WRITES, errors.NotFound),
              summary="Have a task run now"),
    Operation(name="tasks.cancel", method="POST", path="/tasks/cancel", rpc="CancelTask",
              command=CancelTask, result=TaskView, scope="admin", run=tasks.cancel,
              mutates=True, limit="admin", errors=(*_WRITES, errors.NotFound),
              summary="Cancel a task of the tenant"),
)
# fmt: on

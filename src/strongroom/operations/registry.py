"""Everything that the service can do. REST, gRPC, the command line and the clients are made from this list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from strongroom import errors
from strongroom.domain.record import LOCAL_OPERATIONS
from strongroom.operations import (
    access,
    addresses,
    administration,
    alerts,
    balances,
    batch_commands,
    broadcasting,
    discovery,
    history,
    messages,
    nodes,
    tasks,
    transactions,
    wallets,
)
from strongroom.operations.access import (
    ClientNetworksView,
    GetClientNetworks,
    LiftRevocation,
    ListRevocations,
    RevocationPage,
    RevocationView,
    Revoke,
    SetClientNetworks,
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
from strongroom.operations.alerts import (
    AlertPage,
    ListAlerts,
    ListNotifications,
    NotificationPage,
    SendTestAlert,
    SentTest,
    SilenceAlert,
    SilenceView,
)
from strongroom.operations.balances import AddressBalances, BalancesView, WalletBalances
from strongroom.operations.batch_commands import (
    AddressResult,
    CreatedWallets,
    CreateWallets,
    HandedOutAddresses,
    NextAddresses,
    SignedTransactions,
    SignResult,
    SignTransactions,
    WalletResult,
)
from strongroom.operations.batches import AllAtOnce, Item, ItemResult
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
from strongroom.operations.sight import Touching, named, nothing, tenant
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
    LimitWallet,
    ListWallets,
    UnarchiveWallet,
    UpdateWallet,
    WalletPage,
    WalletView,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What turns an operation into one over many items."""

    of: Operation
    """The operation of each item. Each item has its own row, guards and audit records, under this name."""
    items: Callable[[Any], Sequence[Item]]
    """Splits the command into items. Raises StrongroomError for the whole batch."""
    item_result: type[ItemResult]
    slice: int = 100
    """Number of items that run side by side and share requests to other parts of the service."""
    near: str | None = None
    """A field of the item's command. Items with the same value run one after another."""
    at_once: AllAtOnce | None = None
    """Prepares items that can be committed together. Only for batches whose items all have the same command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One use case, described once for REST, gRPC, the command line and the clients."""

    name: str
    """Also the name in audit records and metrics."""
    method: str
    path: str
    """Below /api/v1. Placeholders are fields of the command."""
    rpc: str
    command: type[msgspec.Struct]
    result: type[msgspec.Struct]
    scope: str
    summary: str
    run: Callable[[Any, Call], Awaitable[Any]] | None = None
    """None for a batch."""
    batch: Batch | None = None
    touches: Touching
    """Gives the wallets and networks that a command names: `sight.named`, `sight.nothing`, or a function of its own."""
    mutates: bool = False
    """Whether it takes an idempotency key and goes through T1 and T2."""
    opens_key: bool = False
    limit: str = "read"
    """Class of rate limit."""
    status: int = 200
    makes: str | None = None
    """Path of what was made, below /api/v1. Placeholders are fields of the result. REST sends it as Location."""
    unsettled: Callable[[Any], bool] | None = None
    """Whether a result says that the work is still under way. REST then responds with 202."""
    errors: tuple[type[errors.StrongroomError], ...] = ()
    """The errors that it may raise beyond those of every operation."""


_KEYS = (errors.KeyWrapUnavailable, errors.IntegrityError)
_WRITES = (errors.InFlight, errors.Superseded, errors.IdempotencyMismatch)
_PLACE = (errors.UnknownNetwork, errors.UnknownScheme, errors.InvalidPath, errors.NotFound)
_SIGNS = (*_KEYS, *_WRITES, *_PLACE, errors.InvalidAddress, errors.WrongKey, errors.AddressNotDerived,
          errors.WalletArchived)  # fmt: skip
_READS = (errors.UnknownNetwork, errors.SourceMissing, errors.NodeUnavailable, errors.NodesDisagree)
_TRANSACTION = (errors.InvalidTransaction, errors.LimitExceeded, errors.OptionRequired)


async def _list_audit(command: ListAudit, call: Call) -> AuditPage:
    names = {operation.name for operation in OPERATIONS}
    return await administration.list_audit(command, call, sorted({*names, *LOCAL_OPERATIONS}))


# fmt: off
_CREATE: Final = Operation(name="wallets.create", method="POST", path="/wallets", rpc="CreateWallet",
    makes="/wallets/{id}",
    command=CreateWallet, result=CreatedWallet, scope="wallets:create", run=wallets.create, touches=named,
    mutates=True, opens_key=True, limit="create", status=201,
    errors=(*_KEYS, *_WRITES, errors.UnknownNetwork, errors.ExternalIdTaken),
    summary="Create a wallet with new entropy")
_NEXT: Final = Operation(name="addresses.next", method="POST", path="/wallets/{wallet_id}/addresses", rpc="NextAddress",
    makes="/addresses/{network}/{address}",
    command=NextAddress, result=AddressView, scope="addresses:derive", run=addresses.next_, touches=named,
    mutates=True, opens_key=True, limit="address", status=201,
    errors=(*_KEYS, *_WRITES, *_PLACE, errors.WalletArchived, errors.AddressNotDerived, errors.ExternalIdTaken),
    summary="Hand out the next unused address")
_SIGN: Final = Operation(name="transactions.sign", method="POST", path="/wallets/{wallet_id}/sign",
    rpc="SignTransaction", command=SignTransaction, result=SignedTransaction, scope="sign:transaction",
    run=transactions.sign, touches=named,
    mutates=True, opens_key=True, limit="sign",
    errors=(*_SIGNS, *_TRANSACTION, errors.AlreadySigned, errors.SourceMissing),
    summary="Sign a transaction")

OPERATIONS: Final[tuple[Operation, ...]] = (
    _CREATE,
    Operation(name="wallets.create_batch", method="POST", path="/wallets/batch", rpc="CreateWallets",
              command=CreateWallets, result=CreatedWallets, scope="wallets:create",
              batch=Batch(of=_CREATE, items=batch_commands.wallets, item_result=WalletResult, slice=200),
              touches=batch_commands.touching(batch_commands.wallets),
              mutates=True, opens_key=True, limit="create", errors=_WRITES,
              summary="Create up to 1,000 wallets"),
    Operation(name="wallets.import", method="POST", path="/wallets/import", rpc="ImportWallet",
              makes="/wallets/{id}",
              command=ImportWallet, result=CreatedWallet, scope="wallets:import", run=wallets.import_, touches=named,
              mutates=True, opens_key=True, limit="create", status=201,
              errors=(*_KEYS, *_WRITES, errors.UnknownNetwork, errors.ExternalIdTaken, errors.InvalidMnemonic,
                      errors.InvalidKey, errors.SourceMissing),
              summary="Import a mnemonic or a private key"),
    Operation(name="wallets.list", method="GET", path="/wallets", rpc="ListWallets",
              command=ListWallets, result=WalletPage, scope="wallets:read", run=wallets.list_, touches=nothing,
              summary="List wallets"),
    Operation(name="wallets.get", method="GET", path="/wallets/{wallet_id}", rpc="GetWallet",
              command=GetWallet, result=WalletView, scope="wallets:read", run=wallets.get, touches=named,
              errors=(errors.NotFound,), summary="Get a wallet"),
    Operation(name="wallets.update", method="PATCH", path="/wallets/{wallet_id}", rpc="UpdateWallet",
              command=UpdateWallet, result=WalletView, scope="wallets:write", run=wallets.update, touches=named,
              mutates=True, limit="write", errors=(*_WRITES, errors.NotFound), summary="Rename a wallet"),
    Operation(name="wallets.limit", method="PUT", path="/wallets/{wallet_id}/rates", rpc="LimitWallet",
              command=LimitWallet, result=WalletView, scope="admin", run=wallets.limit, touches=named,
              mutates=True, limit="write", errors=(*_WRITES, errors.NotFound),
              summary="Give a wallet its own rate limits instead of the configured ones"),
    Operation(name="wallets.archive", method="POST", path="/wallets/{wallet_id}/archive", rpc="ArchiveWallet",
              command=ArchiveWallet, result=WalletView, scope="wallets:write", run=wallets.archive, touches=named,
              mutates=True, limit="write", errors=(*_WRITES, errors.NotFound),
              summary="Archive a wallet, so that its keys are not used any more"),
    Operation(name="wallets.unarchive", method="POST", path="/wallets/{wallet_id}/unarchive", rpc="UnarchiveWallet",
              command=UnarchiveWallet, result=WalletView, scope="wallets:unarchive", run=wallets.unarchive,
              touches=named,
              mutates=True, limit="write", errors=(*_WRITES, errors.NotFound),
              summary="Return an archived wallet to use"),

    Operation(name="addresses.derive", method="GET", path="/wallets/{wallet_id}/address/{network}", rpc="GetAddress",
              command=GetAddress, result=AddressView, scope="addresses:derive", run=addresses.get, touches=named,
              opens_key=True, limit="address", errors=(*_KEYS, *_PLACE, errors.WalletArchived, errors.InFlight),
              summary="Get the address at an index or path, deriving it if it is new"),
    _NEXT,
    Operation(name="addresses.next_batch", method="POST", path="/wallets/{wallet_id}/addresses/batch",
              rpc="NextAddresses", command=NextAddresses, result=HandedOutAddresses, scope="addresses:derive",
              batch=Batch(of=_NEXT, items=batch_commands.addresses, item_result=AddressResult, slice=200,
                          at_once=addresses.next_many),
              touches=named, mutates=True, opens_key=True, limit="address", errors=_WRITES,
              summary="Hand out up to 1,000 unused addresses"),
    Operation(name="addresses.discover", method="POST", path="/wallets/{wallet_id}/addresses/discover",
              rpc="DiscoverAddresses", makes="/wallets/{wallet_id}/discoveries/{id}",
              command=DiscoverAddresses, result=DiscoveryView, scope="addresses:derive",
              run=discovery.discover, touches=named, mutates=True, opens_key=True, limit="address", status=202,
              errors=(*_KEYS, *_WRITES, *_PLACE, errors.WalletArchived, errors.SourceMissing),
              summary="Search the chain in the background for addresses that were used before"),
    Operation(name="addresses.discovery", method="GET", path="/wallets/{wallet_id}/discoveries/{discovery_id}",
              rpc="GetDiscovery", command=GetDiscovery, result=DiscoveryView, scope="addresses:read",
              run=discovery.get, touches=named, errors=(errors.NotFound, errors.UnknownNetwork),
              summary="Get the progress of a discovery"),
    Operation(name="addresses.list", method="GET", path="/wallets/{wallet_id}/addresses", rpc="ListAddresses",
              command=ListAddresses, result=AddressPage, scope="addresses:read", run=addresses.list_, touches=named,
              errors=(errors.NotFound, errors.UnknownNetwork), summary="List a wallet's addresses"),
    Operation(name="addresses.find", method="GET", path="/addresses/{network}/{address}", rpc="FindAddress",
              command=FindAddress, result=FoundAddresses, scope="addresses:read", run=addresses.find, touches=named,
              errors=(errors.NotFound, errors.UnknownNetwork, errors.InvalidAddress),
              summary="Find the wallets that an address belongs to"),
    Operation(name="addresses.validate", method="POST", path="/networks/{network}/validate-address",
              rpc="ValidateAddress", command=ValidateAddress, result=AddressValidity, scope="networks:read",
              run=addresses.validate,
              touches=named, errors=(errors.UnknownNetwork,), summary="Validate an address, whoever owns it"),
    Operation(name="accounts.get", method="GET", path="/wallets/{wallet_id}/accounts/{network}", rpc="GetAccount",
              command=GetAccount, result=AccountView, scope="addresses:read", run=addresses.get_account, touches=named,
              opens_key=True, limit="address", errors=(*_KEYS, *_PLACE, errors.WalletArchived, errors.InFlight),
              summary="Get the extended public key and the descriptor of an account"),

    _SIGN,
    Operation(name="transactions.sign_batch", method="POST", path="/transactions/sign-batch", rpc="SignTransactions",
              command=SignTransactions, result=SignedTransactions, scope="sign:transaction",
              batch=Batch(of=_SIGN, items=batch_commands.signatures, item_result=SignResult, near="wallet_id"),
              touches=batch_commands.touching(batch_commands.signatures),
              mutates=True, opens_key=True, limit="sign", errors=_WRITES,
              summary="Sign up to 1,000 transactions"),
    Operation(name="transactions.decode", method="POST", path="/networks/{network}/decode", rpc="DecodeTransaction",
              command=DecodeTransaction, result=DecodedTransaction, scope="networks:read", run=transactions.decode,
              touches=named,
              errors=(errors.UnknownNetwork, *_TRANSACTION), summary="Decode a transaction without signing it"),
    Operation(name="messages.sign", method="POST", path="/wallets/{wallet_id}/sign-message", rpc="SignMessage",
              command=SignMessage, result=SignedMessageView, scope="sign:message", run=messages.sign, touches=named,
              mutates=True, opens_key=True, limit="sign", errors=(*_SIGNS, errors.InvalidMessage),
              summary="Sign a message"),
    Operation(name="typed_data.sign", method="POST", path="/wallets/{wallet_id}/sign-typed-data", rpc="SignTypedData",
              command=SignTypedData, result=SignedMessageView, scope="sign:typed-data", run=messages.sign_typed_data,
              touches=named,
              mutates=True, opens_key=True, limit="sign", errors=(*_SIGNS, errors.InvalidMessage),
              summary="Sign EIP-712 typed data"),
    Operation(name="authorizations.sign", method="POST", path="/wallets/{wallet_id}/sign-authorization",
              rpc="SignAuthorization", command=SignAuthorization, result=SignedMessageView,
              scope="sign:authorization", run=messages.sign_authorization, touches=named,
              mutates=True, opens_key=True, limit="sign", errors=(*_SIGNS, errors.InvalidMessage),
              summary="Sign an EIP-7702 authorisation"),
    Operation(name="messages.verify", method="POST", path="/networks/{network}/verify-message", rpc="VerifyMessage",
              command=VerifyMessage, result=Verification, scope="networks:read", run=messages.verify, touches=named,
              errors=(errors.UnknownNetwork, errors.InvalidAddress, errors.InvalidMessage),
              summary="Verify a signed message"),
    Operation(name="typed_data.verify", method="POST", path="/networks/{network}/verify-typed-data",
              rpc="VerifyTypedData", command=VerifyTypedData, result=Verification, scope="networks:read",
              run=messages.verify_typed_data, touches=named,
              errors=(errors.UnknownNetwork, errors.InvalidAddress, errors.InvalidMessage),
              summary="Verify signed typed data"),

    Operation(name="balances.wallet", method="GET", path="/wallets/{wallet_id}/balances/{network}",
              rpc="GetWalletBalances", command=WalletBalances, result=BalancesView, scope="balances:read",
              run=balances.of_wallet, touches=named, limit="chain", errors=(*_READS, errors.NotFound),
              summary="Get the balances of a wallet on a network"),
    Operation(name="balances.address", method="GET", path="/addresses/{network}/{address}/balance",
              rpc="GetAddressBalances", command=AddressBalances, result=BalancesView, scope="chain:read",
              run=balances.of_address, touches=named, limit="chain", errors=(*_READS, errors.InvalidAddress),
              summary="Get the balances of any address"),
    Operation(name="history.wallet", method="GET", path="/wallets/{wallet_id}/transactions/{network}",
              rpc="ListWalletTransactions", command=WalletHistory, result=HistoryPage, scope="balances:read",
              run=history.of_wallet, touches=named, limit="chain",
              errors=(*_READS, errors.NotFound, errors.InvalidAddress, errors.CursorStale),
              summary="List what came in and went out of a wallet, newest first"),
    Operation(name="history.address", method="GET", path="/addresses/{network}/{address}/transactions",
              rpc="ListAddressTransactions", command=AddressHistory, result=HistoryPage, scope="chain:read",
              run=history.of_address,
              touches=named, limit="chain", errors=(*_READS, errors.InvalidAddress, errors.CursorStale),
              summary="List what came in and went out of any address, newest first"),
    Operation(name="transactions.state", method="GET", path="/networks/{network}/transactions/{tx_id}",
              rpc="GetTransaction", command=GetTransaction, result=TransactionState, scope="chain:read",
              run=nodes.transaction,
              touches=named, limit="chain", errors=_READS, summary="Get the state of a transaction"),
    Operation(name="transactions.broadcast", method="POST", path="/networks/{network}/broadcast",
              rpc="BroadcastTransaction", command=BroadcastTransaction, result=BroadcastView, scope="broadcast",
              run=broadcasting.broadcast,
              touches=named, mutates=True, limit="broadcast", unsettled=broadcasting.is_unsettled,
              errors=(*_WRITES, *_READS, errors.InvalidTransaction, errors.TransactionRejected),
              summary="Broadcast a signed transaction"),
    Operation(name="fees.suggest", method="GET", path="/networks/{network}/fees", rpc="SuggestFees",
              command=GetFees, result=FeesView, scope="networks:read", run=nodes.fees,
              touches=named, limit="chain", errors=_READS,
              summary="Get fees for a slow, a normal and a fast transaction"),
    Operation(name="networks.head", method="GET", path="/networks/{network}/head", rpc="GetHead",
              command=GetHead, result=HeadView, scope="networks:read", run=nodes.head,
              touches=named, limit="chain", errors=_READS,
              summary="Get the newest block of a network"),

    Operation(name="networks.list", method="GET", path="/networks", rpc="ListNetworks",
              command=ListNetworks, result=NetworkList, scope="networks:read", run=administration.list_networks,
              touches=nothing,
              summary="List networks with their schemes and limits"),
    Operation(name="api_keys.create", method="POST", path="/api-keys", rpc="CreateApiKey",
              command=CreateApiKey, result=CreatedApiKey, scope="admin", run=administration.create_api_key,
              touches=nothing,
              mutates=True, limit="admin", status=201, errors=_WRITES, summary="Create an API key"),
    Operation(name="api_keys.list", method="GET", path="/api-keys", rpc="ListApiKeys",
              command=ListApiKeys, result=ApiKeyPage, scope="admin", run=administration.list_api_keys, touches=nothing,
              limit="admin", summary="List API keys"),
    Operation(name="api_keys.revoke", method="POST", path="/api-keys/{key_id}/revoke", rpc="RevokeApiKey",
              command=RevokeApiKey, result=ApiKeyView, scope="admin", run=administration.revoke_api_key,
              touches=nothing,
              mutates=True, limit="admin", errors=(*_WRITES, errors.NotFound), summary="Revoke an API key"),
    Operation(name="revocations.create", method="POST", path="/revocations", rpc="Revoke",
              command=Revoke, result=RevocationView, scope="admin", run=access.revoke,
              touches=tenant,
              mutates=True, limit="admin", errors=_WRITES,
              summary="Refuse the tokens of a subject, or a single token"),
    Operation(name="revocations.list", method="GET", path="/revocations", rpc="ListRevocations",
              command=ListRevocations, result=RevocationPage, scope="admin", run=access.list_revocations,
              touches=tenant,
              limit="admin", summary="List the revocations of subjects and tokens"),
    Operation(name="revocations.lift", method="POST", path="/revocations/{revocation_id}/lift", rpc="LiftRevocation",
              command=LiftRevocation, result=RevocationView, scope="admin", run=access.lift,
              touches=tenant,
              mutates=True, limit="admin", errors=(*_WRITES, errors.NotFound),
              summary="Accept the tokens of a subject, or a single token, again"),
    Operation(name="client_networks.get", method="GET", path="/client-networks", rpc="GetClientNetworks",
              command=GetClientNetworks, result=ClientNetworksView, scope="admin", run=access.get_client_networks,
              touches=tenant,
              limit="admin", summary="Get the client networks that the tenant's callers may call from"),
    Operation(name="client_networks.set", method="PUT", path="/client-networks", rpc="SetClientNetworks",
              command=SetClientNetworks, result=ClientNetworksView, scope="admin", run=access.set_client_networks,
              touches=tenant,
              mutates=True, limit="admin", errors=(*_WRITES, errors.OptionRequired),
              summary="Set the client networks that the tenant's callers may call from"),
    Operation(name="audit.list", method="GET", path="/audit", rpc="ListAudit",
              command=ListAudit, result=AuditPage, scope="audit:read", run=_list_audit, touches=named,
              limit="admin", summary="Read audit records, newest first"),
    Operation(name="tasks.list", method="GET", path="/tasks", rpc="ListTasks",
              command=ListTasks, result=TaskPage, scope="admin", run=tasks.list_, touches=nothing,
              limit="admin", summary="List background tasks"),
    Operation(name="tasks.retry", method="POST", path="/tasks/retry", rpc="RetryTask",
              command=RetryTask, result=TaskView, scope="admin", run=tasks.retry, touches=nothing,
              mutates=True, limit="admin", errors=(*_WRITES, errors.NotFound),
              summary="Run a task now"),
    Operation(name="tasks.cancel", method="POST", path="/tasks/cancel", rpc="CancelTask",
              command=CancelTask, result=TaskView, scope="admin", run=tasks.cancel, touches=nothing,
              mutates=True, limit="admin", errors=(*_WRITES, errors.NotFound),
              summary="Cancel a task of the tenant"),
    Operation(name="alerts.list", method="GET", path="/alerts", rpc="ListAlerts",
              command=ListAlerts, result=AlertPage, scope="admin", run=alerts.list_, touches=tenant,
              limit="admin", summary="List alerts, firing and ended"),
    Operation(name="alerts.notifications", method="GET", path="/alerts/notifications", rpc="ListNotifications",
              command=ListNotifications, result=NotificationPage, scope="admin", run=alerts.notifications,
              touches=tenant, limit="admin", summary="List notifications that were sent to channels, newest first"),
    Operation(name="alerts.silence", method="POST", path="/alerts/silence", rpc="SilenceAlert",
              command=SilenceAlert, result=SilenceView, scope="admin", run=alerts.silence, touches=tenant,
              mutates=True, limit="admin", errors=_WRITES, summary="Silence an alert for a while"),
    Operation(name="alerts.test", method="POST", path="/alerts/test", rpc="SendTestAlert",
              command=SendTestAlert, result=SentTest, scope="admin", run=alerts.send_test, touches=tenant,
              mutates=True, limit="admin", errors=(*_WRITES, errors.NotFound),
              summary="Send a test message to the alert channels"),
)
# fmt: on

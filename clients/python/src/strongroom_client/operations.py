"""The operations of the service, in groups. Made by `make clients`; not to be edited by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from strongroom_client import types
from strongroom_client.core import Operation

_WALLETS_CREATE = Operation("POST", "/wallets", types.CreatedWallet, mutates=True)
_WALLETS_CREATE_BATCH = Operation("POST", "/wallets/batch", types.CreatedWallets, mutates=True)
_WALLETS_IMPORT = Operation("POST", "/wallets/import", types.CreatedWallet, mutates=True)
_WALLETS_LIST = Operation("GET", "/wallets", types.WalletPage)
_WALLETS_GET = Operation("GET", "/wallets/{wallet_id}", types.WalletView)
_WALLETS_UPDATE = Operation("PATCH", "/wallets/{wallet_id}", types.WalletView, mutates=True)
_WALLETS_LIMIT = Operation("PUT", "/wallets/{wallet_id}/rates", types.WalletView, mutates=True)
_WALLETS_ARCHIVE = Operation("POST", "/wallets/{wallet_id}/archive", types.WalletView, mutates=True)
_WALLETS_UNARCHIVE = Operation("POST", "/wallets/{wallet_id}/unarchive", types.WalletView, mutates=True)
_ADDRESSES_DERIVE = Operation("GET", "/wallets/{wallet_id}/address/{network}", types.AddressView)
_ADDRESSES_NEXT = Operation("POST", "/wallets/{wallet_id}/addresses", types.AddressView, mutates=True)
_ADDRESSES_NEXT_BATCH = Operation(
    "POST", "/wallets/{wallet_id}/addresses/batch", types.HandedOutAddresses, mutates=True
)
_ADDRESSES_DISCOVER = Operation("POST", "/wallets/{wallet_id}/addresses/discover", types.DiscoveryView, mutates=True)
_ADDRESSES_DISCOVERY = Operation("GET", "/wallets/{wallet_id}/discoveries/{discovery_id}", types.DiscoveryView)
_ADDRESSES_LIST = Operation("GET", "/wallets/{wallet_id}/addresses", types.AddressPage)
_ADDRESSES_FIND = Operation("GET", "/addresses/{network}/{address}", types.FoundAddresses)
_ADDRESSES_VALIDATE = Operation("POST", "/networks/{network}/validate-address", types.AddressValidity)
_ACCOUNTS_GET = Operation("GET", "/wallets/{wallet_id}/accounts/{network}", types.AccountView)
_TRANSACTIONS_SIGN = Operation("POST", "/wallets/{wallet_id}/sign", types.SignedTransaction, mutates=True)
_TRANSACTIONS_SIGN_BATCH = Operation("POST", "/transactions/sign-batch", types.SignedTransactions, mutates=True)
_TRANSACTIONS_DECODE = Operation("POST", "/networks/{network}/decode", types.DecodedTransaction)
_MESSAGES_SIGN = Operation("POST", "/wallets/{wallet_id}/sign-message", types.SignedMessageView, mutates=True)
_TYPED_DATA_SIGN = Operation("POST", "/wallets/{wallet_id}/sign-typed-data", types.SignedMessageView, mutates=True)
_AUTHORIZATIONS_SIGN = Operation(
    "POST", "/wallets/{wallet_id}/sign-authorization", types.SignedMessageView, mutates=True
)
_MESSAGES_VERIFY = Operation("POST", "/networks/{network}/verify-message", types.Verification)
_TYPED_DATA_VERIFY = Operation("POST", "/networks/{network}/verify-typed-data", types.Verification)
_BALANCES_WALLET = Operation("GET", "/wallets/{wallet_id}/balances/{network}", types.BalancesView)
_BALANCES_ADDRESS = Operation("GET", "/addresses/{network}/{address}/balance", types.BalancesView)
_HISTORY_WALLET = Operation("GET", "/wallets/{wallet_id}/transactions/{network}", types.HistoryPage)
_HISTORY_ADDRESS = Operation("GET", "/addresses/{network}/{address}/transactions", types.HistoryPage)
_TRANSACTIONS_STATE = Operation("GET", "/networks/{network}/transactions/{tx_id}", types.TransactionState)
_TRANSACTIONS_BROADCAST = Operation("POST", "/networks/{network}/broadcast", types.BroadcastView, mutates=True)
_FEES_SUGGEST = Operation("GET", "/networks/{network}/fees", types.FeesView)
_NETWORKS_HEAD = Operation("GET", "/networks/{network}/head", types.HeadView)
_NETWORKS_LIST = Operation("GET", "/networks", types.NetworkList)
_API_KEYS_CREATE = Operation("POST", "/api-keys", types.CreatedApiKey, mutates=True)
_API_KEYS_LIST = Operation("GET", "/api-keys", types.ApiKeyPage)
_API_KEYS_REVOKE = Operation("POST", "/api-keys/{key_id}/revoke", types.ApiKeyView, mutates=True)
_REVOCATIONS_CREATE = Operation("POST", "/revocations", types.RevocationView, mutates=True)
_REVOCATIONS_LIST = Operation("GET", "/revocations", types.RevocationPage)
_REVOCATIONS_LIFT = Operation("POST", "/revocations/{revocation_id}/lift", types.RevocationView, mutates=True)
_CLIENT_NETWORKS_GET = Operation("GET", "/client-networks", types.ClientNetworksView)
_CLIENT_NETWORKS_SET = Operation("PUT", "/client-networks", types.ClientNetworksView, mutates=True)
_AUDIT_LIST = Operation("GET", "/audit", types.AuditPage)
_TASKS_LIST = Operation("GET", "/tasks", types.TaskPage)
_TASKS_RETRY = Operation("POST", "/tasks/retry", types.TaskView, mutates=True)
_TASKS_CANCEL = Operation("POST", "/tasks/cancel", types.TaskView, mutates=True)
_ALERTS_LIST = Operation("GET", "/alerts", types.AlertPage)
_ALERTS_NOTIFICATIONS = Operation("GET", "/alerts/notifications", types.NotificationPage)
_ALERTS_SILENCE = Operation("POST", "/alerts/silence", types.SilenceView, mutates=True)
_ALERTS_TEST = Operation("POST", "/alerts/test", types.SentTest, mutates=True)


class Call(Protocol):
    def __call__(
        self, operation: Operation, arguments: Mapping[str, Any], idempotency_key: str | None = None
    ) -> Any: ...


class AsyncCall(Protocol):
    async def __call__(
        self, operation: Operation, arguments: Mapping[str, Any], idempotency_key: str | None = None
    ) -> Any: ...


class Wallets:
    def __init__(self, call: Call) -> None:
        self._call = call

    def create(
        self,
        *,
        kind: Literal["bip39", "ton_native"] | None = None,
        label: str | None = None,
        words: Literal[12, 15, 18, 21, 24] | None = None,
        language: Literal[
            "chinese_simplified",
            "chinese_traditional",
            "czech",
            "english",
            "french",
            "italian",
            "japanese",
            "korean",
            "portuguese",
            "spanish",
        ]
        | None = None,
        passphrase: str | None = None,
        networks: Sequence[str] | None = None,
        external_id: str | None = None,
        backup: bool | None = None,
        idempotency_key: str | None = None,
    ) -> types.CreatedWallet:
        """Create a wallet with new entropy.

        Needs the scope `wallets:create`.

        ``kind``: bip39, or ton_native for 24 words of TON's own system.

        ``label``: Text for people, in NFC. No control or invisible characters, and nothing that looks like a
          mnemonic or a key.

        ``passphrase``: BIP-39 passphrase, or TON's mnemonic password; empty if left out.

        ``networks``: Networks to open now, whose first address is returned. Others are opened at first use.

        ``external_id``: Your own id, unique in the tenant. Nothing that looks like a mnemonic or a key.

        ``backup``: Return the words, once. Needs the scope wallets:backup.
        """
        found: types.CreatedWallet = self._call(
            _WALLETS_CREATE,
            {
                "kind": kind,
                "label": label,
                "words": words,
                "language": language,
                "passphrase": passphrase,
                "networks": networks,
                "external_id": external_id,
                "backup": backup,
            },
            idempotency_key,
        )
        return found

    def create_batch(
        self,
        *,
        kind: Literal["bip39", "ton_native"] | None = None,
        label: str | None = None,
        words: Literal[12, 15, 18, 21, 24] | None = None,
        language: Literal[
            "chinese_simplified",
            "chinese_traditional",
            "czech",
            "english",
            "french",
            "italian",
            "japanese",
            "korean",
            "portuguese",
            "spanish",
        ]
        | None = None,
        passphrase: str | None = None,
        networks: Sequence[str] | None = None,
        external_id: str | None = None,
        backup: bool | None = None,
        items: Sequence[types.WalletItem | Mapping[str, Any]] | None = None,
        count: int | None = None,
        idempotency_key: str | None = None,
    ) -> types.CreatedWallets:
        """Create up to 1,000 wallets.

        Needs the scope `wallets:create`.

        ``kind``: bip39, or ton_native for 24 words of TON's own system.

        ``label``: Text for people, in NFC. No control or invisible characters, and nothing that looks like a
          mnemonic or a key.

        ``passphrase``: BIP-39 passphrase, or TON's mnemonic password; empty if left out.

        ``networks``: Networks to open now, whose first address is returned. Others are opened at first use.

        ``external_id``: Your own id, unique in the tenant. Nothing that looks like a mnemonic or a key.

        ``backup``: Return the words, once. Needs the scope wallets:backup.

        ``items``: Wallets that differ, one item each.

        ``count``: Number of identical wallets. The other fields describe each of them.
        """
        found: types.CreatedWallets = self._call(
            _WALLETS_CREATE_BATCH,
            {
                "kind": kind,
                "label": label,
                "words": words,
                "language": language,
                "passphrase": passphrase,
                "networks": networks,
                "external_id": external_id,
                "backup": backup,
                "items": items,
                "count": count,
            },
            idempotency_key,
        )
        return found

    def import_(
        self,
        *,
        kind: Literal["bip39", "raw_key", "ton_native"],
        mnemonic: str | None = None,
        passphrase: str | None = None,
        language: Literal[
            "chinese_simplified",
            "chinese_traditional",
            "czech",
            "english",
            "french",
            "italian",
            "japanese",
            "korean",
            "portuguese",
            "spanish",
        ]
        | None = None,
        keyspace: str | None = None,
        format: Literal["base58", "hex", "json", "wif"] | None = None,
        key: str | None = None,
        label: str | None = None,
        networks: Sequence[str] | None = None,
        external_id: str | None = None,
        discover: bool | None = None,
        idempotency_key: str | None = None,
    ) -> types.CreatedWallet:
        """Import a mnemonic or a private key.

        Needs the scope `wallets:import`.

        ``kind``: bip39 and ton_native need `mnemonic`; raw_key needs `key`, `keyspace` and `format`.

        ``mnemonic``: bip39, ton_native: the words.

        ``passphrase``: BIP-39 passphrase, or TON's mnemonic password; empty if left out.

        ``keyspace``: raw_key: the keyspace of the key.

        ``format``: raw_key: encoding of the key.

        ``key``: raw_key: the private key.

        ``label``: Text for people, in NFC. No control or invisible characters, and nothing that looks like a
          mnemonic or a key.

        ``networks``: Networks to open now, whose first address is returned. Others are opened at first use.

        ``external_id``: Your own id, unique in the tenant. Nothing that looks like a mnemonic or a key.

        ``discover``: Search in the background for used addresses on each of these networks.
        """
        found: types.CreatedWallet = self._call(
            _WALLETS_IMPORT,
            {
                "kind": kind,
                "mnemonic": mnemonic,
                "passphrase": passphrase,
                "language": language,
                "keyspace": keyspace,
                "format": format,
                "key": key,
                "label": label,
                "networks": networks,
                "external_id": external_id,
                "discover": discover,
            },
            idempotency_key,
        )
        return found

    def list(
        self,
        *,
        state: Literal["active", "archived"] | None = None,
        kind: Literal["bip39", "raw_key", "ton_native"] | None = None,
        label: str | None = None,
        external_id: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.WalletPage:
        """List wallets.

        Needs the scope `wallets:read`.

        ``state``: Only wallets in this state.

        ``kind``: Only wallets of this kind.

        ``label``: Text for people, in NFC. No control or invisible characters, and nothing that looks like a
          mnemonic or a key.

        ``external_id``: Your own id, unique in the tenant. Nothing that looks like a mnemonic or a key.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.WalletPage = self._call(
            _WALLETS_LIST,
            {
                "state": state,
                "kind": kind,
                "label": label,
                "external_id": external_id,
                "cursor": cursor,
                "limit": limit,
            },
        )
        return found

    def list_all(
        self,
        *,
        state: Literal["active", "archived"] | None = None,
        kind: Literal["bip39", "raw_key", "ton_native"] | None = None,
        label: str | None = None,
        external_id: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Iterator[types.WalletView]:
        """Every entry of `list`, page after page."""
        while True:
            page = self.list(state=state, kind=kind, label=label, external_id=external_id, cursor=cursor, limit=limit)
            yield from page.wallets
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def get(
        self,
        wallet_id: UUID | str,
    ) -> types.WalletView:
        """Get a wallet.

        Needs the scope `wallets:read`.
        """
        found: types.WalletView = self._call(
            _WALLETS_GET,
            {"wallet_id": wallet_id},
        )
        return found

    def update(
        self,
        wallet_id: UUID | str,
        *,
        label: str,
        idempotency_key: str | None = None,
    ) -> types.WalletView:
        """Rename a wallet.

        Needs the scope `wallets:write`.

        ``label``: Text for people, in NFC. No control or invisible characters, and nothing that looks like a
          mnemonic or a key.
        """
        found: types.WalletView = self._call(
            _WALLETS_UPDATE,
            {"wallet_id": wallet_id, "label": label},
            idempotency_key,
        )
        return found

    def limit(
        self,
        wallet_id: UUID | str,
        *,
        rates: Mapping[str, str],
        idempotency_key: str | None = None,
    ) -> types.WalletView:
        """Give a wallet its own rate limits instead of the configured ones.

        Needs the scope `admin`.

        ``rates``: Replaces all rates of the wallet. If empty, it has none of its own.
        """
        found: types.WalletView = self._call(
            _WALLETS_LIMIT,
            {"wallet_id": wallet_id, "rates": rates},
            idempotency_key,
        )
        return found

    def archive(
        self,
        wallet_id: UUID | str,
        *,
        idempotency_key: str | None = None,
    ) -> types.WalletView:
        """Archive a wallet, so that its keys are not used any more.

        Needs the scope `wallets:write`.
        """
        found: types.WalletView = self._call(
            _WALLETS_ARCHIVE,
            {"wallet_id": wallet_id},
            idempotency_key,
        )
        return found

    def unarchive(
        self,
        wallet_id: UUID | str,
        *,
        idempotency_key: str | None = None,
    ) -> types.WalletView:
        """Return an archived wallet to use.

        Needs the scope `wallets:unarchive`.
        """
        found: types.WalletView = self._call(
            _WALLETS_UNARCHIVE,
            {"wallet_id": wallet_id},
            idempotency_key,
        )
        return found


class AsyncWallets:
    def __init__(self, call: AsyncCall) -> None:
        self._call = call

    async def create(
        self,
        *,
        kind: Literal["bip39", "ton_native"] | None = None,
        label: str | None = None,
        words: Literal[12, 15, 18, 21, 24] | None = None,
        language: Literal[
            "chinese_simplified",
            "chinese_traditional",
            "czech",
            "english",
            "french",
            "italian",
            "japanese",
            "korean",
            "portuguese",
            "spanish",
        ]
        | None = None,
        passphrase: str | None = None,
        networks: Sequence[str] | None = None,
        external_id: str | None = None,
        backup: bool | None = None,
        idempotency_key: str | None = None,
    ) -> types.CreatedWallet:
        """Create a wallet with new entropy.

        Needs the scope `wallets:create`.

        ``kind``: bip39, or ton_native for 24 words of TON's own system.

        ``label``: Text for people, in NFC. No control or invisible characters, and nothing that looks like a
          mnemonic or a key.

        ``passphrase``: BIP-39 passphrase, or TON's mnemonic password; empty if left out.

        ``networks``: Networks to open now, whose first address is returned. Others are opened at first use.

        ``external_id``: Your own id, unique in the tenant. Nothing that looks like a mnemonic or a key.

        ``backup``: Return the words, once. Needs the scope wallets:backup.
        """
        found: types.CreatedWallet = await self._call(
            _WALLETS_CREATE,
            {
                "kind": kind,
                "label": label,
                "words": words,
                "language": language,
                "passphrase": passphrase,
                "networks": networks,
                "external_id": external_id,
                "backup": backup,
            },
            idempotency_key,
        )
        return found

    async def create_batch(
        self,
        *,
        kind: Literal["bip39", "ton_native"] | None = None,
        label: str | None = None,
        words: Literal[12, 15, 18, 21, 24] | None = None,
        language: Literal[
            "chinese_simplified",
            "chinese_traditional",
            "czech",
            "english",
            "french",
            "italian",
            "japanese",
            "korean",
            "portuguese",
            "spanish",
        ]
        | None = None,
        passphrase: str | None = None,
        networks: Sequence[str] | None = None,
        external_id: str | None = None,
        backup: bool | None = None,
        items: Sequence[types.WalletItem | Mapping[str, Any]] | None = None,
        count: int | None = None,
        idempotency_key: str | None = None,
    ) -> types.CreatedWallets:
        """Create up to 1,000 wallets.

        Needs the scope `wallets:create`.

        ``kind``: bip39, or ton_native for 24 words of TON's own system.

        ``label``: Text for people, in NFC. No control or invisible characters, and nothing that looks like a
          mnemonic or a key.

        ``passphrase``: BIP-39 passphrase, or TON's mnemonic password; empty if left out.

        ``networks``: Networks to open now, whose first address is returned. Others are opened at first use.

        ``external_id``: Your own id, unique in the tenant. Nothing that looks like a mnemonic or a key.

        ``backup``: Return the words, once. Needs the scope wallets:backup.

        ``items``: Wallets that differ, one item each.

        ``count``: Number of identical wallets. The other fields describe each of them.
        """
        found: types.CreatedWallets = await self._call(
            _WALLETS_CREATE_BATCH,
            {
                "kind": kind,
                "label": label,
                "words": words,
                "language": language,
                "passphrase": passphrase,
                "networks": networks,
                "external_id": external_id,
                "backup": backup,
                "items": items,
                "count": count,
            },
            idempotency_key,
        )
        return found

    async def import_(
        self,
        *,
        kind: Literal["bip39", "raw_key", "ton_native"],
        mnemonic: str | None = None,
        passphrase: str | None = None,
        language: Literal[
            "chinese_simplified",
            "chinese_traditional",
            "czech",
            "english",
            "french",
            "italian",
            "japanese",
            "korean",
            "portuguese",
            "spanish",
        ]
        | None = None,
        keyspace: str | None = None,
        format: Literal["base58", "hex", "json", "wif"] | None = None,
        key: str | None = None,
        label: str | None = None,
        networks: Sequence[str] | None = None,
        external_id: str | None = None,
        discover: bool | None = None,
        idempotency_key: str | None = None,
    ) -> types.CreatedWallet:
        """Import a mnemonic or a private key.

        Needs the scope `wallets:import`.

        ``kind``: bip39 and ton_native need `mnemonic`; raw_key needs `key`, `keyspace` and `format`.

        ``mnemonic``: bip39, ton_native: the words.

        ``passphrase``: BIP-39 passphrase, or TON's mnemonic password; empty if left out.

        ``keyspace``: raw_key: the keyspace of the key.

        ``format``: raw_key: encoding of the key.

        ``key``: raw_key: the private key.

        ``label``: Text for people, in NFC. No control or invisible characters, and nothing that looks like a
          mnemonic or a key.

        ``networks``: Networks to open now, whose first address is returned. Others are opened at first use.

        ``external_id``: Your own id, unique in the tenant. Nothing that looks like a mnemonic or a key.

        ``discover``: Search in the background for used addresses on each of these networks.
        """
        found: types.CreatedWallet = await self._call(
            _WALLETS_IMPORT,
            {
                "kind": kind,
                "mnemonic": mnemonic,
                "passphrase": passphrase,
                "language": language,
                "keyspace": keyspace,
                "format": format,
                "key": key,
                "label": label,
                "networks": networks,
                "external_id": external_id,
                "discover": discover,
            },
            idempotency_key,
        )
        return found

    async def list(
        self,
        *,
        state: Literal["active", "archived"] | None = None,
        kind: Literal["bip39", "raw_key", "ton_native"] | None = None,
        label: str | None = None,
        external_id: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.WalletPage:
        """List wallets.

        Needs the scope `wallets:read`.

        ``state``: Only wallets in this state.

        ``kind``: Only wallets of this kind.

        ``label``: Text for people, in NFC. No control or invisible characters, and nothing that looks like a
          mnemonic or a key.

        ``external_id``: Your own id, unique in the tenant. Nothing that looks like a mnemonic or a key.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.WalletPage = await self._call(
            _WALLETS_LIST,
            {
                "state": state,
                "kind": kind,
                "label": label,
                "external_id": external_id,
                "cursor": cursor,
                "limit": limit,
            },
        )
        return found

    async def list_all(
        self,
        *,
        state: Literal["active", "archived"] | None = None,
        kind: Literal["bip39", "raw_key", "ton_native"] | None = None,
        label: str | None = None,
        external_id: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[types.WalletView]:
        """Every entry of `list`, page after page."""
        while True:
            page = await self.list(
                state=state, kind=kind, label=label, external_id=external_id, cursor=cursor, limit=limit
            )
            for each in page.wallets:
                yield each
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def get(
        self,
        wallet_id: UUID | str,
    ) -> types.WalletView:
        """Get a wallet.

        Needs the scope `wallets:read`.
        """
        found: types.WalletView = await self._call(
            _WALLETS_GET,
            {"wallet_id": wallet_id},
        )
        return found

    async def update(
        self,
        wallet_id: UUID | str,
        *,
        label: str,
        idempotency_key: str | None = None,
    ) -> types.WalletView:
        """Rename a wallet.

        Needs the scope `wallets:write`.

        ``label``: Text for people, in NFC. No control or invisible characters, and nothing that looks like a
          mnemonic or a key.
        """
        found: types.WalletView = await self._call(
            _WALLETS_UPDATE,
            {"wallet_id": wallet_id, "label": label},
            idempotency_key,
        )
        return found

    async def limit(
        self,
        wallet_id: UUID | str,
        *,
        rates: Mapping[str, str],
        idempotency_key: str | None = None,
    ) -> types.WalletView:
        """Give a wallet its own rate limits instead of the configured ones.

        Needs the scope `admin`.

        ``rates``: Replaces all rates of the wallet. If empty, it has none of its own.
        """
        found: types.WalletView = await self._call(
            _WALLETS_LIMIT,
            {"wallet_id": wallet_id, "rates": rates},
            idempotency_key,
        )
        return found

    async def archive(
        self,
        wallet_id: UUID | str,
        *,
        idempotency_key: str | None = None,
    ) -> types.WalletView:
        """Archive a wallet, so that its keys are not used any more.

        Needs the scope `wallets:write`.
        """
        found: types.WalletView = await self._call(
            _WALLETS_ARCHIVE,
            {"wallet_id": wallet_id},
            idempotency_key,
        )
        return found

    async def unarchive(
        self,
        wallet_id: UUID | str,
        *,
        idempotency_key: str | None = None,
    ) -> types.WalletView:
        """Return an archived wallet to use.

        Needs the scope `wallets:unarchive`.
        """
        found: types.WalletView = await self._call(
            _WALLETS_UNARCHIVE,
            {"wallet_id": wallet_id},
            idempotency_key,
        )
        return found


class Addresses:
    def __init__(self, call: Call) -> None:
        self._call = call

    def derive(
        self,
        wallet_id: UUID | str,
        network: str,
        *,
        index: int | None = None,
        scheme: str | None = None,
        account: int | None = None,
        change: int | None = None,
        path: str | None = None,
    ) -> types.AddressView:
        """Get the address at an index or path, deriving it if it is new.

        Needs the scope `addresses:derive`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``index``: Address index.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.

        ``change``: 0 receiving, 1 change.

        ``path``: Explicit derivation path. It must fit a scheme of the network.
        """
        found: types.AddressView = self._call(
            _ADDRESSES_DERIVE,
            {
                "wallet_id": wallet_id,
                "network": network,
                "index": index,
                "scheme": scheme,
                "account": account,
                "change": change,
                "path": path,
            },
        )
        return found

    def next(
        self,
        wallet_id: UUID | str,
        *,
        network: str,
        scheme: str | None = None,
        account: int | None = None,
        label: str | None = None,
        external_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> types.AddressView:
        """Hand out the next unused address.

        Needs the scope `addresses:derive`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.

        ``label``: Text for people, in NFC. No control or invisible characters, and nothing that looks like a
          mnemonic or a key.

        ``external_id``: Your own id, unique in the tenant. Nothing that looks like a mnemonic or a key.
        """
        found: types.AddressView = self._call(
            _ADDRESSES_NEXT,
            {
                "wallet_id": wallet_id,
                "network": network,
                "scheme": scheme,
                "account": account,
                "label": label,
                "external_id": external_id,
            },
            idempotency_key,
        )
        return found

    def next_batch(
        self,
        wallet_id: UUID | str,
        *,
        network: str,
        count: int,
        scheme: str | None = None,
        account: int | None = None,
        label: str | None = None,
        idempotency_key: str | None = None,
    ) -> types.HandedOutAddresses:
        """Hand out up to 1,000 unused addresses.

        Needs the scope `addresses:derive`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``count``: Number of addresses to hand out.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.

        ``label``: Text for people, in NFC. No control or invisible characters, and nothing that looks like a
          mnemonic or a key.
        """
        found: types.HandedOutAddresses = self._call(
            _ADDRESSES_NEXT_BATCH,
            {
                "wallet_id": wallet_id,
                "network": network,
                "count": count,
                "scheme": scheme,
                "account": account,
                "label": label,
            },
            idempotency_key,
        )
        return found

    def discover(
        self,
        wallet_id: UUID | str,
        *,
        network: str,
        scheme: str | None = None,
        account: int | None = None,
        gap: int | None = None,
        budget: int | None = None,
        idempotency_key: str | None = None,
    ) -> types.DiscoveryView:
        """Search the chain in the background for addresses that were used before.

        Needs the scope `addresses:derive`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.

        ``gap``: Number of unused addresses in a row that ends a branch. Default: that of the previous discovery,
          or else `STRONGROOM_NODES__GAP` of the service, usually 20.

        ``budget``: Maximum addresses to check, on both branches together.
        """
        found: types.DiscoveryView = self._call(
            _ADDRESSES_DISCOVER,
            {
                "wallet_id": wallet_id,
                "network": network,
                "scheme": scheme,
                "account": account,
                "gap": gap,
                "budget": budget,
            },
            idempotency_key,
        )
        return found

    def discovery(
        self,
        wallet_id: UUID | str,
        discovery_id: UUID | str,
    ) -> types.DiscoveryView:
        """Get the progress of a discovery.

        Needs the scope `addresses:read`.

        ``discovery_id``: Id of the discovery, returned when it was started.
        """
        found: types.DiscoveryView = self._call(
            _ADDRESSES_DISCOVERY,
            {"wallet_id": wallet_id, "discovery_id": discovery_id},
        )
        return found

    def list(
        self,
        wallet_id: UUID | str,
        *,
        network: str | None = None,
        scheme: str | None = None,
        external_id: str | None = None,
        all: bool | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.AddressPage:
        """List a wallet's addresses.

        Needs the scope `addresses:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``external_id``: Your own id, unique in the tenant. Nothing that looks like a mnemonic or a key.

        ``all``: Include addresses that are stored but were never handed out, or not on this network.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.AddressPage = self._call(
            _ADDRESSES_LIST,
            {
                "wallet_id": wallet_id,
                "network": network,
                "scheme": scheme,
                "external_id": external_id,
                "all": all,
                "cursor": cursor,
                "limit": limit,
            },
        )
        return found

    def list_all(
        self,
        wallet_id: UUID | str,
        *,
        network: str | None = None,
        scheme: str | None = None,
        external_id: str | None = None,
        all: bool | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Iterator[types.AddressView]:
        """Every entry of `list`, page after page."""
        while True:
            page = self.list(
                wallet_id=wallet_id,
                network=network,
                scheme=scheme,
                external_id=external_id,
                all=all,
                cursor=cursor,
                limit=limit,
            )
            yield from page.addresses
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def find(
        self,
        network: str,
        address: str,
    ) -> types.FoundAddresses:
        """Find the wallets that an address belongs to.

        Needs the scope `addresses:read`.

        ``network``: Name, alias or CAIP-2 id of the network.
        """
        found: types.FoundAddresses = self._call(
            _ADDRESSES_FIND,
            {"network": network, "address": address},
        )
        return found

    def validate(
        self,
        network: str,
        *,
        address: str,
    ) -> types.AddressValidity:
        """Validate an address, whoever owns it.

        Needs the scope `networks:read`.

        ``network``: Name, alias or CAIP-2 id of the network.
        """
        found: types.AddressValidity = self._call(
            _ADDRESSES_VALIDATE,
            {"network": network, "address": address},
        )
        return found


class AsyncAddresses:
    def __init__(self, call: AsyncCall) -> None:
        self._call = call

    async def derive(
        self,
        wallet_id: UUID | str,
        network: str,
        *,
        index: int | None = None,
        scheme: str | None = None,
        account: int | None = None,
        change: int | None = None,
        path: str | None = None,
    ) -> types.AddressView:
        """Get the address at an index or path, deriving it if it is new.

        Needs the scope `addresses:derive`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``index``: Address index.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.

        ``change``: 0 receiving, 1 change.

        ``path``: Explicit derivation path. It must fit a scheme of the network.
        """
        found: types.AddressView = await self._call(
            _ADDRESSES_DERIVE,
            {
                "wallet_id": wallet_id,
                "network": network,
                "index": index,
                "scheme": scheme,
                "account": account,
                "change": change,
                "path": path,
            },
        )
        return found

    async def next(
        self,
        wallet_id: UUID | str,
        *,
        network: str,
        scheme: str | None = None,
        account: int | None = None,
        label: str | None = None,
        external_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> types.AddressView:
        """Hand out the next unused address.

        Needs the scope `addresses:derive`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.

        ``label``: Text for people, in NFC. No control or invisible characters, and nothing that looks like a
          mnemonic or a key.

        ``external_id``: Your own id, unique in the tenant. Nothing that looks like a mnemonic or a key.
        """
        found: types.AddressView = await self._call(
            _ADDRESSES_NEXT,
            {
                "wallet_id": wallet_id,
                "network": network,
                "scheme": scheme,
                "account": account,
                "label": label,
                "external_id": external_id,
            },
            idempotency_key,
        )
        return found

    async def next_batch(
        self,
        wallet_id: UUID | str,
        *,
        network: str,
        count: int,
        scheme: str | None = None,
        account: int | None = None,
        label: str | None = None,
        idempotency_key: str | None = None,
    ) -> types.HandedOutAddresses:
        """Hand out up to 1,000 unused addresses.

        Needs the scope `addresses:derive`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``count``: Number of addresses to hand out.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.

        ``label``: Text for people, in NFC. No control or invisible characters, and nothing that looks like a
          mnemonic or a key.
        """
        found: types.HandedOutAddresses = await self._call(
            _ADDRESSES_NEXT_BATCH,
            {
                "wallet_id": wallet_id,
                "network": network,
                "count": count,
                "scheme": scheme,
                "account": account,
                "label": label,
            },
            idempotency_key,
        )
        return found

    async def discover(
        self,
        wallet_id: UUID | str,
        *,
        network: str,
        scheme: str | None = None,
        account: int | None = None,
        gap: int | None = None,
        budget: int | None = None,
        idempotency_key: str | None = None,
    ) -> types.DiscoveryView:
        """Search the chain in the background for addresses that were used before.

        Needs the scope `addresses:derive`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.

        ``gap``: Number of unused addresses in a row that ends a branch. Default: that of the previous discovery,
          or else `STRONGROOM_NODES__GAP` of the service, usually 20.

        ``budget``: Maximum addresses to check, on both branches together.
        """
        found: types.DiscoveryView = await self._call(
            _ADDRESSES_DISCOVER,
            {
                "wallet_id": wallet_id,
                "network": network,
                "scheme": scheme,
                "account": account,
                "gap": gap,
                "budget": budget,
            },
            idempotency_key,
        )
        return found

    async def discovery(
        self,
        wallet_id: UUID | str,
        discovery_id: UUID | str,
    ) -> types.DiscoveryView:
        """Get the progress of a discovery.

        Needs the scope `addresses:read`.

        ``discovery_id``: Id of the discovery, returned when it was started.
        """
        found: types.DiscoveryView = await self._call(
            _ADDRESSES_DISCOVERY,
            {"wallet_id": wallet_id, "discovery_id": discovery_id},
        )
        return found

    async def list(
        self,
        wallet_id: UUID | str,
        *,
        network: str | None = None,
        scheme: str | None = None,
        external_id: str | None = None,
        all: bool | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.AddressPage:
        """List a wallet's addresses.

        Needs the scope `addresses:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``external_id``: Your own id, unique in the tenant. Nothing that looks like a mnemonic or a key.

        ``all``: Include addresses that are stored but were never handed out, or not on this network.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.AddressPage = await self._call(
            _ADDRESSES_LIST,
            {
                "wallet_id": wallet_id,
                "network": network,
                "scheme": scheme,
                "external_id": external_id,
                "all": all,
                "cursor": cursor,
                "limit": limit,
            },
        )
        return found

    async def list_all(
        self,
        wallet_id: UUID | str,
        *,
        network: str | None = None,
        scheme: str | None = None,
        external_id: str | None = None,
        all: bool | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[types.AddressView]:
        """Every entry of `list`, page after page."""
        while True:
            page = await self.list(
                wallet_id=wallet_id,
                network=network,
                scheme=scheme,
                external_id=external_id,
                all=all,
                cursor=cursor,
                limit=limit,
            )
            for each in page.addresses:
                yield each
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def find(
        self,
        network: str,
        address: str,
    ) -> types.FoundAddresses:
        """Find the wallets that an address belongs to.

        Needs the scope `addresses:read`.

        ``network``: Name, alias or CAIP-2 id of the network.
        """
        found: types.FoundAddresses = await self._call(
            _ADDRESSES_FIND,
            {"network": network, "address": address},
        )
        return found

    async def validate(
        self,
        network: str,
        *,
        address: str,
    ) -> types.AddressValidity:
        """Validate an address, whoever owns it.

        Needs the scope `networks:read`.

        ``network``: Name, alias or CAIP-2 id of the network.
        """
        found: types.AddressValidity = await self._call(
            _ADDRESSES_VALIDATE,
            {"network": network, "address": address},
        )
        return found


class Accounts:
    def __init__(self, call: Call) -> None:
        self._call = call

    def get(
        self,
        wallet_id: UUID | str,
        network: str,
        *,
        scheme: str | None = None,
        account: int | None = None,
    ) -> types.AccountView:
        """Get the extended public key and the descriptor of an account.

        Needs the scope `addresses:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.
        """
        found: types.AccountView = self._call(
            _ACCOUNTS_GET,
            {"wallet_id": wallet_id, "network": network, "scheme": scheme, "account": account},
        )
        return found


class AsyncAccounts:
    def __init__(self, call: AsyncCall) -> None:
        self._call = call

    async def get(
        self,
        wallet_id: UUID | str,
        network: str,
        *,
        scheme: str | None = None,
        account: int | None = None,
    ) -> types.AccountView:
        """Get the extended public key and the descriptor of an account.

        Needs the scope `addresses:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.
        """
        found: types.AccountView = await self._call(
            _ACCOUNTS_GET,
            {"wallet_id": wallet_id, "network": network, "scheme": scheme, "account": account},
        )
        return found


class Transactions:
    def __init__(self, call: Call) -> None:
        self._call = call

    def sign(
        self,
        wallet_id: UUID | str,
        *,
        scheme: str | None = None,
        account: int | None = None,
        change: int | None = None,
        index: int | None = None,
        path: str | None = None,
        address: str | None = None,
        network: str,
        unsigned_tx: str | Mapping[str, Any],
        options: types.Options | Mapping[str, Any] | None = None,
        broadcast: bool | None = None,
        idempotency_key: str | None = None,
    ) -> types.SignedTransaction:
        """Sign a transaction.

        Needs the scope `sign:transaction`.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.

        ``change``: 0 receiving, 1 change.

        ``index``: Address index.

        ``path``: Explicit derivation path. It must fit a scheme of the network.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``unsigned_tx``: Serialised, or the chain's JSON form. EVM: the names of JSON-RPC. TON: those of TON
          Connect, with seqno. Bitcoin: a PSBT, base64 or hex. Tron: the JSON of a node, raw_data_hex, or a
          contract with its reference block. Solana: base64, or transfers to build.

        ``broadcast``: Send the transaction to the network once it is signed and complete. Needs the scope
          broadcast.
        """
        found: types.SignedTransaction = self._call(
            _TRANSACTIONS_SIGN,
            {
                "scheme": scheme,
                "account": account,
                "change": change,
                "index": index,
                "path": path,
                "address": address,
                "wallet_id": wallet_id,
                "network": network,
                "unsigned_tx": unsigned_tx,
                "options": options,
                "broadcast": broadcast,
            },
            idempotency_key,
        )
        return found

    def sign_batch(
        self,
        *,
        items: Sequence[types.SignItem | Mapping[str, Any]],
        idempotency_key: str | None = None,
    ) -> types.SignedTransactions:
        """Sign up to 1,000 transactions.

        Needs the scope `sign:transaction`.

        ``items``: Transactions to sign. Each item has its own result, in the same order.
        """
        found: types.SignedTransactions = self._call(
            _TRANSACTIONS_SIGN_BATCH,
            {"items": items},
            idempotency_key,
        )
        return found

    def decode(
        self,
        network: str,
        *,
        unsigned_tx: str | Mapping[str, Any],
    ) -> types.DecodedTransaction:
        """Decode a transaction without signing it.

        Needs the scope `networks:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``unsigned_tx``: Serialised, or the chain's JSON form. EVM: the names of JSON-RPC. TON: those of TON
          Connect, with seqno. Bitcoin: a PSBT, base64 or hex. Tron: the JSON of a node, raw_data_hex, or a
          contract with its reference block. Solana: base64, or transfers to build.
        """
        found: types.DecodedTransaction = self._call(
            _TRANSACTIONS_DECODE,
            {"network": network, "unsigned_tx": unsigned_tx},
        )
        return found

    def state(
        self,
        network: str,
        tx_id: str,
    ) -> types.TransactionState:
        """Get the state of a transaction.

        Needs the scope `chain:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``tx_id``: Id, hash or signature of the transaction.
        """
        found: types.TransactionState = self._call(
            _TRANSACTIONS_STATE,
            {"network": network, "tx_id": tx_id},
        )
        return found

    def broadcast(
        self,
        network: str,
        *,
        signed_tx: str,
        idempotency_key: str | None = None,
    ) -> types.BroadcastView:
        """Broadcast a signed transaction.

        Needs the scope `broadcast`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``signed_tx``: A signed transaction as `sign` returns it, or from any other signer.
        """
        found: types.BroadcastView = self._call(
            _TRANSACTIONS_BROADCAST,
            {"network": network, "signed_tx": signed_tx},
            idempotency_key,
        )
        return found


class AsyncTransactions:
    def __init__(self, call: AsyncCall) -> None:
        self._call = call

    async def sign(
        self,
        wallet_id: UUID | str,
        *,
        scheme: str | None = None,
        account: int | None = None,
        change: int | None = None,
        index: int | None = None,
        path: str | None = None,
        address: str | None = None,
        network: str,
        unsigned_tx: str | Mapping[str, Any],
        options: types.Options | Mapping[str, Any] | None = None,
        broadcast: bool | None = None,
        idempotency_key: str | None = None,
    ) -> types.SignedTransaction:
        """Sign a transaction.

        Needs the scope `sign:transaction`.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.

        ``change``: 0 receiving, 1 change.

        ``index``: Address index.

        ``path``: Explicit derivation path. It must fit a scheme of the network.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``unsigned_tx``: Serialised, or the chain's JSON form. EVM: the names of JSON-RPC. TON: those of TON
          Connect, with seqno. Bitcoin: a PSBT, base64 or hex. Tron: the JSON of a node, raw_data_hex, or a
          contract with its reference block. Solana: base64, or transfers to build.

        ``broadcast``: Send the transaction to the network once it is signed and complete. Needs the scope
          broadcast.
        """
        found: types.SignedTransaction = await self._call(
            _TRANSACTIONS_SIGN,
            {
                "scheme": scheme,
                "account": account,
                "change": change,
                "index": index,
                "path": path,
                "address": address,
                "wallet_id": wallet_id,
                "network": network,
                "unsigned_tx": unsigned_tx,
                "options": options,
                "broadcast": broadcast,
            },
            idempotency_key,
        )
        return found

    async def sign_batch(
        self,
        *,
        items: Sequence[types.SignItem | Mapping[str, Any]],
        idempotency_key: str | None = None,
    ) -> types.SignedTransactions:
        """Sign up to 1,000 transactions.

        Needs the scope `sign:transaction`.

        ``items``: Transactions to sign. Each item has its own result, in the same order.
        """
        found: types.SignedTransactions = await self._call(
            _TRANSACTIONS_SIGN_BATCH,
            {"items": items},
            idempotency_key,
        )
        return found

    async def decode(
        self,
        network: str,
        *,
        unsigned_tx: str | Mapping[str, Any],
    ) -> types.DecodedTransaction:
        """Decode a transaction without signing it.

        Needs the scope `networks:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``unsigned_tx``: Serialised, or the chain's JSON form. EVM: the names of JSON-RPC. TON: those of TON
          Connect, with seqno. Bitcoin: a PSBT, base64 or hex. Tron: the JSON of a node, raw_data_hex, or a
          contract with its reference block. Solana: base64, or transfers to build.
        """
        found: types.DecodedTransaction = await self._call(
            _TRANSACTIONS_DECODE,
            {"network": network, "unsigned_tx": unsigned_tx},
        )
        return found

    async def state(
        self,
        network: str,
        tx_id: str,
    ) -> types.TransactionState:
        """Get the state of a transaction.

        Needs the scope `chain:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``tx_id``: Id, hash or signature of the transaction.
        """
        found: types.TransactionState = await self._call(
            _TRANSACTIONS_STATE,
            {"network": network, "tx_id": tx_id},
        )
        return found

    async def broadcast(
        self,
        network: str,
        *,
        signed_tx: str,
        idempotency_key: str | None = None,
    ) -> types.BroadcastView:
        """Broadcast a signed transaction.

        Needs the scope `broadcast`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``signed_tx``: A signed transaction as `sign` returns it, or from any other signer.
        """
        found: types.BroadcastView = await self._call(
            _TRANSACTIONS_BROADCAST,
            {"network": network, "signed_tx": signed_tx},
            idempotency_key,
        )
        return found


class Messages:
    def __init__(self, call: Call) -> None:
        self._call = call

    def sign(
        self,
        wallet_id: UUID | str,
        *,
        scheme: str | None = None,
        account: int | None = None,
        change: int | None = None,
        index: int | None = None,
        path: str | None = None,
        address: str | None = None,
        network: str,
        format: str,
        message: str | None = None,
        encoding: Literal["hex", "text"] | None = None,
        domain: str | None = None,
        timestamp: int | None = None,
        payload: str | Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> types.SignedMessageView:
        """Sign a message.

        Needs the scope `sign:message`.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.

        ``change``: 0 receiving, 1 change.

        ``index``: Address index.

        ``path``: Explicit derivation path. It must fit a scheme of the network.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``format``: eip191 ….

        ``message``: The message, encoded as `encoding` says.

        ``encoding``: text: signed as UTF-8. hex: the bytes themselves; 0x is allowed.

        ``domain``: ton-proof, ton-sign-data: domain of the application.

        ``timestamp``: ton-proof, ton-sign-data: seconds since 1970.

        ``payload``: ton-proof: a text. ton-sign-data: {type: text, text}, {type: binary, bytes} (base64) or
          {type: cell, schema, cell} (base64).
        """
        found: types.SignedMessageView = self._call(
            _MESSAGES_SIGN,
            {
                "scheme": scheme,
                "account": account,
                "change": change,
                "index": index,
                "path": path,
                "address": address,
                "wallet_id": wallet_id,
                "network": network,
                "format": format,
                "message": message,
                "encoding": encoding,
                "domain": domain,
                "timestamp": timestamp,
                "payload": payload,
            },
            idempotency_key,
        )
        return found

    def verify(
        self,
        network: str,
        *,
        format: str,
        message: str | None = None,
        encoding: Literal["hex", "text"] | None = None,
        domain: str | None = None,
        timestamp: int | None = None,
        payload: str | Mapping[str, Any] | None = None,
        signature: str,
        address: str,
        public_key: str | None = None,
    ) -> types.Verification:
        """Verify a signed message.

        Needs the scope `networks:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``format``: eip191 ….

        ``message``: The message, encoded as `encoding` says.

        ``encoding``: text: signed as UTF-8. hex: the bytes themselves; 0x is allowed.

        ``domain``: ton-proof, ton-sign-data: domain of the application.

        ``timestamp``: ton-proof, ton-sign-data: seconds since 1970.

        ``payload``: ton-proof: a text. ton-sign-data: {type: text, text}, {type: binary, bytes} (base64) or
          {type: cell, schema, cell} (base64).

        ``public_key``: Hex. Needed if the address does not reveal the key (TON).
        """
        found: types.Verification = self._call(
            _MESSAGES_VERIFY,
            {
                "network": network,
                "format": format,
                "message": message,
                "encoding": encoding,
                "domain": domain,
                "timestamp": timestamp,
                "payload": payload,
                "signature": signature,
                "address": address,
                "public_key": public_key,
            },
        )
        return found


class AsyncMessages:
    def __init__(self, call: AsyncCall) -> None:
        self._call = call

    async def sign(
        self,
        wallet_id: UUID | str,
        *,
        scheme: str | None = None,
        account: int | None = None,
        change: int | None = None,
        index: int | None = None,
        path: str | None = None,
        address: str | None = None,
        network: str,
        format: str,
        message: str | None = None,
        encoding: Literal["hex", "text"] | None = None,
        domain: str | None = None,
        timestamp: int | None = None,
        payload: str | Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> types.SignedMessageView:
        """Sign a message.

        Needs the scope `sign:message`.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.

        ``change``: 0 receiving, 1 change.

        ``index``: Address index.

        ``path``: Explicit derivation path. It must fit a scheme of the network.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``format``: eip191 ….

        ``message``: The message, encoded as `encoding` says.

        ``encoding``: text: signed as UTF-8. hex: the bytes themselves; 0x is allowed.

        ``domain``: ton-proof, ton-sign-data: domain of the application.

        ``timestamp``: ton-proof, ton-sign-data: seconds since 1970.

        ``payload``: ton-proof: a text. ton-sign-data: {type: text, text}, {type: binary, bytes} (base64) or
          {type: cell, schema, cell} (base64).
        """
        found: types.SignedMessageView = await self._call(
            _MESSAGES_SIGN,
            {
                "scheme": scheme,
                "account": account,
                "change": change,
                "index": index,
                "path": path,
                "address": address,
                "wallet_id": wallet_id,
                "network": network,
                "format": format,
                "message": message,
                "encoding": encoding,
                "domain": domain,
                "timestamp": timestamp,
                "payload": payload,
            },
            idempotency_key,
        )
        return found

    async def verify(
        self,
        network: str,
        *,
        format: str,
        message: str | None = None,
        encoding: Literal["hex", "text"] | None = None,
        domain: str | None = None,
        timestamp: int | None = None,
        payload: str | Mapping[str, Any] | None = None,
        signature: str,
        address: str,
        public_key: str | None = None,
    ) -> types.Verification:
        """Verify a signed message.

        Needs the scope `networks:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``format``: eip191 ….

        ``message``: The message, encoded as `encoding` says.

        ``encoding``: text: signed as UTF-8. hex: the bytes themselves; 0x is allowed.

        ``domain``: ton-proof, ton-sign-data: domain of the application.

        ``timestamp``: ton-proof, ton-sign-data: seconds since 1970.

        ``payload``: ton-proof: a text. ton-sign-data: {type: text, text}, {type: binary, bytes} (base64) or
          {type: cell, schema, cell} (base64).

        ``public_key``: Hex. Needed if the address does not reveal the key (TON).
        """
        found: types.Verification = await self._call(
            _MESSAGES_VERIFY,
            {
                "network": network,
                "format": format,
                "message": message,
                "encoding": encoding,
                "domain": domain,
                "timestamp": timestamp,
                "payload": payload,
                "signature": signature,
                "address": address,
                "public_key": public_key,
            },
        )
        return found


class TypedData:
    def __init__(self, call: Call) -> None:
        self._call = call

    def sign(
        self,
        wallet_id: UUID | str,
        *,
        scheme: str | None = None,
        account: int | None = None,
        change: int | None = None,
        index: int | None = None,
        path: str | None = None,
        address: str | None = None,
        network: str,
        typed_data: Mapping[str, Any],
        idempotency_key: str | None = None,
    ) -> types.SignedMessageView:
        """Sign EIP-712 typed data.

        Needs the scope `sign:typed-data`.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.

        ``change``: 0 receiving, 1 change.

        ``index``: Address index.

        ``path``: Explicit derivation path. It must fit a scheme of the network.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``typed_data``: EIP-712 document: types, primaryType, domain and message.
        """
        found: types.SignedMessageView = self._call(
            _TYPED_DATA_SIGN,
            {
                "scheme": scheme,
                "account": account,
                "change": change,
                "index": index,
                "path": path,
                "address": address,
                "wallet_id": wallet_id,
                "network": network,
                "typed_data": typed_data,
            },
            idempotency_key,
        )
        return found

    def verify(
        self,
        network: str,
        *,
        typed_data: Mapping[str, Any],
        signature: str,
        address: str,
    ) -> types.Verification:
        """Verify signed typed data.

        Needs the scope `networks:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``typed_data``: EIP-712 document: types, primaryType, domain and message.
        """
        found: types.Verification = self._call(
            _TYPED_DATA_VERIFY,
            {"network": network, "typed_data": typed_data, "signature": signature, "address": address},
        )
        return found


class AsyncTypedData:
    def __init__(self, call: AsyncCall) -> None:
        self._call = call

    async def sign(
        self,
        wallet_id: UUID | str,
        *,
        scheme: str | None = None,
        account: int | None = None,
        change: int | None = None,
        index: int | None = None,
        path: str | None = None,
        address: str | None = None,
        network: str,
        typed_data: Mapping[str, Any],
        idempotency_key: str | None = None,
    ) -> types.SignedMessageView:
        """Sign EIP-712 typed data.

        Needs the scope `sign:typed-data`.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.

        ``change``: 0 receiving, 1 change.

        ``index``: Address index.

        ``path``: Explicit derivation path. It must fit a scheme of the network.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``typed_data``: EIP-712 document: types, primaryType, domain and message.
        """
        found: types.SignedMessageView = await self._call(
            _TYPED_DATA_SIGN,
            {
                "scheme": scheme,
                "account": account,
                "change": change,
                "index": index,
                "path": path,
                "address": address,
                "wallet_id": wallet_id,
                "network": network,
                "typed_data": typed_data,
            },
            idempotency_key,
        )
        return found

    async def verify(
        self,
        network: str,
        *,
        typed_data: Mapping[str, Any],
        signature: str,
        address: str,
    ) -> types.Verification:
        """Verify signed typed data.

        Needs the scope `networks:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``typed_data``: EIP-712 document: types, primaryType, domain and message.
        """
        found: types.Verification = await self._call(
            _TYPED_DATA_VERIFY,
            {"network": network, "typed_data": typed_data, "signature": signature, "address": address},
        )
        return found


class Authorizations:
    def __init__(self, call: Call) -> None:
        self._call = call

    def sign(
        self,
        wallet_id: UUID | str,
        *,
        scheme: str | None = None,
        account: int | None = None,
        change: int | None = None,
        index: int | None = None,
        path: str | None = None,
        address: str | None = None,
        network: str,
        chain_id: str,
        contract: str,
        nonce: str,
        allow_resign: bool | None = None,
        idempotency_key: str | None = None,
    ) -> types.SignedMessageView:
        """Sign an EIP-7702 authorisation.

        Needs the scope `sign:authorization`.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.

        ``change``: 0 receiving, 1 change.

        ``index``: Address index.

        ``path``: Explicit derivation path. It must fit a scheme of the network.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``chain_id``: Chain id of the authorisation. 0 is valid on every chain.

        ``contract``: Contract that the account delegates to. The zero address revokes the delegation.

        ``nonce``: Nonce of the account when the authorisation is applied.

        ``allow_resign``: Sign although something else was signed for the nonce. Needs sign:resign.
        """
        found: types.SignedMessageView = self._call(
            _AUTHORIZATIONS_SIGN,
            {
                "scheme": scheme,
                "account": account,
                "change": change,
                "index": index,
                "path": path,
                "address": address,
                "wallet_id": wallet_id,
                "network": network,
                "chain_id": chain_id,
                "contract": contract,
                "nonce": nonce,
                "allow_resign": allow_resign,
            },
            idempotency_key,
        )
        return found


class AsyncAuthorizations:
    def __init__(self, call: AsyncCall) -> None:
        self._call = call

    async def sign(
        self,
        wallet_id: UUID | str,
        *,
        scheme: str | None = None,
        account: int | None = None,
        change: int | None = None,
        index: int | None = None,
        path: str | None = None,
        address: str | None = None,
        network: str,
        chain_id: str,
        contract: str,
        nonce: str,
        allow_resign: bool | None = None,
        idempotency_key: str | None = None,
    ) -> types.SignedMessageView:
        """Sign an EIP-7702 authorisation.

        Needs the scope `sign:authorization`.

        ``scheme``: Derivation scheme; the keyspace's default if left out.

        ``account``: Account number of the scheme.

        ``change``: 0 receiving, 1 change.

        ``index``: Address index.

        ``path``: Explicit derivation path. It must fit a scheme of the network.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``chain_id``: Chain id of the authorisation. 0 is valid on every chain.

        ``contract``: Contract that the account delegates to. The zero address revokes the delegation.

        ``nonce``: Nonce of the account when the authorisation is applied.

        ``allow_resign``: Sign although something else was signed for the nonce. Needs sign:resign.
        """
        found: types.SignedMessageView = await self._call(
            _AUTHORIZATIONS_SIGN,
            {
                "scheme": scheme,
                "account": account,
                "change": change,
                "index": index,
                "path": path,
                "address": address,
                "wallet_id": wallet_id,
                "network": network,
                "chain_id": chain_id,
                "contract": contract,
                "nonce": nonce,
                "allow_resign": allow_resign,
            },
            idempotency_key,
        )
        return found


class Balances:
    def __init__(self, call: Call) -> None:
        self._call = call

    def wallet(
        self,
        wallet_id: UUID | str,
        network: str,
        *,
        tokens: Literal["listed", "none"] | None = None,
        detail: Literal["addresses", "total"] | None = None,
        fresh: bool | None = None,
        cursor: str | None = None,
    ) -> types.BalancesView:
        """Get the balances of a wallet on a network.

        Needs the scope `balances:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``tokens``: Include the tokens that the operator lists, or none.

        ``detail``: Only the sums, or also each address that holds something.

        ``fresh``: Ask the source now. This has its own rate limit.

        ``cursor``: `next_cursor` of the previous page.
        """
        found: types.BalancesView = self._call(
            _BALANCES_WALLET,
            {
                "wallet_id": wallet_id,
                "network": network,
                "tokens": tokens,
                "detail": detail,
                "fresh": fresh,
                "cursor": cursor,
            },
        )
        return found

    def address(
        self,
        network: str,
        address: str,
        *,
        tokens: Literal["all", "listed", "none"] | None = None,
        fresh: bool | None = None,
    ) -> types.BalancesView:
        """Get the balances of any address.

        Needs the scope `chain:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``tokens``: Tokens to include: listed by the operator, all (unlisted ones are marked `listed: false`), or
          none.

        ``fresh``: Ask the source now. This has its own rate limit.
        """
        found: types.BalancesView = self._call(
            _BALANCES_ADDRESS,
            {"network": network, "address": address, "tokens": tokens, "fresh": fresh},
        )
        return found


class AsyncBalances:
    def __init__(self, call: AsyncCall) -> None:
        self._call = call

    async def wallet(
        self,
        wallet_id: UUID | str,
        network: str,
        *,
        tokens: Literal["listed", "none"] | None = None,
        detail: Literal["addresses", "total"] | None = None,
        fresh: bool | None = None,
        cursor: str | None = None,
    ) -> types.BalancesView:
        """Get the balances of a wallet on a network.

        Needs the scope `balances:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``tokens``: Include the tokens that the operator lists, or none.

        ``detail``: Only the sums, or also each address that holds something.

        ``fresh``: Ask the source now. This has its own rate limit.

        ``cursor``: `next_cursor` of the previous page.
        """
        found: types.BalancesView = await self._call(
            _BALANCES_WALLET,
            {
                "wallet_id": wallet_id,
                "network": network,
                "tokens": tokens,
                "detail": detail,
                "fresh": fresh,
                "cursor": cursor,
            },
        )
        return found

    async def address(
        self,
        network: str,
        address: str,
        *,
        tokens: Literal["all", "listed", "none"] | None = None,
        fresh: bool | None = None,
    ) -> types.BalancesView:
        """Get the balances of any address.

        Needs the scope `chain:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``tokens``: Tokens to include: listed by the operator, all (unlisted ones are marked `listed: false`), or
          none.

        ``fresh``: Ask the source now. This has its own rate limit.
        """
        found: types.BalancesView = await self._call(
            _BALANCES_ADDRESS,
            {"network": network, "address": address, "tokens": tokens, "fresh": fresh},
        )
        return found


class History:
    def __init__(self, call: Call) -> None:
        self._call = call

    def wallet(
        self,
        wallet_id: UUID | str,
        network: str,
        *,
        address: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.HistoryPage:
        """List what came in and went out of a wallet, newest first.

        Needs the scope `balances:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``address``: Only entries of this address of the wallet.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.HistoryPage = self._call(
            _HISTORY_WALLET,
            {"wallet_id": wallet_id, "network": network, "address": address, "cursor": cursor, "limit": limit},
        )
        return found

    def wallet_all(
        self,
        wallet_id: UUID | str,
        network: str,
        *,
        address: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Iterator[types.EntryView]:
        """Every entry of `wallet`, page after page."""
        while True:
            page = self.wallet(wallet_id=wallet_id, network=network, address=address, cursor=cursor, limit=limit)
            yield from page.entries
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def address(
        self,
        network: str,
        address: str,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.HistoryPage:
        """List what came in and went out of any address, newest first.

        Needs the scope `chain:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.HistoryPage = self._call(
            _HISTORY_ADDRESS,
            {"network": network, "address": address, "cursor": cursor, "limit": limit},
        )
        return found

    def address_all(
        self,
        network: str,
        address: str,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Iterator[types.EntryView]:
        """Every entry of `address`, page after page."""
        while True:
            page = self.address(network=network, address=address, cursor=cursor, limit=limit)
            yield from page.entries
            if page.next_cursor is None:
                return
            cursor = page.next_cursor


class AsyncHistory:
    def __init__(self, call: AsyncCall) -> None:
        self._call = call

    async def wallet(
        self,
        wallet_id: UUID | str,
        network: str,
        *,
        address: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.HistoryPage:
        """List what came in and went out of a wallet, newest first.

        Needs the scope `balances:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``address``: Only entries of this address of the wallet.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.HistoryPage = await self._call(
            _HISTORY_WALLET,
            {"wallet_id": wallet_id, "network": network, "address": address, "cursor": cursor, "limit": limit},
        )
        return found

    async def wallet_all(
        self,
        wallet_id: UUID | str,
        network: str,
        *,
        address: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[types.EntryView]:
        """Every entry of `wallet`, page after page."""
        while True:
            page = await self.wallet(wallet_id=wallet_id, network=network, address=address, cursor=cursor, limit=limit)
            for each in page.entries:
                yield each
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def address(
        self,
        network: str,
        address: str,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.HistoryPage:
        """List what came in and went out of any address, newest first.

        Needs the scope `chain:read`.

        ``network``: Name, alias or CAIP-2 id of the network.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.HistoryPage = await self._call(
            _HISTORY_ADDRESS,
            {"network": network, "address": address, "cursor": cursor, "limit": limit},
        )
        return found

    async def address_all(
        self,
        network: str,
        address: str,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[types.EntryView]:
        """Every entry of `address`, page after page."""
        while True:
            page = await self.address(network=network, address=address, cursor=cursor, limit=limit)
            for each in page.entries:
                yield each
            if page.next_cursor is None:
                return
            cursor = page.next_cursor


class Fees:
    def __init__(self, call: Call) -> None:
        self._call = call

    def suggest(
        self,
        network: str,
    ) -> types.FeesView:
        """Get fees for a slow, a normal and a fast transaction.

        Needs the scope `networks:read`.

        ``network``: Name, alias or CAIP-2 id of the network.
        """
        found: types.FeesView = self._call(
            _FEES_SUGGEST,
            {"network": network},
        )
        return found


class AsyncFees:
    def __init__(self, call: AsyncCall) -> None:
        self._call = call

    async def suggest(
        self,
        network: str,
    ) -> types.FeesView:
        """Get fees for a slow, a normal and a fast transaction.

        Needs the scope `networks:read`.

        ``network``: Name, alias or CAIP-2 id of the network.
        """
        found: types.FeesView = await self._call(
            _FEES_SUGGEST,
            {"network": network},
        )
        return found


class Networks:
    def __init__(self, call: Call) -> None:
        self._call = call

    def head(
        self,
        network: str,
    ) -> types.HeadView:
        """Get the newest block of a network.

        Needs the scope `networks:read`.

        ``network``: Name, alias or CAIP-2 id of the network.
        """
        found: types.HeadView = self._call(
            _NETWORKS_HEAD,
            {"network": network},
        )
        return found

    def list(
        self,
    ) -> types.NetworkList:
        """List networks with their schemes and limits.

        Needs the scope `networks:read`.
        """
        found: types.NetworkList = self._call(
            _NETWORKS_LIST,
            {},
        )
        return found


class AsyncNetworks:
    def __init__(self, call: AsyncCall) -> None:
        self._call = call

    async def head(
        self,
        network: str,
    ) -> types.HeadView:
        """Get the newest block of a network.

        Needs the scope `networks:read`.

        ``network``: Name, alias or CAIP-2 id of the network.
        """
        found: types.HeadView = await self._call(
            _NETWORKS_HEAD,
            {"network": network},
        )
        return found

    async def list(
        self,
    ) -> types.NetworkList:
        """List networks with their schemes and limits.

        Needs the scope `networks:read`.
        """
        found: types.NetworkList = await self._call(
            _NETWORKS_LIST,
            {},
        )
        return found


class ApiKeys:
    def __init__(self, call: Call) -> None:
        self._call = call

    def create(
        self,
        *,
        name: str,
        scopes: Sequence[str],
        expires_at: datetime | None = None,
        restriction: types.NewRestriction | Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> types.CreatedApiKey:
        """Create an API key.

        Needs the scope `admin`.

        ``name``: Your own name for the key.

        ``expires_at``: RFC 3339.

        ``restriction``: What the key is restricted to. Without it the key has no restriction of its own.
        """
        found: types.CreatedApiKey = self._call(
            _API_KEYS_CREATE,
            {"name": name, "scopes": scopes, "expires_at": expires_at, "restriction": restriction},
            idempotency_key,
        )
        return found

    def list(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.ApiKeyPage:
        """List API keys.

        Needs the scope `admin`.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.ApiKeyPage = self._call(
            _API_KEYS_LIST,
            {"cursor": cursor, "limit": limit},
        )
        return found

    def list_all(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Iterator[types.ApiKeyView]:
        """Every entry of `list`, page after page."""
        while True:
            page = self.list(cursor=cursor, limit=limit)
            yield from page.api_keys
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def revoke(
        self,
        key_id: UUID | str,
        *,
        idempotency_key: str | None = None,
    ) -> types.ApiKeyView:
        """Revoke an API key.

        Needs the scope `admin`.

        ``key_id``: Id of the API key.
        """
        found: types.ApiKeyView = self._call(
            _API_KEYS_REVOKE,
            {"key_id": key_id},
            idempotency_key,
        )
        return found


class AsyncApiKeys:
    def __init__(self, call: AsyncCall) -> None:
        self._call = call

    async def create(
        self,
        *,
        name: str,
        scopes: Sequence[str],
        expires_at: datetime | None = None,
        restriction: types.NewRestriction | Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> types.CreatedApiKey:
        """Create an API key.

        Needs the scope `admin`.

        ``name``: Your own name for the key.

        ``expires_at``: RFC 3339.

        ``restriction``: What the key is restricted to. Without it the key has no restriction of its own.
        """
        found: types.CreatedApiKey = await self._call(
            _API_KEYS_CREATE,
            {"name": name, "scopes": scopes, "expires_at": expires_at, "restriction": restriction},
            idempotency_key,
        )
        return found

    async def list(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.ApiKeyPage:
        """List API keys.

        Needs the scope `admin`.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.ApiKeyPage = await self._call(
            _API_KEYS_LIST,
            {"cursor": cursor, "limit": limit},
        )
        return found

    async def list_all(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[types.ApiKeyView]:
        """Every entry of `list`, page after page."""
        while True:
            page = await self.list(cursor=cursor, limit=limit)
            for each in page.api_keys:
                yield each
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def revoke(
        self,
        key_id: UUID | str,
        *,
        idempotency_key: str | None = None,
    ) -> types.ApiKeyView:
        """Revoke an API key.

        Needs the scope `admin`.

        ``key_id``: Id of the API key.
        """
        found: types.ApiKeyView = await self._call(
            _API_KEYS_REVOKE,
            {"key_id": key_id},
            idempotency_key,
        )
        return found


class Revocations:
    def __init__(self, call: Call) -> None:
        self._call = call

    def create(
        self,
        *,
        issuer: str | None = None,
        subject: str | None = None,
        token_id: str | None = None,
        principal_id: UUID | str | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> types.RevocationView:
        """Refuse the tokens of a subject, or a single token.

        Needs the scope `admin`.

        ``issuer``: The iss claim of the tokens.

        ``subject``: The sub claim: every token with it is refused.

        ``token_id``: The jti claim: the token with it is refused.

        ``principal_id``: The caller's id as the audit shows it, instead of issuer and subject.

        ``reason``: Reason for the revocation, kept with it.
        """
        found: types.RevocationView = self._call(
            _REVOCATIONS_CREATE,
            {
                "issuer": issuer,
                "subject": subject,
                "token_id": token_id,
                "principal_id": principal_id,
                "reason": reason,
            },
            idempotency_key,
        )
        return found

    def list(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.RevocationPage:
        """List the revocations of subjects and tokens.

        Needs the scope `admin`.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.RevocationPage = self._call(
            _REVOCATIONS_LIST,
            {"cursor": cursor, "limit": limit},
        )
        return found

    def list_all(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Iterator[types.RevocationView]:
        """Every entry of `list`, page after page."""
        while True:
            page = self.list(cursor=cursor, limit=limit)
            yield from page.revocations
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def lift(
        self,
        revocation_id: UUID | str,
        *,
        idempotency_key: str | None = None,
    ) -> types.RevocationView:
        """Accept the tokens of a subject, or a single token, again.

        Needs the scope `admin`.

        ``revocation_id``: Id of the revocation.
        """
        found: types.RevocationView = self._call(
            _REVOCATIONS_LIFT,
            {"revocation_id": revocation_id},
            idempotency_key,
        )
        return found


class AsyncRevocations:
    def __init__(self, call: AsyncCall) -> None:
        self._call = call

    async def create(
        self,
        *,
        issuer: str | None = None,
        subject: str | None = None,
        token_id: str | None = None,
        principal_id: UUID | str | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> types.RevocationView:
        """Refuse the tokens of a subject, or a single token.

        Needs the scope `admin`.

        ``issuer``: The iss claim of the tokens.

        ``subject``: The sub claim: every token with it is refused.

        ``token_id``: The jti claim: the token with it is refused.

        ``principal_id``: The caller's id as the audit shows it, instead of issuer and subject.

        ``reason``: Reason for the revocation, kept with it.
        """
        found: types.RevocationView = await self._call(
            _REVOCATIONS_CREATE,
            {
                "issuer": issuer,
                "subject": subject,
                "token_id": token_id,
                "principal_id": principal_id,
                "reason": reason,
            },
            idempotency_key,
        )
        return found

    async def list(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.RevocationPage:
        """List the revocations of subjects and tokens.

        Needs the scope `admin`.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.RevocationPage = await self._call(
            _REVOCATIONS_LIST,
            {"cursor": cursor, "limit": limit},
        )
        return found

    async def list_all(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[types.RevocationView]:
        """Every entry of `list`, page after page."""
        while True:
            page = await self.list(cursor=cursor, limit=limit)
            for each in page.revocations:
                yield each
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def lift(
        self,
        revocation_id: UUID | str,
        *,
        idempotency_key: str | None = None,
    ) -> types.RevocationView:
        """Accept the tokens of a subject, or a single token, again.

        Needs the scope `admin`.

        ``revocation_id``: Id of the revocation.
        """
        found: types.RevocationView = await self._call(
            _REVOCATIONS_LIFT,
            {"revocation_id": revocation_id},
            idempotency_key,
        )
        return found


class ClientNetworks:
    def __init__(self, call: Call) -> None:
        self._call = call

    def get(
        self,
    ) -> types.ClientNetworksView:
        """Get the client networks that the tenant's callers may call from.

        Needs the scope `admin`.
        """
        found: types.ClientNetworksView = self._call(
            _CLIENT_NETWORKS_GET,
            {},
        )
        return found

    def set(
        self,
        *,
        networks: Sequence[str],
        force: bool | None = None,
        idempotency_key: str | None = None,
    ) -> types.ClientNetworksView:
        """Set the client networks that the tenant's callers may call from.

        Needs the scope `admin`.

        ``networks``: CIDR ranges such as 10.0.0.0/8 or 2001:db8::/32. An empty list allows every address.

        ``force``: Accept a list that leaves out the address of this call, or that covers every address.
        """
        found: types.ClientNetworksView = self._call(
            _CLIENT_NETWORKS_SET,
            {"networks": networks, "force": force},
            idempotency_key,
        )
        return found


class AsyncClientNetworks:
    def __init__(self, call: AsyncCall) -> None:
        self._call = call

    async def get(
        self,
    ) -> types.ClientNetworksView:
        """Get the client networks that the tenant's callers may call from.

        Needs the scope `admin`.
        """
        found: types.ClientNetworksView = await self._call(
            _CLIENT_NETWORKS_GET,
            {},
        )
        return found

    async def set(
        self,
        *,
        networks: Sequence[str],
        force: bool | None = None,
        idempotency_key: str | None = None,
    ) -> types.ClientNetworksView:
        """Set the client networks that the tenant's callers may call from.

        Needs the scope `admin`.

        ``networks``: CIDR ranges such as 10.0.0.0/8 or 2001:db8::/32. An empty list allows every address.

        ``force``: Accept a list that leaves out the address of this call, or that covers every address.
        """
        found: types.ClientNetworksView = await self._call(
            _CLIENT_NETWORKS_SET,
            {"networks": networks, "force": force},
            idempotency_key,
        )
        return found


class Audit:
    def __init__(self, call: Call) -> None:
        self._call = call

    def list(
        self,
        *,
        wallet_id: UUID | str | None = None,
        operation: str | None = None,
        operation_id: UUID | str | None = None,
        outcome: Literal["denied", "failed", "requested", "succeeded"] | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.AuditPage:
        """Read audit records, newest first.

        Needs the scope `audit:read`.

        ``wallet_id``: Only records of this wallet.

        ``operation``: Only records of this operation, such as transactions.sign.

        ``operation_id``: Only records with this operation id.

        ``outcome``: Only records with this outcome.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.AuditPage = self._call(
            _AUDIT_LIST,
            {
                "wallet_id": wallet_id,
                "operation": operation,
                "operation_id": operation_id,
                "outcome": outcome,
                "cursor": cursor,
                "limit": limit,
            },
        )
        return found

    def list_all(
        self,
        *,
        wallet_id: UUID | str | None = None,
        operation: str | None = None,
        operation_id: UUID | str | None = None,
        outcome: Literal["denied", "failed", "requested", "succeeded"] | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Iterator[types.AuditView]:
        """Every entry of `list`, page after page."""
        while True:
            page = self.list(
                wallet_id=wallet_id,
                operation=operation,
                operation_id=operation_id,
                outcome=outcome,
                cursor=cursor,
                limit=limit,
            )
            yield from page.records
            if page.next_cursor is None:
                return
            cursor = page.next_cursor


class AsyncAudit:
    def __init__(self, call: AsyncCall) -> None:
        self._call = call

    async def list(
        self,
        *,
        wallet_id: UUID | str | None = None,
        operation: str | None = None,
        operation_id: UUID | str | None = None,
        outcome: Literal["denied", "failed", "requested", "succeeded"] | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.AuditPage:
        """Read audit records, newest first.

        Needs the scope `audit:read`.

        ``wallet_id``: Only records of this wallet.

        ``operation``: Only records of this operation, such as transactions.sign.

        ``operation_id``: Only records with this operation id.

        ``outcome``: Only records with this outcome.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.AuditPage = await self._call(
            _AUDIT_LIST,
            {
                "wallet_id": wallet_id,
                "operation": operation,
                "operation_id": operation_id,
                "outcome": outcome,
                "cursor": cursor,
                "limit": limit,
            },
        )
        return found

    async def list_all(
        self,
        *,
        wallet_id: UUID | str | None = None,
        operation: str | None = None,
        operation_id: UUID | str | None = None,
        outcome: Literal["denied", "failed", "requested", "succeeded"] | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[types.AuditView]:
        """Every entry of `list`, page after page."""
        while True:
            page = await self.list(
                wallet_id=wallet_id,
                operation=operation,
                operation_id=operation_id,
                outcome=outcome,
                cursor=cursor,
                limit=limit,
            )
            for each in page.records:
                yield each
            if page.next_cursor is None:
                return
            cursor = page.next_cursor


class Tasks:
    def __init__(self, call: Call) -> None:
        self._call = call

    def list(
        self,
        *,
        kind: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.TaskPage:
        """List background tasks.

        Needs the scope `admin`.

        ``kind``: Kind of task.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.TaskPage = self._call(
            _TASKS_LIST,
            {"kind": kind, "cursor": cursor, "limit": limit},
        )
        return found

    def list_all(
        self,
        *,
        kind: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Iterator[types.TaskView]:
        """Every entry of `list`, page after page."""
        while True:
            page = self.list(kind=kind, cursor=cursor, limit=limit)
            yield from page.tasks
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def retry(
        self,
        *,
        kind: str,
        key: str,
        idempotency_key: str | None = None,
    ) -> types.TaskView:
        """Run a task now.

        Needs the scope `admin`.

        ``kind``: Kind of task.

        ``key``: What the task works on.
        """
        found: types.TaskView = self._call(
            _TASKS_RETRY,
            {"kind": kind, "key": key},
            idempotency_key,
        )
        return found

    def cancel(
        self,
        *,
        kind: str,
        key: str,
        idempotency_key: str | None = None,
    ) -> types.TaskView:
        """Cancel a task of the tenant.

        Needs the scope `admin`.

        ``kind``: Kind of task.

        ``key``: What the task works on.
        """
        found: types.TaskView = self._call(
            _TASKS_CANCEL,
            {"kind": kind, "key": key},
            idempotency_key,
        )
        return found


class AsyncTasks:
    def __init__(self, call: AsyncCall) -> None:
        self._call = call

    async def list(
        self,
        *,
        kind: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.TaskPage:
        """List background tasks.

        Needs the scope `admin`.

        ``kind``: Kind of task.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.TaskPage = await self._call(
            _TASKS_LIST,
            {"kind": kind, "cursor": cursor, "limit": limit},
        )
        return found

    async def list_all(
        self,
        *,
        kind: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[types.TaskView]:
        """Every entry of `list`, page after page."""
        while True:
            page = await self.list(kind=kind, cursor=cursor, limit=limit)
            for each in page.tasks:
                yield each
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def retry(
        self,
        *,
        kind: str,
        key: str,
        idempotency_key: str | None = None,
    ) -> types.TaskView:
        """Run a task now.

        Needs the scope `admin`.

        ``kind``: Kind of task.

        ``key``: What the task works on.
        """
        found: types.TaskView = await self._call(
            _TASKS_RETRY,
            {"kind": kind, "key": key},
            idempotency_key,
        )
        return found

    async def cancel(
        self,
        *,
        kind: str,
        key: str,
        idempotency_key: str | None = None,
    ) -> types.TaskView:
        """Cancel a task of the tenant.

        Needs the scope `admin`.

        ``kind``: Kind of task.

        ``key``: What the task works on.
        """
        found: types.TaskView = await self._call(
            _TASKS_CANCEL,
            {"kind": kind, "key": key},
            idempotency_key,
        )
        return found


class Alerts:
    def __init__(self, call: Call) -> None:
        self._call = call

    def list(
        self,
        *,
        state: Literal["ended", "firing"] | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.AlertPage:
        """List alerts, firing and ended.

        Needs the scope `admin`.

        ``state``: Only alerts in this state.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.AlertPage = self._call(
            _ALERTS_LIST,
            {"state": state, "cursor": cursor, "limit": limit},
        )
        return found

    def list_all(
        self,
        *,
        state: Literal["ended", "firing"] | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Iterator[types.AlertView]:
        """Every entry of `list`, page after page."""
        while True:
            page = self.list(state=state, cursor=cursor, limit=limit)
            yield from page.alerts
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def notifications(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.NotificationPage:
        """List notifications that were sent to channels, newest first.

        Needs the scope `admin`.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.NotificationPage = self._call(
            _ALERTS_NOTIFICATIONS,
            {"cursor": cursor, "limit": limit},
        )
        return found

    def notifications_all(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Iterator[types.NotificationView]:
        """Every entry of `notifications`, page after page."""
        while True:
            page = self.notifications(cursor=cursor, limit=limit)
            yield from page.notifications
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def silence(
        self,
        *,
        rule: str,
        subject: str | None = None,
        seconds: int,
        idempotency_key: str | None = None,
    ) -> types.SilenceView:
        """Silence an alert for a while.

        Needs the scope `admin`.

        ``rule``: Name of the rule.

        ``subject``: What the alert is about; `*` for anything.

        ``seconds``: Seconds from now; 0 ends a silence.
        """
        found: types.SilenceView = self._call(
            _ALERTS_SILENCE,
            {"rule": rule, "subject": subject, "seconds": seconds},
            idempotency_key,
        )
        return found

    def test(
        self,
        *,
        channel: str | None = None,
        severity: Literal["critical", "info", "warning"] | None = None,
        idempotency_key: str | None = None,
    ) -> types.SentTest:
        """Send a test message to the alert channels.

        Needs the scope `admin`.

        ``channel``: Only this channel.

        ``severity``: Severity of the test message.
        """
        found: types.SentTest = self._call(
            _ALERTS_TEST,
            {"channel": channel, "severity": severity},
            idempotency_key,
        )
        return found


class AsyncAlerts:
    def __init__(self, call: AsyncCall) -> None:
        self._call = call

    async def list(
        self,
        *,
        state: Literal["ended", "firing"] | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.AlertPage:
        """List alerts, firing and ended.

        Needs the scope `admin`.

        ``state``: Only alerts in this state.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.AlertPage = await self._call(
            _ALERTS_LIST,
            {"state": state, "cursor": cursor, "limit": limit},
        )
        return found

    async def list_all(
        self,
        *,
        state: Literal["ended", "firing"] | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[types.AlertView]:
        """Every entry of `list`, page after page."""
        while True:
            page = await self.list(state=state, cursor=cursor, limit=limit)
            for each in page.alerts:
                yield each
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def notifications(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> types.NotificationPage:
        """List notifications that were sent to channels, newest first.

        Needs the scope `admin`.

        ``cursor``: `next_cursor` of the previous page.

        ``limit``: Entries per page.
        """
        found: types.NotificationPage = await self._call(
            _ALERTS_NOTIFICATIONS,
            {"cursor": cursor, "limit": limit},
        )
        return found

    async def notifications_all(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[types.NotificationView]:
        """Every entry of `notifications`, page after page."""
        while True:
            page = await self.notifications(cursor=cursor, limit=limit)
            for each in page.notifications:
                yield each
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def silence(
        self,
        *,
        rule: str,
        subject: str | None = None,
        seconds: int,
        idempotency_key: str | None = None,
    ) -> types.SilenceView:
        """Silence an alert for a while.

        Needs the scope `admin`.

        ``rule``: Name of the rule.

        ``subject``: What the alert is about; `*` for anything.

        ``seconds``: Seconds from now; 0 ends a silence.
        """
        found: types.SilenceView = await self._call(
            _ALERTS_SILENCE,
            {"rule": rule, "subject": subject, "seconds": seconds},
            idempotency_key,
        )
        return found

    async def test(
        self,
        *,
        channel: str | None = None,
        severity: Literal["critical", "info", "warning"] | None = None,
        idempotency_key: str | None = None,
    ) -> types.SentTest:
        """Send a test message to the alert channels.

        Needs the scope `admin`.

        ``channel``: Only this channel.

        ``severity``: Severity of the test message.
        """
        found: types.SentTest = await self._call(
            _ALERTS_TEST,
            {"channel": channel, "severity": severity},
            idempotency_key,
        )
        return found


class Operations:
    def __init__(self, call: Call) -> None:
        self.wallets = Wallets(call)
        self.addresses = Addresses(call)
        self.accounts = Accounts(call)
        self.transactions = Transactions(call)
        self.messages = Messages(call)
        self.typed_data = TypedData(call)
        self.authorizations = Authorizations(call)
        self.balances = Balances(call)
        self.history = History(call)
        self.fees = Fees(call)
        self.networks = Networks(call)
        self.api_keys = ApiKeys(call)
        self.revocations = Revocations(call)
        self.client_networks = ClientNetworks(call)
        self.audit = Audit(call)
        self.tasks = Tasks(call)
        self.alerts = Alerts(call)


class AsyncOperations:
    def __init__(self, call: AsyncCall) -> None:
        self.wallets = AsyncWallets(call)
        self.addresses = AsyncAddresses(call)
        self.accounts = AsyncAccounts(call)
        self.transactions = AsyncTransactions(call)
        self.messages = AsyncMessages(call)
        self.typed_data = AsyncTypedData(call)
        self.authorizations = AsyncAuthorizations(call)
        self.balances = AsyncBalances(call)
        self.history = AsyncHistory(call)
        self.fees = AsyncFees(call)
        self.networks = AsyncNetworks(call)
        self.api_keys = AsyncApiKeys(call)
        self.revocations = AsyncRevocations(call)
        self.client_networks = AsyncClientNetworks(call)
        self.audit = AsyncAudit(call)
        self.tasks = AsyncTasks(call)
        self.alerts = AsyncAlerts(call)

import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class JsonDocument(_message.Message):
    __slots__ = ("json",)
    JSON_FIELD_NUMBER: _ClassVar[int]
    json: str
    def __init__(self, json: _Optional[str] = ...) -> None: ...

class StatementPayload(_message.Message):
    __slots__ = ("text", "json")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    text: str
    json: str
    def __init__(self, text: _Optional[str] = ..., json: _Optional[str] = ...) -> None: ...

class UnsignedTransaction(_message.Message):
    __slots__ = ("encoded", "json")
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    encoded: str
    json: str
    def __init__(self, encoded: _Optional[str] = ..., json: _Optional[str] = ...) -> None: ...

class Summary(_message.Message):
    __slots__ = ("network", "type", "actions", "from_address", "sequence", "fee", "payload_hash", "details")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    FROM_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_HASH_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    network: str
    type: str
    actions: _containers.RepeatedCompositeFieldContainer[Action]
    from_address: str
    sequence: str
    fee: Fee
    payload_hash: str
    details: JsonDocument
    def __init__(self, network: _Optional[str] = ..., type: _Optional[str] = ..., actions: _Optional[_Iterable[_Union[Action, _Mapping]]] = ..., from_address: _Optional[str] = ..., sequence: _Optional[str] = ..., fee: _Optional[_Union[Fee, _Mapping]] = ..., payload_hash: _Optional[str] = ..., details: _Optional[_Union[JsonDocument, _Mapping]] = ...) -> None: ...

class Action(_message.Message):
    __slots__ = ("kind", "from_address", "to", "amount", "asset", "spender", "contract", "method", "data_size", "details")
    KIND_FIELD_NUMBER: _ClassVar[int]
    FROM_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    ASSET_FIELD_NUMBER: _ClassVar[int]
    SPENDER_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    DATA_SIZE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    from_address: str
    to: str
    amount: str
    asset: str
    spender: str
    contract: str
    method: str
    data_size: int
    details: JsonDocument
    def __init__(self, kind: _Optional[str] = ..., from_address: _Optional[str] = ..., to: _Optional[str] = ..., amount: _Optional[str] = ..., asset: _Optional[str] = ..., spender: _Optional[str] = ..., contract: _Optional[str] = ..., method: _Optional[str] = ..., data_size: _Optional[int] = ..., details: _Optional[_Union[JsonDocument, _Mapping]] = ...) -> None: ...

class Fee(_message.Message):
    __slots__ = ("amount", "asset", "rate", "limit")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    ASSET_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    amount: str
    asset: str
    rate: str
    limit: str
    def __init__(self, amount: _Optional[str] = ..., asset: _Optional[str] = ..., rate: _Optional[str] = ..., limit: _Optional[str] = ...) -> None: ...

class Caution(_message.Message):
    __slots__ = ("code", "message")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class CreateWalletRequest(_message.Message):
    __slots__ = ("label", "words", "language", "passphrase", "networks", "external_id", "backup", "kind")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PASSPHRASE_FIELD_NUMBER: _ClassVar[int]
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    BACKUP_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    label: str
    words: int
    language: str
    passphrase: str
    networks: _containers.RepeatedScalarFieldContainer[str]
    external_id: str
    backup: bool
    kind: str
    def __init__(self, label: _Optional[str] = ..., words: _Optional[int] = ..., language: _Optional[str] = ..., passphrase: _Optional[str] = ..., networks: _Optional[_Iterable[str]] = ..., external_id: _Optional[str] = ..., backup: _Optional[bool] = ..., kind: _Optional[str] = ...) -> None: ...

class CreateWalletsRequest(_message.Message):
    __slots__ = ("label", "words", "language", "passphrase", "networks", "external_id", "backup", "kind", "items", "count")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PASSPHRASE_FIELD_NUMBER: _ClassVar[int]
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    BACKUP_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    label: str
    words: int
    language: str
    passphrase: str
    networks: _containers.RepeatedScalarFieldContainer[str]
    external_id: str
    backup: bool
    kind: str
    items: _containers.RepeatedCompositeFieldContainer[WalletItem]
    count: int
    def __init__(self, label: _Optional[str] = ..., words: _Optional[int] = ..., language: _Optional[str] = ..., passphrase: _Optional[str] = ..., networks: _Optional[_Iterable[str]] = ..., external_id: _Optional[str] = ..., backup: _Optional[bool] = ..., kind: _Optional[str] = ..., items: _Optional[_Iterable[_Union[WalletItem, _Mapping]]] = ..., count: _Optional[int] = ...) -> None: ...

class WalletItem(_message.Message):
    __slots__ = ("label", "words", "language", "passphrase", "networks", "external_id", "backup", "kind", "ref")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PASSPHRASE_FIELD_NUMBER: _ClassVar[int]
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    BACKUP_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REF_FIELD_NUMBER: _ClassVar[int]
    label: str
    words: int
    language: str
    passphrase: str
    networks: _containers.RepeatedScalarFieldContainer[str]
    external_id: str
    backup: bool
    kind: str
    ref: str
    def __init__(self, label: _Optional[str] = ..., words: _Optional[int] = ..., language: _Optional[str] = ..., passphrase: _Optional[str] = ..., networks: _Optional[_Iterable[str]] = ..., external_id: _Optional[str] = ..., backup: _Optional[bool] = ..., kind: _Optional[str] = ..., ref: _Optional[str] = ...) -> None: ...

class CreatedWallets(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[WalletResult]
    def __init__(self, results: _Optional[_Iterable[_Union[WalletResult, _Mapping]]] = ...) -> None: ...

class WalletResult(_message.Message):
    __slots__ = ("ref", "status", "result", "error")
    REF_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ref: str
    status: str
    result: CreatedWallet
    error: ItemProblem
    def __init__(self, ref: _Optional[str] = ..., status: _Optional[str] = ..., result: _Optional[_Union[CreatedWallet, _Mapping]] = ..., error: _Optional[_Union[ItemProblem, _Mapping]] = ...) -> None: ...

class ItemProblem(_message.Message):
    __slots__ = ("type", "title", "status", "detail", "code", "field", "reason", "retry_after", "allowed", "did_you_mean", "limit", "setting", "expected", "received", "tx_id")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    DID_YOU_MEAN_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SETTING_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    TX_ID_FIELD_NUMBER: _ClassVar[int]
    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str
    reason: str
    retry_after: int
    allowed: _containers.RepeatedScalarFieldContainer[str]
    did_you_mean: str
    limit: str
    setting: str
    expected: str
    received: str
    tx_id: str
    def __init__(self, type: _Optional[str] = ..., title: _Optional[str] = ..., status: _Optional[int] = ..., detail: _Optional[str] = ..., code: _Optional[str] = ..., field: _Optional[str] = ..., reason: _Optional[str] = ..., retry_after: _Optional[int] = ..., allowed: _Optional[_Iterable[str]] = ..., did_you_mean: _Optional[str] = ..., limit: _Optional[str] = ..., setting: _Optional[str] = ..., expected: _Optional[str] = ..., received: _Optional[str] = ..., tx_id: _Optional[str] = ...) -> None: ...

class ImportWalletRequest(_message.Message):
    __slots__ = ("kind", "mnemonic", "passphrase", "language", "keyspace", "format", "key", "label", "networks", "external_id", "discover")
    KIND_FIELD_NUMBER: _ClassVar[int]
    MNEMONIC_FIELD_NUMBER: _ClassVar[int]
    PASSPHRASE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    KEYSPACE_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    DISCOVER_FIELD_NUMBER: _ClassVar[int]
    kind: str
    mnemonic: str
    passphrase: str
    language: str
    keyspace: str
    format: str
    key: str
    label: str
    networks: _containers.RepeatedScalarFieldContainer[str]
    external_id: str
    discover: bool
    def __init__(self, kind: _Optional[str] = ..., mnemonic: _Optional[str] = ..., passphrase: _Optional[str] = ..., language: _Optional[str] = ..., keyspace: _Optional[str] = ..., format: _Optional[str] = ..., key: _Optional[str] = ..., label: _Optional[str] = ..., networks: _Optional[_Iterable[str]] = ..., external_id: _Optional[str] = ..., discover: _Optional[bool] = ...) -> None: ...

class ListWalletsRequest(_message.Message):
    __slots__ = ("state", "kind", "label", "external_id", "cursor", "limit")
    STATE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    state: str
    kind: str
    label: str
    external_id: str
    cursor: str
    limit: int
    def __init__(self, state: _Optional[str] = ..., kind: _Optional[str] = ..., label: _Optional[str] = ..., external_id: _Optional[str] = ..., cursor: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class GetWalletRequest(_message.Message):
    __slots__ = ("wallet_id",)
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    def __init__(self, wallet_id: _Optional[str] = ...) -> None: ...

class UpdateWalletRequest(_message.Message):
    __slots__ = ("wallet_id", "label")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    label: str
    def __init__(self, wallet_id: _Optional[str] = ..., label: _Optional[str] = ...) -> None: ...

class LimitWalletRequest(_message.Message):
    __slots__ = ("wallet_id", "rates")
    class RatesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    RATES_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    rates: _containers.ScalarMap[str, str]
    def __init__(self, wallet_id: _Optional[str] = ..., rates: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ArchiveWalletRequest(_message.Message):
    __slots__ = ("wallet_id",)
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    def __init__(self, wallet_id: _Optional[str] = ...) -> None: ...

class UnarchiveWalletRequest(_message.Message):
    __slots__ = ("wallet_id",)
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    def __init__(self, wallet_id: _Optional[str] = ...) -> None: ...

class Wallet(_message.Message):
    __slots__ = ("id", "kind", "label", "external_id", "state", "keyspace", "master_fingerprint", "created_at", "rates")
    class RatesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    KEYSPACE_FIELD_NUMBER: _ClassVar[int]
    MASTER_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    RATES_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: str
    label: str
    external_id: str
    state: str
    keyspace: str
    master_fingerprint: str
    created_at: _timestamp_pb2.Timestamp
    rates: _containers.ScalarMap[str, str]
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[str] = ..., label: _Optional[str] = ..., external_id: _Optional[str] = ..., state: _Optional[str] = ..., keyspace: _Optional[str] = ..., master_fingerprint: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rates: _Optional[_Mapping[str, str]] = ...) -> None: ...

class CreatedWallet(_message.Message):
    __slots__ = ("id", "kind", "label", "external_id", "state", "keyspace", "master_fingerprint", "created_at", "addresses", "backup", "rates")
    class RatesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    KEYSPACE_FIELD_NUMBER: _ClassVar[int]
    MASTER_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    BACKUP_FIELD_NUMBER: _ClassVar[int]
    RATES_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: str
    label: str
    external_id: str
    state: str
    keyspace: str
    master_fingerprint: str
    created_at: _timestamp_pb2.Timestamp
    addresses: _containers.RepeatedCompositeFieldContainer[Address]
    backup: Backup
    rates: _containers.ScalarMap[str, str]
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[str] = ..., label: _Optional[str] = ..., external_id: _Optional[str] = ..., state: _Optional[str] = ..., keyspace: _Optional[str] = ..., master_fingerprint: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., addresses: _Optional[_Iterable[_Union[Address, _Mapping]]] = ..., backup: _Optional[_Union[Backup, _Mapping]] = ..., rates: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Backup(_message.Message):
    __slots__ = ("status", "mnemonic")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MNEMONIC_FIELD_NUMBER: _ClassVar[int]
    status: str
    mnemonic: str
    def __init__(self, status: _Optional[str] = ..., mnemonic: _Optional[str] = ...) -> None: ...

class WalletPage(_message.Message):
    __slots__ = ("wallets", "next_cursor")
    WALLETS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    wallets: _containers.RepeatedCompositeFieldContainer[Wallet]
    next_cursor: str
    def __init__(self, wallets: _Optional[_Iterable[_Union[Wallet, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class GetAddressRequest(_message.Message):
    __slots__ = ("wallet_id", "network", "index", "scheme", "account", "change", "path")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    network: str
    index: int
    scheme: str
    account: int
    change: int
    path: str
    def __init__(self, wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., index: _Optional[int] = ..., scheme: _Optional[str] = ..., account: _Optional[int] = ..., change: _Optional[int] = ..., path: _Optional[str] = ...) -> None: ...

class NextAddressRequest(_message.Message):
    __slots__ = ("wallet_id", "network", "scheme", "account", "label", "external_id")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    network: str
    scheme: str
    account: int
    label: str
    external_id: str
    def __init__(self, wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., scheme: _Optional[str] = ..., account: _Optional[int] = ..., label: _Optional[str] = ..., external_id: _Optional[str] = ...) -> None: ...

class NextAddressesRequest(_message.Message):
    __slots__ = ("wallet_id", "network", "count", "scheme", "account", "label")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    network: str
    count: int
    scheme: str
    account: int
    label: str
    def __init__(self, wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., count: _Optional[int] = ..., scheme: _Optional[str] = ..., account: _Optional[int] = ..., label: _Optional[str] = ...) -> None: ...

class HandedOutAddresses(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[AddressResult]
    def __init__(self, results: _Optional[_Iterable[_Union[AddressResult, _Mapping]]] = ...) -> None: ...

class AddressResult(_message.Message):
    __slots__ = ("ref", "status", "result", "error")
    REF_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ref: str
    status: str
    result: Address
    error: ItemProblem
    def __init__(self, ref: _Optional[str] = ..., status: _Optional[str] = ..., result: _Optional[_Union[Address, _Mapping]] = ..., error: _Optional[_Union[ItemProblem, _Mapping]] = ...) -> None: ...

class DiscoverAddressesRequest(_message.Message):
    __slots__ = ("wallet_id", "network", "scheme", "account", "gap", "budget")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    network: str
    scheme: str
    account: int
    gap: int
    budget: int
    def __init__(self, wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., scheme: _Optional[str] = ..., account: _Optional[int] = ..., gap: _Optional[int] = ..., budget: _Optional[int] = ...) -> None: ...

class GetDiscoveryRequest(_message.Message):
    __slots__ = ("wallet_id", "discovery_id")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    DISCOVERY_ID_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    discovery_id: str
    def __init__(self, wallet_id: _Optional[str] = ..., discovery_id: _Optional[str] = ...) -> None: ...

class Discovery(_message.Message):
    __slots__ = ("id", "wallet_id", "network", "scheme", "account", "state", "reason", "gap", "budget", "change", "index", "checked", "used", "error", "created_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    CHECKED_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    wallet_id: str
    network: str
    scheme: str
    account: int
    state: str
    reason: str
    gap: int
    budget: int
    change: int
    index: int
    checked: int
    used: int
    error: str
    created_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., scheme: _Optional[str] = ..., account: _Optional[int] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., gap: _Optional[int] = ..., budget: _Optional[int] = ..., change: _Optional[int] = ..., index: _Optional[int] = ..., checked: _Optional[int] = ..., used: _Optional[int] = ..., error: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListAddressesRequest(_message.Message):
    __slots__ = ("wallet_id", "network", "scheme", "external_id", "cursor", "limit", "all")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    network: str
    scheme: str
    external_id: str
    cursor: str
    limit: int
    all: bool
    def __init__(self, wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., scheme: _Optional[str] = ..., external_id: _Optional[str] = ..., cursor: _Optional[str] = ..., limit: _Optional[int] = ..., all: _Optional[bool] = ...) -> None: ...

class FindAddressRequest(_message.Message):
    __slots__ = ("network", "address")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    network: str
    address: str
    def __init__(self, network: _Optional[str] = ..., address: _Optional[str] = ...) -> None: ...

class ValidateAddressRequest(_message.Message):
    __slots__ = ("network", "address")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    network: str
    address: str
    def __init__(self, network: _Optional[str] = ..., address: _Optional[str] = ...) -> None: ...

class GetAccountRequest(_message.Message):
    __slots__ = ("wallet_id", "network", "scheme", "account")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    network: str
    scheme: str
    account: int
    def __init__(self, wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., scheme: _Optional[str] = ..., account: _Optional[int] = ...) -> None: ...

class Address(_message.Message):
    __slots__ = ("wallet_id", "network", "address", "forms", "scheme", "account", "change", "index", "path", "public_key", "label", "external_id", "created_at", "details")
    class FormsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    FORMS_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    network: str
    address: str
    forms: _containers.ScalarMap[str, str]
    scheme: str
    account: int
    change: int
    index: int
    path: str
    public_key: str
    label: str
    external_id: str
    created_at: _timestamp_pb2.Timestamp
    details: JsonDocument
    def __init__(self, wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., address: _Optional[str] = ..., forms: _Optional[_Mapping[str, str]] = ..., scheme: _Optional[str] = ..., account: _Optional[int] = ..., change: _Optional[int] = ..., index: _Optional[int] = ..., path: _Optional[str] = ..., public_key: _Optional[str] = ..., label: _Optional[str] = ..., external_id: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., details: _Optional[_Union[JsonDocument, _Mapping]] = ...) -> None: ...

class AddressPage(_message.Message):
    __slots__ = ("addresses", "next_cursor")
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    addresses: _containers.RepeatedCompositeFieldContainer[Address]
    next_cursor: str
    def __init__(self, addresses: _Optional[_Iterable[_Union[Address, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class FoundAddresses(_message.Message):
    __slots__ = ("addresses",)
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    addresses: _containers.RepeatedCompositeFieldContainer[Address]
    def __init__(self, addresses: _Optional[_Iterable[_Union[Address, _Mapping]]] = ...) -> None: ...

class AddressValidity(_message.Message):
    __slots__ = ("valid", "reason", "address", "forms", "kind", "details")
    class FormsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    VALID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    FORMS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    valid: bool
    reason: str
    address: str
    forms: _containers.ScalarMap[str, str]
    kind: str
    details: JsonDocument
    def __init__(self, valid: _Optional[bool] = ..., reason: _Optional[str] = ..., address: _Optional[str] = ..., forms: _Optional[_Mapping[str, str]] = ..., kind: _Optional[str] = ..., details: _Optional[_Union[JsonDocument, _Mapping]] = ...) -> None: ...

class Account(_message.Message):
    __slots__ = ("wallet_id", "network", "scheme", "account", "path", "extended_public_key", "master_fingerprint", "next_index", "slip132", "descriptor")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    EXTENDED_PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    MASTER_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    NEXT_INDEX_FIELD_NUMBER: _ClassVar[int]
    SLIP132_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTOR_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    network: str
    scheme: str
    account: int
    path: str
    extended_public_key: str
    master_fingerprint: str
    next_index: int
    slip132: str
    descriptor: str
    def __init__(self, wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., scheme: _Optional[str] = ..., account: _Optional[int] = ..., path: _Optional[str] = ..., extended_public_key: _Optional[str] = ..., master_fingerprint: _Optional[str] = ..., next_index: _Optional[int] = ..., slip132: _Optional[str] = ..., descriptor: _Optional[str] = ...) -> None: ...

class SignTransactionRequest(_message.Message):
    __slots__ = ("wallet_id", "network", "unsigned_tx", "scheme", "account", "change", "index", "path", "address", "options", "broadcast")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    UNSIGNED_TX_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    BROADCAST_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    network: str
    unsigned_tx: UnsignedTransaction
    scheme: str
    account: int
    change: int
    index: int
    path: str
    address: str
    options: SignOptions
    broadcast: bool
    def __init__(self, wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., unsigned_tx: _Optional[_Union[UnsignedTransaction, _Mapping]] = ..., scheme: _Optional[str] = ..., account: _Optional[int] = ..., change: _Optional[int] = ..., index: _Optional[int] = ..., path: _Optional[str] = ..., address: _Optional[str] = ..., options: _Optional[_Union[SignOptions, _Mapping]] = ..., broadcast: _Optional[bool] = ...) -> None: ...

class SignTransactionsRequest(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[SignItem]
    def __init__(self, items: _Optional[_Iterable[_Union[SignItem, _Mapping]]] = ...) -> None: ...

class SignItem(_message.Message):
    __slots__ = ("wallet_id", "network", "unsigned_tx", "scheme", "account", "change", "index", "path", "address", "options", "broadcast", "ref")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    UNSIGNED_TX_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    BROADCAST_FIELD_NUMBER: _ClassVar[int]
    REF_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    network: str
    unsigned_tx: UnsignedTransaction
    scheme: str
    account: int
    change: int
    index: int
    path: str
    address: str
    options: SignOptions
    broadcast: bool
    ref: str
    def __init__(self, wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., unsigned_tx: _Optional[_Union[UnsignedTransaction, _Mapping]] = ..., scheme: _Optional[str] = ..., account: _Optional[int] = ..., change: _Optional[int] = ..., index: _Optional[int] = ..., path: _Optional[str] = ..., address: _Optional[str] = ..., options: _Optional[_Union[SignOptions, _Mapping]] = ..., broadcast: _Optional[bool] = ..., ref: _Optional[str] = ...) -> None: ...

class SignedTransactions(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[SignResult]
    def __init__(self, results: _Optional[_Iterable[_Union[SignResult, _Mapping]]] = ...) -> None: ...

class SignResult(_message.Message):
    __slots__ = ("ref", "status", "result", "error")
    REF_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ref: str
    status: str
    result: SignedTransaction
    error: ItemProblem
    def __init__(self, ref: _Optional[str] = ..., status: _Optional[str] = ..., result: _Optional[_Union[SignedTransaction, _Mapping]] = ..., error: _Optional[_Union[ItemProblem, _Mapping]] = ...) -> None: ...

class SignOptions(_message.Message):
    __slots__ = ("replaces", "allow_resign", "allow_pre155", "allowed_sighashes", "allow")
    REPLACES_FIELD_NUMBER: _ClassVar[int]
    ALLOW_RESIGN_FIELD_NUMBER: _ClassVar[int]
    ALLOW_PRE155_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_SIGHASHES_FIELD_NUMBER: _ClassVar[int]
    ALLOW_FIELD_NUMBER: _ClassVar[int]
    replaces: str
    allow_resign: bool
    allow_pre155: bool
    allowed_sighashes: _containers.RepeatedScalarFieldContainer[str]
    allow: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, replaces: _Optional[str] = ..., allow_resign: _Optional[bool] = ..., allow_pre155: _Optional[bool] = ..., allowed_sighashes: _Optional[_Iterable[str]] = ..., allow: _Optional[_Iterable[str]] = ...) -> None: ...

class DecodeTransactionRequest(_message.Message):
    __slots__ = ("network", "unsigned_tx")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    UNSIGNED_TX_FIELD_NUMBER: _ClassVar[int]
    network: str
    unsigned_tx: UnsignedTransaction
    def __init__(self, network: _Optional[str] = ..., unsigned_tx: _Optional[_Union[UnsignedTransaction, _Mapping]] = ...) -> None: ...

class SignedTransaction(_message.Message):
    __slots__ = ("wallet_id", "network", "signed_tx", "tx_id", "complete", "summary", "warnings", "details", "broadcast")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    SIGNED_TX_FIELD_NUMBER: _ClassVar[int]
    TX_ID_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    BROADCAST_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    network: str
    signed_tx: str
    tx_id: str
    complete: bool
    summary: Summary
    warnings: _containers.RepeatedCompositeFieldContainer[Caution]
    details: JsonDocument
    broadcast: Broadcast
    def __init__(self, wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., signed_tx: _Optional[str] = ..., tx_id: _Optional[str] = ..., complete: _Optional[bool] = ..., summary: _Optional[_Union[Summary, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[Caution, _Mapping]]] = ..., details: _Optional[_Union[JsonDocument, _Mapping]] = ..., broadcast: _Optional[_Union[Broadcast, _Mapping]] = ...) -> None: ...

class DecodedTransaction(_message.Message):
    __slots__ = ("network", "summary", "warnings")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    network: str
    summary: Summary
    warnings: _containers.RepeatedCompositeFieldContainer[Caution]
    def __init__(self, network: _Optional[str] = ..., summary: _Optional[_Union[Summary, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[Caution, _Mapping]]] = ...) -> None: ...

class SignMessageRequest(_message.Message):
    __slots__ = ("wallet_id", "network", "format", "message", "encoding", "scheme", "account", "change", "index", "path", "address", "domain", "timestamp", "payload")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    network: str
    format: str
    message: str
    encoding: str
    scheme: str
    account: int
    change: int
    index: int
    path: str
    address: str
    domain: str
    timestamp: int
    payload: StatementPayload
    def __init__(self, wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., format: _Optional[str] = ..., message: _Optional[str] = ..., encoding: _Optional[str] = ..., scheme: _Optional[str] = ..., account: _Optional[int] = ..., change: _Optional[int] = ..., index: _Optional[int] = ..., path: _Optional[str] = ..., address: _Optional[str] = ..., domain: _Optional[str] = ..., timestamp: _Optional[int] = ..., payload: _Optional[_Union[StatementPayload, _Mapping]] = ...) -> None: ...

class SignTypedDataRequest(_message.Message):
    __slots__ = ("wallet_id", "network", "typed_data", "scheme", "account", "change", "index", "path", "address")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    TYPED_DATA_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    network: str
    typed_data: JsonDocument
    scheme: str
    account: int
    change: int
    index: int
    path: str
    address: str
    def __init__(self, wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., typed_data: _Optional[_Union[JsonDocument, _Mapping]] = ..., scheme: _Optional[str] = ..., account: _Optional[int] = ..., change: _Optional[int] = ..., index: _Optional[int] = ..., path: _Optional[str] = ..., address: _Optional[str] = ...) -> None: ...

class SignAuthorizationRequest(_message.Message):
    __slots__ = ("wallet_id", "network", "chain_id", "contract", "nonce", "scheme", "account", "change", "index", "path", "address", "allow_resign")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    CHAIN_ID_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_RESIGN_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    network: str
    chain_id: str
    contract: str
    nonce: str
    scheme: str
    account: int
    change: int
    index: int
    path: str
    address: str
    allow_resign: bool
    def __init__(self, wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., chain_id: _Optional[str] = ..., contract: _Optional[str] = ..., nonce: _Optional[str] = ..., scheme: _Optional[str] = ..., account: _Optional[int] = ..., change: _Optional[int] = ..., index: _Optional[int] = ..., path: _Optional[str] = ..., address: _Optional[str] = ..., allow_resign: _Optional[bool] = ...) -> None: ...

class VerifyMessageRequest(_message.Message):
    __slots__ = ("network", "format", "message", "encoding", "signature", "address", "domain", "timestamp", "payload", "public_key")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    network: str
    format: str
    message: str
    encoding: str
    signature: str
    address: str
    domain: str
    timestamp: int
    payload: StatementPayload
    public_key: str
    def __init__(self, network: _Optional[str] = ..., format: _Optional[str] = ..., message: _Optional[str] = ..., encoding: _Optional[str] = ..., signature: _Optional[str] = ..., address: _Optional[str] = ..., domain: _Optional[str] = ..., timestamp: _Optional[int] = ..., payload: _Optional[_Union[StatementPayload, _Mapping]] = ..., public_key: _Optional[str] = ...) -> None: ...

class VerifyTypedDataRequest(_message.Message):
    __slots__ = ("network", "typed_data", "signature", "address")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    TYPED_DATA_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    network: str
    typed_data: JsonDocument
    signature: str
    address: str
    def __init__(self, network: _Optional[str] = ..., typed_data: _Optional[_Union[JsonDocument, _Mapping]] = ..., signature: _Optional[str] = ..., address: _Optional[str] = ...) -> None: ...

class SignedMessage(_message.Message):
    __slots__ = ("wallet_id", "network", "address", "format", "signature", "digest", "summary", "warnings", "details")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    network: str
    address: str
    format: str
    signature: str
    digest: str
    summary: Summary
    warnings: _containers.RepeatedCompositeFieldContainer[Caution]
    details: JsonDocument
    def __init__(self, wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., address: _Optional[str] = ..., format: _Optional[str] = ..., signature: _Optional[str] = ..., digest: _Optional[str] = ..., summary: _Optional[_Union[Summary, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[Caution, _Mapping]]] = ..., details: _Optional[_Union[JsonDocument, _Mapping]] = ...) -> None: ...

class Verification(_message.Message):
    __slots__ = ("valid",)
    VALID_FIELD_NUMBER: _ClassVar[int]
    valid: bool
    def __init__(self, valid: _Optional[bool] = ...) -> None: ...

class GetWalletBalancesRequest(_message.Message):
    __slots__ = ("wallet_id", "network", "tokens", "detail", "fresh", "cursor")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    FRESH_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    network: str
    tokens: str
    detail: str
    fresh: bool
    cursor: str
    def __init__(self, wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., tokens: _Optional[str] = ..., detail: _Optional[str] = ..., fresh: _Optional[bool] = ..., cursor: _Optional[str] = ...) -> None: ...

class GetAddressBalancesRequest(_message.Message):
    __slots__ = ("network", "address", "tokens", "fresh")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    FRESH_FIELD_NUMBER: _ClassVar[int]
    network: str
    address: str
    tokens: str
    fresh: bool
    def __init__(self, network: _Optional[str] = ..., address: _Optional[str] = ..., tokens: _Optional[str] = ..., fresh: _Optional[bool] = ...) -> None: ...

class Balances(_message.Message):
    __slots__ = ("network", "balances", "addresses", "address_count", "as_of", "source", "stale", "unreadable", "next_cursor", "unseen")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    BALANCES_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_COUNT_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    UNREADABLE_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    UNSEEN_FIELD_NUMBER: _ClassVar[int]
    network: str
    balances: _containers.RepeatedCompositeFieldContainer[Balance]
    addresses: _containers.RepeatedCompositeFieldContainer[AddressBalance]
    address_count: int
    as_of: AsOf
    source: str
    stale: bool
    unreadable: _containers.RepeatedScalarFieldContainer[str]
    next_cursor: str
    unseen: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, network: _Optional[str] = ..., balances: _Optional[_Iterable[_Union[Balance, _Mapping]]] = ..., addresses: _Optional[_Iterable[_Union[AddressBalance, _Mapping]]] = ..., address_count: _Optional[int] = ..., as_of: _Optional[_Union[AsOf, _Mapping]] = ..., source: _Optional[str] = ..., stale: _Optional[bool] = ..., unreadable: _Optional[_Iterable[str]] = ..., next_cursor: _Optional[str] = ..., unseen: _Optional[_Iterable[str]] = ...) -> None: ...

class Balance(_message.Message):
    __slots__ = ("asset", "symbol", "decimals", "contract", "listed", "confirmed", "pending", "spendable", "immature", "details", "adjusted")
    ASSET_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    DECIMALS_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    LISTED_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    SPENDABLE_FIELD_NUMBER: _ClassVar[int]
    IMMATURE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    ADJUSTED_FIELD_NUMBER: _ClassVar[int]
    asset: str
    symbol: str
    decimals: int
    contract: str
    listed: bool
    confirmed: str
    pending: str
    spendable: str
    immature: str
    details: JsonDocument
    adjusted: bool
    def __init__(self, asset: _Optional[str] = ..., symbol: _Optional[str] = ..., decimals: _Optional[int] = ..., contract: _Optional[str] = ..., listed: _Optional[bool] = ..., confirmed: _Optional[str] = ..., pending: _Optional[str] = ..., spendable: _Optional[str] = ..., immature: _Optional[str] = ..., details: _Optional[_Union[JsonDocument, _Mapping]] = ..., adjusted: _Optional[bool] = ...) -> None: ...

class AddressBalance(_message.Message):
    __slots__ = ("address", "balances")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    BALANCES_FIELD_NUMBER: _ClassVar[int]
    address: str
    balances: _containers.RepeatedCompositeFieldContainer[Balance]
    def __init__(self, address: _Optional[str] = ..., balances: _Optional[_Iterable[_Union[Balance, _Mapping]]] = ...) -> None: ...

class AsOf(_message.Message):
    __slots__ = ("height", "hash", "time", "finalized")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    FINALIZED_FIELD_NUMBER: _ClassVar[int]
    height: int
    hash: str
    time: _timestamp_pb2.Timestamp
    finalized: int
    def __init__(self, height: _Optional[int] = ..., hash: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finalized: _Optional[int] = ...) -> None: ...

class ListWalletTransactionsRequest(_message.Message):
    __slots__ = ("wallet_id", "network", "address", "cursor", "limit")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    network: str
    address: str
    cursor: str
    limit: int
    def __init__(self, wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., address: _Optional[str] = ..., cursor: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListAddressTransactionsRequest(_message.Message):
    __slots__ = ("network", "address", "cursor", "limit")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    network: str
    address: str
    cursor: str
    limit: int
    def __init__(self, network: _Optional[str] = ..., address: _Optional[str] = ..., cursor: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class HistoryPage(_message.Message):
    __slots__ = ("network", "entries", "cannot_see", "indexed", "sources", "next_cursor")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    CANNOT_SEE_FIELD_NUMBER: _ClassVar[int]
    INDEXED_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    network: str
    entries: _containers.RepeatedCompositeFieldContainer[HistoryEntry]
    cannot_see: _containers.RepeatedScalarFieldContainer[str]
    indexed: int
    sources: _containers.RepeatedScalarFieldContainer[str]
    next_cursor: str
    def __init__(self, network: _Optional[str] = ..., entries: _Optional[_Iterable[_Union[HistoryEntry, _Mapping]]] = ..., cannot_see: _Optional[_Iterable[str]] = ..., indexed: _Optional[int] = ..., sources: _Optional[_Iterable[str]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class HistoryEntry(_message.Message):
    __slots__ = ("tx_id", "index", "address", "direction", "asset", "symbol", "decimals", "listed", "amount", "counterparty", "fee", "status", "block", "kind", "note")
    TX_ID_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    ASSET_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    DECIMALS_FIELD_NUMBER: _ClassVar[int]
    LISTED_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    COUNTERPARTY_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    tx_id: str
    index: str
    address: str
    direction: str
    asset: str
    symbol: str
    decimals: int
    listed: bool
    amount: str
    counterparty: str
    fee: str
    status: str
    block: Block
    kind: str
    note: str
    def __init__(self, tx_id: _Optional[str] = ..., index: _Optional[str] = ..., address: _Optional[str] = ..., direction: _Optional[str] = ..., asset: _Optional[str] = ..., symbol: _Optional[str] = ..., decimals: _Optional[int] = ..., listed: _Optional[bool] = ..., amount: _Optional[str] = ..., counterparty: _Optional[str] = ..., fee: _Optional[str] = ..., status: _Optional[str] = ..., block: _Optional[_Union[Block, _Mapping]] = ..., kind: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class Block(_message.Message):
    __slots__ = ("height", "hash", "time")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    height: int
    hash: str
    time: _timestamp_pb2.Timestamp
    def __init__(self, height: _Optional[int] = ..., hash: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetTransactionRequest(_message.Message):
    __slots__ = ("network", "tx_id")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    TX_ID_FIELD_NUMBER: _ClassVar[int]
    network: str
    tx_id: str
    def __init__(self, network: _Optional[str] = ..., tx_id: _Optional[str] = ...) -> None: ...

class TransactionState(_message.Message):
    __slots__ = ("network", "tx_id", "state", "final", "block", "confirmations", "fee", "replaced_by", "rejected", "may_still_execute_until", "source")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    TX_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    CONFIRMATIONS_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    REPLACED_BY_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    MAY_STILL_EXECUTE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    network: str
    tx_id: str
    state: str
    final: bool
    block: Block
    confirmations: int
    fee: str
    replaced_by: str
    rejected: str
    may_still_execute_until: _timestamp_pb2.Timestamp
    source: str
    def __init__(self, network: _Optional[str] = ..., tx_id: _Optional[str] = ..., state: _Optional[str] = ..., final: _Optional[bool] = ..., block: _Optional[_Union[Block, _Mapping]] = ..., confirmations: _Optional[int] = ..., fee: _Optional[str] = ..., replaced_by: _Optional[str] = ..., rejected: _Optional[str] = ..., may_still_execute_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., source: _Optional[str] = ...) -> None: ...

class BroadcastTransactionRequest(_message.Message):
    __slots__ = ("network", "signed_tx")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    SIGNED_TX_FIELD_NUMBER: _ClassVar[int]
    network: str
    signed_tx: str
    def __init__(self, network: _Optional[str] = ..., signed_tx: _Optional[str] = ...) -> None: ...

class Broadcast(_message.Message):
    __slots__ = ("network", "tx_id", "state", "rejected", "already_known", "source")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    TX_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    ALREADY_KNOWN_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    network: str
    tx_id: str
    state: str
    rejected: str
    already_known: bool
    source: str
    def __init__(self, network: _Optional[str] = ..., tx_id: _Optional[str] = ..., state: _Optional[str] = ..., rejected: _Optional[str] = ..., already_known: _Optional[bool] = ..., source: _Optional[str] = ...) -> None: ...

class SuggestFeesRequest(_message.Message):
    __slots__ = ("network",)
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    network: str
    def __init__(self, network: _Optional[str] = ...) -> None: ...

class Fees(_message.Message):
    __slots__ = ("network", "slow", "normal", "fast", "unit", "quality", "details", "clamped", "source")
    class DetailsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    SLOW_FIELD_NUMBER: _ClassVar[int]
    NORMAL_FIELD_NUMBER: _ClassVar[int]
    FAST_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    CLAMPED_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    network: str
    slow: str
    normal: str
    fast: str
    unit: str
    quality: str
    details: _containers.ScalarMap[str, str]
    clamped: bool
    source: str
    def __init__(self, network: _Optional[str] = ..., slow: _Optional[str] = ..., normal: _Optional[str] = ..., fast: _Optional[str] = ..., unit: _Optional[str] = ..., quality: _Optional[str] = ..., details: _Optional[_Mapping[str, str]] = ..., clamped: _Optional[bool] = ..., source: _Optional[str] = ...) -> None: ...

class GetHeadRequest(_message.Message):
    __slots__ = ("network",)
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    network: str
    def __init__(self, network: _Optional[str] = ...) -> None: ...

class Head(_message.Message):
    __slots__ = ("height", "hash", "time", "finalized", "network")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    FINALIZED_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    height: int
    hash: str
    time: _timestamp_pb2.Timestamp
    finalized: int
    network: str
    def __init__(self, height: _Optional[int] = ..., hash: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finalized: _Optional[int] = ..., network: _Optional[str] = ...) -> None: ...

class ListNetworksRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class NetworkList(_message.Message):
    __slots__ = ("networks",)
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    networks: _containers.RepeatedCompositeFieldContainer[Network]
    def __init__(self, networks: _Optional[_Iterable[_Union[Network, _Mapping]]] = ...) -> None: ...

class Network(_message.Message):
    __slots__ = ("name", "chain", "keyspace", "caip2", "chain_id", "symbol", "decimals", "testnet", "aliases", "schemes", "limits")
    class LimitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Limit
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Limit, _Mapping]] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    KEYSPACE_FIELD_NUMBER: _ClassVar[int]
    CAIP2_FIELD_NUMBER: _ClassVar[int]
    CHAIN_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    DECIMALS_FIELD_NUMBER: _ClassVar[int]
    TESTNET_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    SCHEMES_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    name: str
    chain: str
    keyspace: str
    caip2: str
    chain_id: int
    symbol: str
    decimals: int
    testnet: bool
    aliases: _containers.RepeatedScalarFieldContainer[str]
    schemes: _containers.RepeatedCompositeFieldContainer[Scheme]
    limits: _containers.MessageMap[str, Limit]
    def __init__(self, name: _Optional[str] = ..., chain: _Optional[str] = ..., keyspace: _Optional[str] = ..., caip2: _Optional[str] = ..., chain_id: _Optional[int] = ..., symbol: _Optional[str] = ..., decimals: _Optional[int] = ..., testnet: _Optional[bool] = ..., aliases: _Optional[_Iterable[str]] = ..., schemes: _Optional[_Iterable[_Union[Scheme, _Mapping]]] = ..., limits: _Optional[_Mapping[str, Limit]] = ...) -> None: ...

class Limit(_message.Message):
    __slots__ = ("value",)
    VALUE_FIELD_NUMBER: _ClassVar[int]
    value: str
    def __init__(self, value: _Optional[str] = ...) -> None: ...

class Scheme(_message.Message):
    __slots__ = ("name", "template", "default", "kinds", "description")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    template: str
    default: bool
    kinds: _containers.RepeatedScalarFieldContainer[str]
    description: str
    def __init__(self, name: _Optional[str] = ..., template: _Optional[str] = ..., default: _Optional[bool] = ..., kinds: _Optional[_Iterable[str]] = ..., description: _Optional[str] = ...) -> None: ...

class CreateApiKeyRequest(_message.Message):
    __slots__ = ("name", "scopes", "expires_at", "restriction")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    RESTRICTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    expires_at: _timestamp_pb2.Timestamp
    restriction: Restriction
    def __init__(self, name: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., restriction: _Optional[_Union[Restriction, _Mapping]] = ...) -> None: ...

class Restriction(_message.Message):
    __slots__ = ("networks", "wallets", "client_networks", "rates", "unknown_calls", "max_values")
    class RatesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class MaxValuesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    WALLETS_FIELD_NUMBER: _ClassVar[int]
    CLIENT_NETWORKS_FIELD_NUMBER: _ClassVar[int]
    RATES_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_CALLS_FIELD_NUMBER: _ClassVar[int]
    MAX_VALUES_FIELD_NUMBER: _ClassVar[int]
    networks: _containers.RepeatedScalarFieldContainer[str]
    wallets: _containers.RepeatedScalarFieldContainer[str]
    client_networks: _containers.RepeatedScalarFieldContainer[str]
    rates: _containers.ScalarMap[str, str]
    unknown_calls: str
    max_values: _containers.ScalarMap[str, str]
    def __init__(self, networks: _Optional[_Iterable[str]] = ..., wallets: _Optional[_Iterable[str]] = ..., client_networks: _Optional[_Iterable[str]] = ..., rates: _Optional[_Mapping[str, str]] = ..., unknown_calls: _Optional[str] = ..., max_values: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ListApiKeysRequest(_message.Message):
    __slots__ = ("cursor", "limit")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    limit: int
    def __init__(self, cursor: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class RevokeApiKeyRequest(_message.Message):
    __slots__ = ("key_id",)
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    def __init__(self, key_id: _Optional[str] = ...) -> None: ...

class ApiKey(_message.Message):
    __slots__ = ("id", "name", "scopes", "created_at", "expires_at", "revoked_at", "made_by", "restriction")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    REVOKED_AT_FIELD_NUMBER: _ClassVar[int]
    MADE_BY_FIELD_NUMBER: _ClassVar[int]
    RESTRICTION_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    revoked_at: _timestamp_pb2.Timestamp
    made_by: str
    restriction: Restriction
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revoked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., made_by: _Optional[str] = ..., restriction: _Optional[_Union[Restriction, _Mapping]] = ...) -> None: ...

class CreatedApiKey(_message.Message):
    __slots__ = ("id", "name", "scopes", "created_at", "expires_at", "revoked_at", "api_key", "made_by", "restriction")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    REVOKED_AT_FIELD_NUMBER: _ClassVar[int]
    API_KEY_FIELD_NUMBER: _ClassVar[int]
    MADE_BY_FIELD_NUMBER: _ClassVar[int]
    RESTRICTION_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    revoked_at: _timestamp_pb2.Timestamp
    api_key: str
    made_by: str
    restriction: Restriction
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revoked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., api_key: _Optional[str] = ..., made_by: _Optional[str] = ..., restriction: _Optional[_Union[Restriction, _Mapping]] = ...) -> None: ...

class ApiKeyPage(_message.Message):
    __slots__ = ("api_keys", "next_cursor")
    API_KEYS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    api_keys: _containers.RepeatedCompositeFieldContainer[ApiKey]
    next_cursor: str
    def __init__(self, api_keys: _Optional[_Iterable[_Union[ApiKey, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class RevokeRequest(_message.Message):
    __slots__ = ("issuer", "subject", "token_id", "principal_id", "reason")
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    issuer: str
    subject: str
    token_id: str
    principal_id: str
    reason: str
    def __init__(self, issuer: _Optional[str] = ..., subject: _Optional[str] = ..., token_id: _Optional[str] = ..., principal_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ListRevocationsRequest(_message.Message):
    __slots__ = ("cursor", "limit")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    limit: int
    def __init__(self, cursor: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class LiftRevocationRequest(_message.Message):
    __slots__ = ("revocation_id",)
    REVOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    revocation_id: str
    def __init__(self, revocation_id: _Optional[str] = ...) -> None: ...

class Revocation(_message.Message):
    __slots__ = ("id", "kind", "issuer", "value", "principal_id", "reason", "revoked_by", "created_at", "lifted_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REVOKED_BY_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    LIFTED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: str
    issuer: str
    value: str
    principal_id: str
    reason: str
    revoked_by: str
    created_at: _timestamp_pb2.Timestamp
    lifted_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[str] = ..., issuer: _Optional[str] = ..., value: _Optional[str] = ..., principal_id: _Optional[str] = ..., reason: _Optional[str] = ..., revoked_by: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lifted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RevocationPage(_message.Message):
    __slots__ = ("revocations", "next_cursor")
    REVOCATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    revocations: _containers.RepeatedCompositeFieldContainer[Revocation]
    next_cursor: str
    def __init__(self, revocations: _Optional[_Iterable[_Union[Revocation, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class GetClientNetworksRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SetClientNetworksRequest(_message.Message):
    __slots__ = ("networks", "force")
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    networks: _containers.RepeatedScalarFieldContainer[str]
    force: bool
    def __init__(self, networks: _Optional[_Iterable[str]] = ..., force: _Optional[bool] = ...) -> None: ...

class ClientNetworks(_message.Message):
    __slots__ = ("networks", "changed_at", "changed_by")
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_BY_FIELD_NUMBER: _ClassVar[int]
    networks: _containers.RepeatedScalarFieldContainer[str]
    changed_at: _timestamp_pb2.Timestamp
    changed_by: str
    def __init__(self, networks: _Optional[_Iterable[str]] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., changed_by: _Optional[str] = ...) -> None: ...

class ListAuditRequest(_message.Message):
    __slots__ = ("wallet_id", "operation", "operation_id", "outcome", "cursor", "limit")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    OPERATION_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    operation: str
    operation_id: str
    outcome: str
    cursor: str
    limit: int
    def __init__(self, wallet_id: _Optional[str] = ..., operation: _Optional[str] = ..., operation_id: _Optional[str] = ..., outcome: _Optional[str] = ..., cursor: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class AuditPage(_message.Message):
    __slots__ = ("records", "next_cursor")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[AuditRecord]
    next_cursor: str
    def __init__(self, records: _Optional[_Iterable[_Union[AuditRecord, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class AuditRecord(_message.Message):
    __slots__ = ("writer_id", "sequence", "at", "principal_id", "operation", "operation_id", "outcome", "wallet_id", "network", "request_id", "client", "details")
    WRITER_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_ID_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    OPERATION_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    writer_id: str
    sequence: int
    at: _timestamp_pb2.Timestamp
    principal_id: str
    operation: str
    operation_id: str
    outcome: str
    wallet_id: str
    network: str
    request_id: str
    client: str
    details: JsonDocument
    def __init__(self, writer_id: _Optional[str] = ..., sequence: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., principal_id: _Optional[str] = ..., operation: _Optional[str] = ..., operation_id: _Optional[str] = ..., outcome: _Optional[str] = ..., wallet_id: _Optional[str] = ..., network: _Optional[str] = ..., request_id: _Optional[str] = ..., client: _Optional[str] = ..., details: _Optional[_Union[JsonDocument, _Mapping]] = ...) -> None: ...

class ListTasksRequest(_message.Message):
    __slots__ = ("kind", "cursor", "limit")
    KIND_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    kind: str
    cursor: str
    limit: int
    def __init__(self, kind: _Optional[str] = ..., cursor: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class TaskPage(_message.Message):
    __slots__ = ("tasks", "next_cursor")
    TASKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[Task]
    next_cursor: str
    def __init__(self, tasks: _Optional[_Iterable[_Union[Task, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class RetryTaskRequest(_message.Message):
    __slots__ = ("kind", "key")
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    kind: str
    key: str
    def __init__(self, kind: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class CancelTaskRequest(_message.Message):
    __slots__ = ("kind", "key")
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    kind: str
    key: str
    def __init__(self, kind: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class Task(_message.Message):
    __slots__ = ("kind", "key", "of_service", "state", "due_at", "lease_until", "attempts", "last_error", "created_at")
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    OF_SERVICE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    LEASE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    kind: str
    key: str
    of_service: bool
    state: str
    due_at: _timestamp_pb2.Timestamp
    lease_until: _timestamp_pb2.Timestamp
    attempts: int
    last_error: str
    created_at: _timestamp_pb2.Timestamp
    def __init__(self, kind: _Optional[str] = ..., key: _Optional[str] = ..., of_service: _Optional[bool] = ..., state: _Optional[str] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lease_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attempts: _Optional[int] = ..., last_error: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListAlertsRequest(_message.Message):
    __slots__ = ("state", "cursor", "limit")
    STATE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    state: str
    cursor: str
    limit: int
    def __init__(self, state: _Optional[str] = ..., cursor: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class AlertPage(_message.Message):
    __slots__ = ("alerts", "next_cursor")
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    alerts: _containers.RepeatedCompositeFieldContainer[Alert]
    next_cursor: str
    def __init__(self, alerts: _Optional[_Iterable[_Union[Alert, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class ListNotificationsRequest(_message.Message):
    __slots__ = ("cursor", "limit")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    limit: int
    def __init__(self, cursor: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class NotificationPage(_message.Message):
    __slots__ = ("notifications", "next_cursor")
    NOTIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    notifications: _containers.RepeatedCompositeFieldContainer[Notification]
    next_cursor: str
    def __init__(self, notifications: _Optional[_Iterable[_Union[Notification, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class SilenceAlertRequest(_message.Message):
    __slots__ = ("rule", "subject", "seconds")
    RULE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    rule: str
    subject: str
    seconds: int
    def __init__(self, rule: _Optional[str] = ..., subject: _Optional[str] = ..., seconds: _Optional[int] = ...) -> None: ...

class Silence(_message.Message):
    __slots__ = ("rule", "subject", "until")
    RULE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    rule: str
    subject: str
    until: _timestamp_pb2.Timestamp
    def __init__(self, rule: _Optional[str] = ..., subject: _Optional[str] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SendTestAlertRequest(_message.Message):
    __slots__ = ("channel", "severity")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    channel: str
    severity: str
    def __init__(self, channel: _Optional[str] = ..., severity: _Optional[str] = ...) -> None: ...

class SentTest(_message.Message):
    __slots__ = ("notifications",)
    NOTIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    notifications: _containers.RepeatedCompositeFieldContainer[Notification]
    def __init__(self, notifications: _Optional[_Iterable[_Union[Notification, _Mapping]]] = ...) -> None: ...

class Alert(_message.Message):
    __slots__ = ("rule", "subject", "of_service", "severity", "title", "state", "since", "seen_at", "ended_at", "told_at", "silenced_until", "facts", "runbook")
    class FactsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    RULE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    OF_SERVICE_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    TOLD_AT_FIELD_NUMBER: _ClassVar[int]
    SILENCED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    RUNBOOK_FIELD_NUMBER: _ClassVar[int]
    rule: str
    subject: str
    of_service: bool
    severity: str
    title: str
    state: str
    since: _timestamp_pb2.Timestamp
    seen_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    told_at: _timestamp_pb2.Timestamp
    silenced_until: _timestamp_pb2.Timestamp
    facts: _containers.ScalarMap[str, str]
    runbook: str
    def __init__(self, rule: _Optional[str] = ..., subject: _Optional[str] = ..., of_service: _Optional[bool] = ..., severity: _Optional[str] = ..., title: _Optional[str] = ..., state: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., told_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., silenced_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., facts: _Optional[_Mapping[str, str]] = ..., runbook: _Optional[str] = ...) -> None: ...

class Notification(_message.Message):
    __slots__ = ("id", "channel", "message", "rule", "subject", "severity", "state", "error", "created_at", "ended_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    channel: str
    message: str
    rule: str
    subject: str
    severity: str
    state: str
    error: str
    created_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., channel: _Optional[str] = ..., message: _Optional[str] = ..., rule: _Optional[str] = ..., subject: _Optional[str] = ..., severity: _Optional[str] = ..., state: _Optional[str] = ..., error: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

"""The numbers, names and fields of the contracts that are signed (tronprotocol/protocol, core/contract/*.proto).

All others are refused, because a contract that cannot be shown field by field is not signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from strongroom.chains.tron.wire import Field, Form

TYPE_URL: Final = "type.googleapis.com/protocol."
RESOURCES: Final = ("BANDWIDTH", "ENERGY", "TRON_POWER")
ACCOUNT_TYPES: Final = ("Normal", "AssetIssue", "Contract")
PERMISSION_TYPES: Final = ("Owner", "Witness", "Active")

_OWNER: Final = Field(1, "owner_address", Form.ADDRESS)
_VOTE: Final = (Field(1, "vote_address", Form.ADDRESS), Field(2, "vote_count", Form.INT64))
_KEY: Final = (Field(1, "address", Form.ADDRESS), Field(2, "weight", Form.INT64))
_PERMISSION: Final = (
    Field(1, "type", Form.ENUM, names=PERMISSION_TYPES),
    Field(2, "id", Form.INT32),
    Field(3, "permission_name", Form.TEXT),
    Field(4, "threshold", Form.INT64),
    Field(5, "parent_id", Form.INT32),
    Field(6, "operations", Form.BYTES),
    Field(7, "keys", Form.MESSAGE, fields=_KEY, repeated=True),
)


def _resource(number: int) -> Field:
    return Field(number, "resource", Form.ENUM, names=RESOURCES)


@dataclass(frozen=True, slots=True)
class Contract:
    number: int
    name: str
    """The ``type`` in the JSON form."""
    fields: tuple[Field, ...]

    @property
    def type_url(self) -> str:
        return TYPE_URL + self.name


ACCOUNT_CREATE: Final = Contract(
    0,
    "AccountCreateContract",
    (_OWNER, Field(2, "account_address", Form.ADDRESS), Field(3, "type", Form.ENUM, names=ACCOUNT_TYPES)),
)
TRANSFER: Final = Contract(
    1, "TransferContract", (_OWNER, Field(2, "to_address", Form.ADDRESS), Field(3, "amount", Form.INT64))
)
TRANSFER_ASSET: Final = Contract(
    2,
    "TransferAssetContract",
    (
        Field(1, "asset_name", Form.NAME),
        Field(2, "owner_address", Form.ADDRESS),
        Field(3, "to_address", Form.ADDRESS),
        Field(4, "amount", Form.INT64),
    ),
)
VOTE_WITNESS: Final = Contract(
    4,
    "VoteWitnessContract",
    (_OWNER, Field(2, "votes", Form.MESSAGE, fields=_VOTE, repeated=True)),
)
WITHDRAW_BALANCE: Final = Contract(13, "WithdrawBalanceContract", (_OWNER,))
TRIGGER: Final = Contract(
    31,
    "TriggerSmartContract",
    (
        _OWNER,
        Field(2, "contract_address", Form.ADDRESS),
        Field(3, "call_value", Form.INT64),
        Field(4, "data", Form.BYTES),
        Field(5, "call_token_value", Form.INT64),
        Field(6, "token_id", Form.INT64),
    ),
)
PERMISSION_UPDATE: Final = Contract(
    46,
    "AccountPermissionUpdateContract",
    (
        _OWNER,
        Field(2, "owner", Form.MESSAGE, fields=_PERMISSION),
        Field(3, "witness", Form.MESSAGE, fields=_PERMISSION),
        Field(4, "actives", Form.MESSAGE, fields=_PERMISSION, repeated=True),
    ),
)
FREEZE: Final = Contract(54, "FreezeBalanceV2Contract", (_OWNER, Field(2, "frozen_balance", Form.INT64), _resource(3)))
UNFREEZE: Final = Contract(
    55, "UnfreezeBalanceV2Contract", (_OWNER, Field(2, "unfreeze_balance", Form.INT64), _resource(3))
)
WITHDRAW_UNFROZEN: Final = Contract(56, "WithdrawExpireUnfreezeContract", (_OWNER,))
DELEGATE: Final = Contract(
    57,
    "DelegateResourceContract",
    (
        _OWNER,
        _resource(2),
        Field(3, "balance", Form.INT64),
        Field(4, "receiver_address", Form.ADDRESS),
        Field(5, "lock", Form.BOOL),
        Field(6, "lock_period", Form.INT64),
    ),
)
UNDELEGATE: Final = Contract(
    58,
    "UnDelegateResourceContract",
    (_OWNER, _resource(2), Field(3, "balance", Form.INT64), Field(4, "receiver_address", Form.ADDRESS)),
)
CANCEL_UNFREEZE: Final = Contract(59, "CancelAllUnfreezeV2Contract", (_OWNER,))

CONTRACTS: Final = (
    ACCOUNT_CREATE,
    TRANSFER,
    TRANSFER_ASSET,
    VOTE_WITNESS,
    WITHDRAW_BALANCE,
    TRIGGER,
    PERMISSION_UPDATE,
    FREEZE,
    UNFREEZE,
    WITHDRAW_UNFROZEN,
    DELEGATE,
    UNDELEGATE,
    CANCEL_UNFREEZE,
)
BY_NUMBER: Final = {contract.number: contract for contract in CONTRACTS}
BY_NAME: Final = {contract.name: contract for contract in CONTRACTS}

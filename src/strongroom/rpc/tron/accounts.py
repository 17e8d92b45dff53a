"""What an account has, from ``getaccount``. Zeros are left out, and an account that never existed is ``{}``."""

from __future__ import annotations

import msgspec

from strongroom.domain.network import Network
from strongroom.rpc.base import Holder, NodeError, Verdict
from strongroom.rpc.tron import values
from strongroom.rpc.tron.api import Api, Face


class _Frozen(msgspec.Struct, frozen=True):
    frozen_balance: int = 0


class _FrozenV2(msgspec.Struct, frozen=True):
    amount: int = 0


class _Unfrozen(msgspec.Struct, frozen=True):
    unfreeze_amount: int = 0


class _Resource(msgspec.Struct, frozen=True, rename={"lent_v2": "delegated_frozenV2_balance_for_energy"}):
    frozen_balance_for_energy: _Frozen = _Frozen()
    delegated_frozen_balance_for_energy: int = 0
    lent_v2: int = 0


class Account(
    msgspec.Struct,
    frozen=True,
    rename={
        "frozen_v2": "frozenV2",
        "unfrozen_v2": "unfrozenV2",
        "lent": "delegated_frozen_balance_for_bandwidth",
        "lent_v2": "delegated_frozenV2_balance_for_bandwidth",
    },
):
    address: str
    balance: int = 0
    allowance: int = 0
    frozen: list[_Frozen] = []
    frozen_v2: list[_FrozenV2] = []
    unfrozen_v2: list[_Unfrozen] = []
    lent: int = 0
    lent_v2: int = 0
    account_resource: _Resource = _Resource()

    def details(self, network: Network) -> dict[str, int]:
        """What cannot be spent, in sun: frozen for resources (also if delegated), being unfrozen, and rewards not
        withdrawn yet.
        """
        energy = self.account_resource
        frozen = [each.frozen_balance for each in self.frozen] + [each.amount for each in self.frozen_v2]
        frozen += [energy.frozen_balance_for_energy.frozen_balance, energy.delegated_frozen_balance_for_energy]
        frozen += [energy.lent_v2, self.lent, self.lent_v2]
        amounts = {
            "frozen": sum(values.sun(network, each) for each in frozen),
            "unfreezing": sum(values.sun(network, each.unfreeze_amount) for each in self.unfrozen_v2),
            "allowance": self.allowance,
        }
        return {name: values.sun(network, amount) for name, amount in amounts.items() if amount}


async def account(api: Api, face: Face, holder: Holder) -> Account | None:
    address = holder.canonical.hex()
    found = await api.find(face, "getaccount", Account, address=address)
    if found is not None and found.address != address:
        raise NodeError(Verdict.LYING, "other_account")
    return found

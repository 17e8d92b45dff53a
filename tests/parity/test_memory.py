"""What one process remembers never overrides what another one has stored."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from strongroom.domain.wallet import SealedSecret, Wallet, WalletState
from strongroom.storage.base import Change, Unit
from tests.support.service import TENANT, Outcome, RunningService

SIGN: dict[str, Any] = {"network": "ethereum", "format": "eip191", "message": "hello", "encoding": "text"}
DERIVE: dict[str, Any] = {"network": "ethereum", "scheme": "ledger-live", "index": 7}
NEXT: dict[str, Any] = {"network": "ethereum"}
OPENING = {"messages.sign": SIGN, "addresses.derive": DERIVE, "addresses.next": NEXT}


async def used_wallet(service: RunningService) -> str:
    made = await service.http.call("wallets.create", {"words": 12, "networks": ["ethereum"]}, key=service.key)
    signed = await service.grpc.call("messages.sign", {"wallet_id": made.result["id"], **SIGN}, key=service.key)
    assert signed.code == "ok"
    wallet_id: str = made.result["id"]
    return wallet_id


async def ask(service: RunningService, operation: str, wallet_id: str) -> list[Outcome]:
    command = {"wallet_id": wallet_id, **OPENING[operation]}
    return [await face.call(operation, command, key=service.key) for face in service.faces]


@pytest.mark.parametrize("operation", OPENING)
async def test_a_wallet_that_another_process_archived_is_refused_at_once(
    service: RunningService, operation: str
) -> None:
    wallet_id = await used_wallet(service)
    for state, code in ((WalletState.ARCHIVED, "wallet_archived"), (WalletState.ACTIVE, "ok")):
        change = Change(Wallet, UUID(wallet_id), {}, {"state": state})
        assert not (await service.admin.storage.apply([Unit(changes=[change])])).conflicts
        assert [answer.code for answer in await ask(service, operation, wallet_id)] == [code, code]


async def test_a_secret_that_another_process_replaced_is_the_one_that_signs(service: RunningService) -> None:
    wallet_id, other = await used_wallet(service), await used_wallet(service)
    storage = service.admin.storage
    mine, foreign = [await storage.secret(TENANT, UUID(each)) for each in (wallet_id, other)]
    assert mine is not None
    assert foreign is not None
    swapped = SealedSecret(TENANT, mine.wallet_id, mine.kind, 2, foreign.kek, foreign.kek_version, foreign.wrapped_dek,
                           foreign.blob)  # fmt: skip
    assert not (await storage.apply([Unit(rows=[swapped])])).conflicts
    answers = await ask(service, "messages.sign", wallet_id)
    assert [answer.code for answer in answers] == ["integrity_violation", "integrity_violation"]
    assert [answer.code for answer in await ask(service, "messages.sign", other)] == ["ok", "ok"]

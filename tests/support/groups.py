"""Units as an intent commits them: the two commits of a signature."""

from __future__ import annotations

from dataclasses import replace

from strongroom.domain.record import HeldGuard, OperationRecord, OperationState
from strongroom.domain.wallet import SealedSecret
from strongroom.journal import idempotency
from strongroom.storage.base import MoveGuard, Opens, Unit
from strongroom.storage.sql import SqlStorage
from tests.support import rows


def t1(operation: OperationRecord, nonce: int, *opens: SealedSecret) -> Unit:
    return Unit(rows=[operation], same=[rows.held(operation, nonce)], opens=[Opens(secret) for secret in opens])


def t2(operation: OperationRecord, *moves: MoveGuard) -> Unit:
    settled = idempotency.settled(operation, state=OperationState.DONE, result=b"{}", wallet_id=None)
    return Unit(rows=[rows.signature(operation)], changes=[settled, *moves])


def taken(held: HeldGuard, by: OperationRecord) -> MoveGuard:
    return MoveGuard(held, replace(held, operation_id=by.id))


async def made(storage: SqlStorage) -> SealedSecret:
    """Of an active wallet."""
    wallet = rows.wallet()
    secret = rows.secret(wallet)
    assert not (await storage.apply([Unit(rows=[wallet, secret])])).conflicts
    return secret

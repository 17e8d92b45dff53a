"""`keys rewrap` on a real OpenBao, stopped again and again, while others open what it moves."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from strongroom.domain.record import ServiceSecret
from strongroom.domain.wallet import SealedSecret
from strongroom.errors import KeyWrapUnavailable
from strongroom.keys.rewrap import Report, rewrap, status
from strongroom.keys.sealing import SERVICE_CONTEXT, wrap_context
from strongroom.keywrap.base import KeyWrap, WrapFailure, Wrapped
from strongroom.keywrap.local import LocalKeyWrap
from strongroom.keywrap.moving import MovingKeyWrap
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Unit
from strongroom.storage.migrate import migrate
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage
from tests.support import rows, vault
from tests.support.openbao import OpenBao
from tests.support.rows import TENANT

pytestmark = pytest.mark.needs("openbao")

WALLETS, STOPS = 800, 20
DATA_KEY = bytes(range(32))


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqlStorage]:
    database = open_database(f"sqlite:///{tmp_path}/test.db")
    await migrate(database)
    yield SqlStorage(database, Authenticity(b"s" * 32))
    await database.close()


@pytest.fixture
async def transit(openbao: OpenBao) -> AsyncIterator[KeyWrap]:
    key = f"rewrap-{random.randrange(10**9)}"
    openbao.prepare(key)
    made = vault.keywrap(openbao.url, key=key)
    yield made
    await made.close()


def key_of(keywrap: KeyWrap) -> str:
    return keywrap.name.removeprefix("transit/")


async def fill(storage: SqlStorage, keywrap: KeyWrap, count: int) -> list[SealedSecret]:
    secrets = [rows.secret(rows.wallet()) for _ in range(count)]
    items = [(DATA_KEY, wrap_context(secret.owner, secret.kind)) for secret in secrets]
    [*wrapped, service] = await keywrap.wrap([*items, (DATA_KEY, SERVICE_CONTEXT)])
    stored = [
        replace(secret, kek=wrap.kek, kek_version=wrap.version, wrapped_dek=wrap.ciphertext)
        for secret, wrap in zip(secrets, wrapped, strict=True)
    ]
    wallets = [rows.wallet(id=secret.wallet_id) for secret in secrets]
    await storage.apply([Unit(rows=[*wallets, *stored])])
    await storage.apply([Unit(rows=[ServiceSecret(1, service.kek, service.version, service.ciphertext)])])
    return stored


async def opens(storage: SqlStorage, keywrap: KeyWrap, some: list[SealedSecret]) -> bool:
    found = [await storage.secret(TENANT, each.wallet_id) for each in some]
    items = [
        (Wrapped(each.kek, each.kek_version, each.wrapped_dek), wrap_context(each.owner, each.kind))
        for each in found
        if each is not None
    ]
    return await keywrap.unwrap(items) == [DATA_KEY] * len(some)


def silent(_: Report) -> None:
    return


def stop(_: Report) -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


async def test_a_rotation_whose_rewrap_is_stopped_twenty_times(
    storage: SqlStorage, transit: KeyWrap, openbao: OpenBao
) -> None:
    secrets = await fill(storage, transit, WALLETS)
    openbao.ask("POST", f"transit/keys/{key_of(transit)}/rotate")
    chance = random.Random(1)
    stops = 0
    while (await status(storage, transit)).behind:
        progress = stop if stops < STOPS else silent
        task = asyncio.create_task(rewrap(storage, transit, progress, page_size=20))
        if progress is stop:  # after one page at the latest, and there are enough pages for every stop
            await asyncio.wait([task], timeout=chance.uniform(0.001, 0.03))
            task.cancel()
            stops += 1
        assert await opens(storage, transit, chance.sample(secrets, 20))
        await asyncio.wait([task])
    assert stops == STOPS
    found = await status(storage, transit)
    assert (found.version, found.service_version, found.behind) == (2, 2, 0)
    openbao.ask("POST", f"transit/keys/{key_of(transit)}/config", min_decryption_version=2)
    assert await opens(storage, transit, secrets)
    old = Wrapped(secrets[0].kek, 1, secrets[0].wrapped_dek)
    [refused] = await transit.unwrap([(old, wrap_context(secrets[0].owner, secrets[0].kind))])
    assert isinstance(refused, WrapFailure)


async def test_from_a_local_key_to_vault_stopped_half_way(
    storage: SqlStorage, transit: KeyWrap, tmp_path: Path
) -> None:
    local = LocalKeyWrap.from_key_file(tmp_path / "key", create=True)
    secrets = await fill(storage, local, 300)
    both = MovingKeyWrap(transit, local)

    def stop(report: Report) -> None:
        if report.moved >= 100:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await rewrap(storage, both, stop, page_size=50)
    assert {each.kek for each in await storage.secrets_by_kek()} == {"local", transit.name}
    assert await opens(storage, both, secrets)
    service = await storage.service_secret()
    assert service is not None
    assert service.kek == "local", "the service secret goes last"
    report = await rewrap(storage, both, silent)
    assert (report.moved, report.total, report.refused) == (201, 201, [])
    assert await opens(storage, transit, secrets)


async def test_a_changed_row_is_named_and_the_others_are_moved(
    storage: SqlStorage, transit: KeyWrap, openbao: OpenBao
) -> None:
    secrets = await fill(storage, transit, 5)
    await storage.rewrap_secrets([(secrets[3], replace(secrets[3], wrapped_dek=secrets[2].wrapped_dek))])
    openbao.ask("POST", f"transit/keys/{key_of(transit)}/rotate")
    report = await rewrap(storage, transit, silent)
    assert (report.moved, report.refused) == (4, [secrets[3].wallet_id])
    assert (await status(storage, transit)).behind == 2, "the row, and the service secret that waits for it"


async def test_an_outage_keeps_what_is_done(storage: SqlStorage, transit: KeyWrap, openbao: OpenBao) -> None:
    await fill(storage, transit, 150)
    openbao.ask("POST", f"transit/keys/{key_of(transit)}/rotate")

    class Failing(MovingKeyWrap):
        async def rewrap(self, items):  # type: ignore[no-untyped-def]
            answers = await transit.rewrap(items)
            return [*answers[:-1], *(await dead.rewrap(items[-1:]))]

    dead = vault.keywrap("http://127.0.0.1:1", key=key_of(transit), deadline=0.1)
    with pytest.raises(KeyWrapUnavailable):
        await rewrap(storage, Failing(transit, dead), silent)
    assert (await status(storage, transit)).behind == 2
    assert (await rewrap(storage, transit, silent)).moved == 2
    await dead.close()

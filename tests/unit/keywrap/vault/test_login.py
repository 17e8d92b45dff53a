"""A token during its lifetime, with a clock that only the test moves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from strongroom.domain.secret import Secret
from strongroom.keywrap.vault.client import Trouble, VaultError
from strongroom.keywrap.vault.login import AppRoleMethod, KubernetesMethod, Lease, Method, Session, TokenMethod
from tests.unit.keywrap.vault.fake import FakeVault, auth, error, look_up

LOGIN, RENEW, LOOK_UP = "auth/approle/login", "auth/token/renew-self", "auth/token/lookup-self"
REVOKE = "auth/token/revoke-self"


class Time:
    """Sleepers wake when the test moves the clock past their time."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        until = asyncio.Event()
        self._sleepers.append((self.now + seconds, until))
        await until.wait()

    async def pass_by(self, seconds: float) -> None:
        """A step at a time, and everything that is due runs."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 1)
            for due, sleeper in self._sleepers:
                if due <= self.now:
                    sleeper.set()
            await settle()


async def settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def vault() -> FakeVault:
    fake = FakeVault()
    fake.on(REVOKE, error(403))
    return fake


def session(vault: FakeVault, time: Time, method: Method | None = None) -> Session:
    made = method or AppRoleMethod("approle", Secret("role"), Secret("secret"))
    return Session(vault.client(), made, clock=time, sleep=time.sleep, uniform=lambda low, high: low)


def text(lease: Lease) -> str:
    return lease.token.reveal()


async def denied(session: Session, lease: Lease) -> bool:
    try:
        await session.replace(lease)
    except VaultError as error:
        return error.trouble is Trouble.DENIED
    return False


async def test_many_who_need_a_token_log_in_once(vault: FakeVault, time: Time) -> None:
    vault.on(LOGIN, auth("one", 100))
    made = session(vault, time)
    leases = await asyncio.gather(*(made.lease() for _ in range(20)))
    assert {text(lease) for lease in leases} == {"one"}
    assert vault.count(LOGIN) == 1
    assert vault.body() == {"role_id": "role", "secret_id": "secret"}
    await made.close()


async def test_it_is_renewed_at_two_thirds_and_nobody_notices(vault: FakeVault, time: Time) -> None:
    vault.on(LOGIN, auth("one", 100))
    vault.on(RENEW, auth("one", 100))
    made = session(vault, time)
    await made.lease()
    await time.pass_by(59)
    assert vault.count(RENEW) == 0
    await time.pass_by(1)
    assert vault.count(RENEW) == 1
    await time.pass_by(600)
    assert text(await made.lease()) == "one"
    assert (vault.count(LOGIN), vault.count(RENEW)) == (1, 11)
    await made.close()


async def test_near_its_longest_life_another_one_is_fetched(vault: FakeVault, time: Time) -> None:
    vault.on(LOGIN, auth("one", 100), auth("two", 100))
    vault.on(RENEW, auth("one", 49))
    made = session(vault, time)
    await made.lease()
    await time.pass_by(60)
    assert text(await made.lease()) == "two"
    await made.close()


async def test_one_that_cannot_be_renewed_is_followed_by_another(vault: FakeVault, time: Time) -> None:
    vault.on(LOGIN, auth("one", 100, renewable=False), auth("two", 100, renewable=False))
    made = session(vault, time)
    await made.lease()
    await time.pass_by(60)
    assert text(await made.lease()) == "two"
    await made.close()


async def test_a_renewal_that_an_outage_hinders_is_tried_again_before_the_end(vault: FakeVault, time: Time) -> None:
    vault.on(LOGIN, auth("one", 100))
    vault.on(RENEW, error(503, "Vault is sealed"), error(500), auth("one", 100))
    made = session(vault, time)
    await made.lease()
    await time.pass_by(99)
    assert vault.count(RENEW) == 3
    assert vault.count(LOGIN) == 1
    await made.close()


async def test_an_outage_longer_than_the_token_lives_ends_with_a_login(vault: FakeVault, time: Time) -> None:
    vault.on(LOGIN, auth("one", 100), auth("two", 100))
    vault.on(RENEW, error(500))
    made = session(vault, time)
    await made.lease()
    await time.pass_by(500)
    assert vault.count(RENEW) < 20
    assert text(await made.lease()) == "two"
    vault.on(RENEW, auth("two", 100))
    before = vault.count(RENEW)
    await time.pass_by(61)
    assert vault.count(RENEW) == before + 1
    await made.close()


async def test_a_renewal_that_is_denied_ends_with_a_login(vault: FakeVault, time: Time) -> None:
    vault.on(LOGIN, auth("one", 100), auth("two", 100))
    vault.on(RENEW, error(403))
    made = session(vault, time)
    await made.lease()
    await time.pass_by(60)
    assert text(await made.lease()) == "two"
    await made.close()


async def test_a_denial_brings_one_login_for_all_who_met_it(vault: FakeVault, time: Time) -> None:
    vault.on(LOGIN, auth("one", 100), auth("two", 100))
    made = session(vault, time)
    old = await made.lease()
    assert {text(lease) for lease in await asyncio.gather(*(made.replace(old) for _ in range(20)))} == {"two"}
    assert vault.count(LOGIN) == 2
    await made.close()


async def test_a_policy_that_denies_does_not_become_a_login_a_call(vault: FakeVault, time: Time) -> None:
    vault.on(LOGIN, auth("one", 1000), auth("two", 1000), auth("three", 1000))
    made = session(vault, time)
    lease = await made.replace(await made.lease())
    for _ in range(20):
        assert await denied(made, lease)
    assert vault.count(LOGIN) == 2
    await time.pass_by(6)
    assert text(await made.replace(lease)) == "three"
    await made.close()


async def test_a_given_token_is_looked_up_and_renewed_but_not_replaced(vault: FakeVault, time: Time) -> None:
    vault.on(LOOK_UP, look_up(100, renewable=True))
    vault.on(RENEW, auth("given", 100))
    made = session(vault, time, TokenMethod(Secret("given")))
    lease = await made.lease()
    await time.pass_by(130)
    assert vault.count(RENEW) == 2
    assert await denied(made, lease)
    await made.close()
    assert vault.count(REVOKE) == 0


async def test_a_given_token_may_live_for_ever(vault: FakeVault, time: Time) -> None:
    vault.on(LOOK_UP, look_up(0, renewable=False))
    made = session(vault, time, TokenMethod(Secret("root")))
    await made.lease()
    await time.pass_by(5000)
    assert text(await made.lease()) == "root"
    assert len(vault.asked) == 1
    await made.close()


async def test_a_token_of_our_own_is_given_back(vault: FakeVault, time: Time) -> None:
    vault.on(LOGIN, auth("one", 100))
    made = session(vault, time)
    await made.lease()
    await made.close()
    assert vault.count(REVOKE) == 1
    assert vault.asked[-1].headers["X-Vault-Token"] == "one"


async def test_a_wrong_secret_id_is_a_denial(vault: FakeVault, time: Time) -> None:
    vault.on(LOGIN, error(400, "invalid role or secret ID"))
    with pytest.raises(VaultError) as caught:
        await session(vault, time).lease()
    assert caught.value.trouble is Trouble.DENIED


async def test_the_pods_token_is_read_at_each_login(vault: FakeVault, time: Time, tmp_path: Path) -> None:
    file = tmp_path / "token"
    method = KubernetesMethod("k8s/east", "strongroom", file)
    made = session(vault, time, method)
    with pytest.raises(VaultError):
        await made.lease()
    assert vault.asked == []
    vault.on("auth/k8s/east/login", auth("one", 100), auth("two", 100))
    file.write_text("first\n")
    lease = await made.lease()
    assert vault.body() == {"role": "strongroom", "jwt": "first"}
    file.write_text("second")
    await made.replace(lease)
    assert vault.body() == {"role": "strongroom", "jwt": "second"}
    await made.close()

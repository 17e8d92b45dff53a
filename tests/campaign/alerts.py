"""Repeated SIGKILL to one of two replicas at random moments, while alert rules apply.

The replicas share a PostgreSQL, an OpenBao and a Redis. Their fake Slack and fake Telegram respond slowly, so that many
kills fall between a message and the record that it was accepted. The cool-down outlasts the campaign. So for each rule
and subject, one alert and one end must reach each channel, however often the rule applies. The channels do not know
the ids of messages, so a message that a dead process may have sent is sent again with the same id and a remark. Such
repeats are counted separately. Run it as

    python -m tests.campaign.alerts --kills 20 --seed 1
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.campaign.ending import ended
from tests.parity.story import transfer
from tests.support import fake_chats, openbao, postgres, redis, stack
from tests.support.alerting import INVALID_KEY, rules
from tests.support.fake_chats import SLACK_URL, TELEGRAM_URL, Chats, Received
from tests.support.openbao import OpenBao
from tests.support.postgres import Postgres
from tests.support.server import Server

CHANNELS = ("slack", "telegram")
CLEAR = 15.0
ANSWER_AFTER = 0.3
_PATIENCE = 300.0
_REPEAT = "This message may be a repeat"
_SETTINGS = {
    "ALERTS__INTERVAL": "0.2", "ALERTS__URLS": f"{SLACK_URL} {TELEGRAM_URL}", "TASKS__POLL": "0.2",
    "HEALTH__INTERVAL": "1", "RATES__FAILED_AUTHENTICATION": "2/minute", "LOG__LEVEL": "warning",
    "DATABASE__TIMEOUT": "3", "RATES__ADMIN": "off", "RATES__SIGN": "off",
    "AUDIT__HEADS": "log",
}  # fmt: skip


@dataclass
class Replica(Server):
    chats: Mapping[str, str] = field(default_factory=dict)
    """What it needs to reach the fakes under the real names."""

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, **self.chats}


@dataclass
class Report:
    kills: int = 0
    met: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    repeats: int = 0
    alerts: Counter[str] = field(default_factory=Counter)
    """By rule: subjects and channels that got one alert and one end."""
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills of one of two replicas while a rule was met: "
            + ", ".join(f"{rule} {count}" for rule, count in sorted(self.met.items()))
            + f"\n{self.messages} messages arrived, of which {self.repeats} were repeats, each marked as one"
            + "\ntold once to a channel, and once that it is over: "
            + ", ".join(f"{rule} {count}" for rule, count in sorted(self.alerts.items()))
            + f"\nviolations {len(self.violations)}"
        )


class Campaign:
    def __init__(self, pair: list[Replica], chats: Chats, database: Postgres, bao: OpenBao, seed: int) -> None:
        self.report = Report()
        self._pair = pair
        self._chats = chats
        self._database = database
        self._bao = bao
        self._dice = random.Random(seed)
        self._alive = pair[0]
        """The replica that is not killed now."""
        self._wallet = self._key = ""

    def run(self, kills: int) -> Report:
        self._wallet = self._ask("POST", "/wallets", json={"networks": ["ethereum"]})["id"]
        rounds: list[Callable[[], str]] = [self._denials, self._database_down, self._fee_cap, self._vault_frozen,
                                           self._failed_logins, self._given_up]  # fmt: skip
        for n in range(kills):
            self._alive, victim = self._dice.sample(self._pair, 2)
            rule = rounds[n % len(rounds)]
            before = len(self._chats.requests)
            self._key = self._new_key() if rule in (self._denials, self._fee_cap) else ""
            name = rule()
            self._strike(victim, before)
            self._until_told(name, rule)
            self._mend()
            victim.start()
            self.report.met[name] += 1
            print(f"{time.strftime('%X')} kill {n + 1}: {name}", file=sys.stderr, flush=True)
        self._await_ends()
        self._judge()
        return self.report

    def _strike(self, victim: Replica, before: int) -> None:
        """At a random moment, or while a message is being sent."""
        if self._dice.random() < 0.7:
            self._wait(lambda: len(self._chats.requests) > before, 20)
            time.sleep(self._dice.uniform(0, ANSWER_AFTER * 1.5))
        else:
            time.sleep(self._dice.uniform(0, 3))
        victim.kill()
        self.report.kills += 1

    def _until_told(self, rule: str, meet: Callable[[], str]) -> None:
        subject = self._key.split("_")[1] if self._key else ""

        def is_told() -> bool:
            return all(
                any(
                    subject in _plain(each.subject).replace("-", "") for each in self._chats.of(rule, "FIRING", channel)
                )
                for channel in CHANNELS
            )

        until = time.monotonic() + _PATIENCE
        while not is_told():
            if time.monotonic() > until:
                self.report.violations.append(f"nobody was told of {rule} {subject}")
                return
            with suppress(httpx.HTTPError):
                meet()
            time.sleep(0.5)

    def _await_ends(self) -> None:
        self._wait(lambda: all("RECOVERED" in states for states in self._states().values()), _PATIENCE)
        time.sleep(CLEAR)

    def _states(self) -> dict[tuple[str, str, str], list[str]]:
        return {place: [each.state for each in messages] for place, messages in self._by_place().items()}

    def _by_place(self) -> dict[tuple[str, str, str], list[Received]]:
        with self._chats.lock:
            received = list(self._chats.received)
        found = defaultdict(list)
        for each in received:
            found[each.rule, _plain(each.subject), each.channel].append(each)
        return found

    def _judge(self) -> None:
        report = self.report
        for place, messages in sorted(self._by_place().items()):
            ids: dict[str, str] = {}
            for each in messages:
                report.messages += 1
                if each.note_id in ids:
                    report.repeats += 1
                    if _REPEAT not in each.text:
                        report.violations.append(f"{place}: {each.note_id} came again and does not say so")
                    continue
                ids[each.note_id] = each.state
            states = list(ids.values())
            if states == ["FIRING", "RECOVERED"]:
                report.alerts[place[0]] += 1
            else:
                report.violations.append(f"{place}: {states}")

    # Events that meet a rule. Each may be repeated; the last two last until `_mend`.

    def _denials(self) -> str:
        self._burst("GET", "/wallets", 10, {"X-API-Key": self._key})
        return "denials"

    def _failed_logins(self) -> str:
        self._burst("GET", "/wallets", 4, {"X-API-Key": INVALID_KEY})
        return "failed_logins"

    def _fee_cap(self) -> str:
        body = {"network": "ethereum", "unsigned_tx": transfer(maxFeePerGas=hex(10**15))}
        self._burst("POST", f"/wallets/{self._wallet}/sign", 1, {"X-API-Key": self._key}, json=body)
        return "fee_cap"

    def _given_up(self) -> str:
        self._database.run(
            "INSERT INTO tasks (kind, key, due_at, epoch, wanted, attempts, created_at) "
            "VALUES ('notify', 'no id', now(), 0, 1, 99, now()) ON CONFLICT DO NOTHING"
        )
        return "given_up"

    def _database_down(self) -> str:
        self._database.stop()
        return "database"

    def _vault_frozen(self) -> str:
        self._bao.freeze()
        return "vault"

    def _mend(self) -> None:
        self._bao.thaw()
        if not self._database.is_running:
            self._database.start()

    def _burst(self, method: str, path: str, times: int, headers: dict[str, str], **body: Any) -> None:
        with self._alive.client(headers=headers) as client:
            for _ in range(times):
                client.request(method, path, **body)

    def _new_key(self) -> str:
        scopes = ["networks:read", "sign:transaction"]
        return str(self._ask("POST", "/api-keys", json={"name": "campaign", "scopes": scopes})["api_key"])

    def _ask(self, method: str, path: str, **body: Any) -> Any:
        """As long as it takes, because after an outage connections have to be made again."""
        until = time.monotonic() + _PATIENCE
        while True:
            with self._alive.client() as client, suppress(httpx.HTTPError):
                answer = client.request(method, path, **body)
                if answer.is_success:
                    return answer.json()
                assert time.monotonic() < until, answer.text
            time.sleep(0.5)

    def _wait(self, what: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while not what() and time.monotonic() < until:
            time.sleep(0.02)


def _plain(text: str) -> str:
    return text.replace("\u2060", "").strip("“”")


def campaign(folder: Path, kills: int, seed: int) -> Report:
    with ExitStack() as parts:
        chats = parts.enter_context(fake_chats.running(folder / "chats"))
        chats.answer_after = ANSWER_AFTER
        database = parts.enter_context(postgres.running(durable=True))
        bao = parts.enter_context(openbao.running())
        cache = parts.enter_context(redis.running())
        config = folder / "strongroom.toml"
        config.write_text(rules(clear=CLEAR, off=()))
        settings = {**_SETTINGS, **stack.settings(database, "postgres", bao), "REDIS__URL": cache.url,
                    "DATABASE__MIGRATE_URL": database.url(), "CONFIG": str(config)}  # fmt: skip
        pair = [Replica(folder / f"replica-{n}", settings, chats=chats.environment) for n in range(2)]
        pair[0].command("migrate").check_returncode()
        for each in pair:
            each.api_key = pair[0].api_key
            parts.callback(each.__exit__)
            each.start()
        return Campaign(pair, chats, database, bao, seed).run(kills)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="strongroom-alerts-") as name:
        report = campaign(Path(name), given.kills, given.seed)
    return ended(f"seed {given.seed}: {report}", report.violations)


if __name__ == "__main__":
    sys.exit(main())

"""Commands that succeed, to be mutated: the examples of the API's description, the story of both faces, other chains.

They name things that are there: wallets, addresses, API keys and a task are made before the run. What may be used once
only (an external id, a nonce, a seqno) is new in every command.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
import random
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx

from strongroom import bootstrap
from strongroom.config.settings import load
from strongroom.domain.principal import DEVELOPMENT_TENANT
from strongroom.entrypoints.http.examples import EVERY_EXAMPLE, EXAMPLES
from strongroom.entrypoints.http.examples.base import WORDS
from strongroom.operations.registry import OPERATIONS
from strongroom.storage.base import Unit, Wake
from tests.parity.story import MNEMONIC, RAW_KEY, STORY, filled
from tests.support import other_chains
from tests.support.server import Server

SETTINGS = {
    f"RATES__{name}": "off" for name in ("READ", "CREATE", "WRITE", "ADDRESS", "SIGN", "ADMIN", "CHAIN", "BROADCAST")
} | {"ALERTS__URLS": "json://127.0.0.1:1/nobody"}
"""No limits; and a channel for alerts, where nobody listens."""
Command = dict[str, Any]

DISPOSED_OF = ("wallets.archive", "wallets.unarchive", "wallets.limit")
"""Operations that get a wallet of their own: an archived wallet refuses the rest, and so may one with rates."""
_TASK = Wake("toy", "planted", DEVELOPMENT_TENANT, after=timedelta(days=1))
"""One of the tenant's, as in the story, of a kind that nobody runs: the service's own jobs cannot be cancelled."""
_USED_ONCE: dict[str, Callable[[int], Any]] = {"nonce": hex, "seqno": int}
"""Fields of transactions, by chain: Ethereum's, TON's."""
_MADE_IN_THE_STORY = (
    "page",
    "revoked",
    "unrevoked",
    "seventh",
    "first",
    "signed",
    "older",
    "made",
    "foreign",
    "theirs",
    "discovery",
)
"""Names of the story that are not made here; commands that hold one are left out."""


class Seeds:
    def __init__(self, server: Server) -> None:
        self._numbers = itertools.count(1)
        with server.client() as client:
            self.wallet_id = _import(client, kind="bip39", mnemonic=WORDS)
            told = _import(client, kind="bip39", mnemonic=MNEMONIC)
            self.needed = {self.wallet_id, told}
            self.raw_id = _import(client, kind="raw_key", keyspace="evm", format="hex", key=RAW_KEY)
            self.spare_id = _import(client, kind="bip39", mnemonic=MNEMONIC, passphrase="spare")
            self.key_ids = [
                _made(client.post("/api-keys", json={"name": "to be revoked", "scopes": ["admin"]})) for _ in range(2)
            ]
            revoked = {"issuer": "https://issuer.example", "subject": "to be lifted"}
            self.revocation_ids = [
                _made(client.post("/revocations", json=each))
                for each in (revoked, {"issuer": revoked["issuer"], "token_id": "7d1f"})
            ]
            for wallet_id, scheme in ((told, "ledger-live"), (self.wallet_id, "bip44")):
                for index in range(8):
                    query = {"scheme": scheme, "index": str(index)}
                    client.get(f"/wallets/{wallet_id}/address/ethereum", params=query).raise_for_status()
            self.discovery_ids = [self._discovery(client, account) for account in range(2)]
            others = other_chains.commands(client, self.wallet_id)
        asyncio.run(_plant_task(server))
        self._commands: dict[str, list[Command]] = defaultdict(list)
        for operation in OPERATIONS:
            usual, *more = (example.command for example in EVERY_EXAMPLE[operation.name].values())
            examples = [usual] * 3 + more
            self._commands[operation.name] += [
                json.loads(self.renamed(json.dumps(example), operation.name)) for example in examples
            ]
        saved = {"wallet": told, "created": self.spare_id, "raw": self.raw_id, "archived": self.spare_id}
        verified = {name: EXAMPLES[f"{of}.verify"].command["signature"]
                    for name, of in (("signature", "messages"), ("typed", "typed_data"))}  # fmt: skip
        for step in STORY:
            text = json.dumps(dict(step.command))
            if step.code == "ok" and step.key == "all" and not any(f'"${name}"' in text for name in _MADE_IN_THE_STORY):
                self._commands[step.operation].append(filled(step.command, saved | verified))
        for name, command in others:
            self._commands[name].append(command)

    def _discovery(self, client: httpx.Client, account: int) -> str:
        """No discovery's, if the server has no source to ask."""
        asked = {"network": "ethereum", "account": account}
        begun = client.post(f"/wallets/{self.wallet_id}/addresses/discover", json=asked)
        return str(begun.json().get("id", self.wallet_id))

    def renamed(self, text: str, operation: str) -> str:
        """Text with the examples' ids, with those of things that are there in their place."""
        wallet_ids = [self.spare_id] * 2 if operation in DISPOSED_OF else [self.wallet_id, self.raw_id]
        task = EXAMPLES["tasks.cancel"].command
        ids = [
            *zip(_ids("wallets.get", "wallet_id"), wallet_ids, strict=True),
            *zip(_ids("api_keys.revoke", "key_id"), self.key_ids, strict=True),
            *zip(_ids("revocations.lift", "revocation_id"), self.revocation_ids, strict=True),
            *zip(_ids("addresses.discovery", "discovery_id"), self.discovery_ids, strict=True),
        ]
        if operation == "alerts.test":
            ids.append(('"slack"', '"webhook"'))
        if operation == "tasks.cancel":
            ids += [(task["kind"], _TASK.kind), (task["key"], _TASK.key)]
        for example, there in ids:
            text = text.replace(example, there)
        return text

    def command(self, operation: str, rng: random.Random) -> Command:
        command = copy.deepcopy(rng.choice(self._commands[operation]))
        number = next(self._numbers)
        if operation == "authorizations.sign":
            command["nonce"] = str(number)
        if operation not in ("wallets.list", "addresses.list"):
            _make_new(command, number)
        for item in command.get("items", ()):
            _make_new(item, next(self._numbers))
        return command


def _ids(operation: str, field: str) -> list[str]:
    return [example.command[field] for example in EVERY_EXAMPLE[operation].values()]


def _make_new(command: Command, number: int) -> None:
    """What may be used once only."""
    if "external_id" in command:
        command["external_id"] = f"fuzz-{number}"
    transaction = command.get("unsigned_tx")
    if isinstance(transaction, dict):
        for field in transaction.keys() & _USED_ONCE.keys():
            transaction[field] = _USED_ONCE[field](number)


async def _plant_task(server: Server) -> None:
    settings = load(server.environment, dotenv=None)
    async with bootstrap.administration(settings) as administration:
        await administration.committer.commit(Unit(wakes=[_TASK]))


def _import(client: httpx.Client, **command: str) -> str:
    return _made(client.post("/wallets/import", json={**command, "networks": ["ethereum"]}))


def _made(answer: httpx.Response) -> str:
    answer.raise_for_status()
    return str(answer.json()["id"])

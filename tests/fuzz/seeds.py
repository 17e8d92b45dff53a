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
from strongroom.bootstrap.development import DEVELOPMENT_TENANT
from strongroom.config import load
from strongroom.entrypoints.http.examples import EXAMPLES
from strongroom.operations.registry import OPERATIONS
from strongroom.storage.base import Unit, Wake
from tests.parity.story import MNEMONIC, RAW_KEY, STORY, filled
from tests.support import other_chains
from tests.support.server import Server

LIMITS_OFF = {
    f"RATES__{name}": "off" for name in ("READ", "CREATE", "WRITE", "ADDRESS", "SIGN", "ADMIN", "CHAIN", "BROADCAST")
}
Command = dict[str, Any]

_DISPOSED_OF = ("wallets.archive", "wallets.unarchive")
"""Operations that get a wallet of their own: an archived wallet refuses the rest."""
_FAR_OFF = "2099-01-01T00:00:00Z"
_TASK = Wake("toy", "planted", DEVELOPMENT_TENANT, after=timedelta(days=1))
"""One of the tenant's, as in the story, of a kind that nobody runs: the service's own jobs cannot be cancelled."""
_USED_ONCE: dict[str, Callable[[int], Any]] = {"nonce": hex, "seqno": int}
"""Fields of transactions, by chain: Ethereum's, TON's."""
_MADE_IN_THE_STORY = ("page", "seventh", "first", "signed", "older", "made", "foreign", "theirs", "discovery")
"""Names of the story that are not made here; commands that hold one are left out."""


class Seeds:
    def __init__(self, server: Server) -> None:
        self._numbers = itertools.count(1)
        with server.client() as client:
            self.wallet_id = _import(
                client, kind="bip39", mnemonic=EXAMPLES["wallets.create"].result["backup"]["mnemonic"]
            )
            told = _import(client, kind="bip39", mnemonic=MNEMONIC)
            raw = _import(client, kind="raw_key", keyspace="evm", format="hex", key=RAW_KEY)
            self.spare_id = _import(client, kind="bip39", mnemonic=MNEMONIC, passphrase="spare")
            self.key_id = _made(client.post("/api-keys", json={"name": "to be revoked", "scopes": ["admin"]}))
            for wallet_id, scheme in ((told, "ledger-live"), (self.wallet_id, "bip44")):
                for index in range(8):
                    query = {"scheme": scheme, "index": str(index)}
                    client.get(f"/wallets/{wallet_id}/address/ethereum", params=query).raise_for_status()
            begun = client.post(f"/wallets/{self.wallet_id}/addresses/discover", json={"network": "ethereum"})
            self.discovery_id = begun.json().get("id", self.wallet_id)
            """No discovery's, if the server has no source to ask."""
            others = other_chains.commands(client, self.wallet_id)
        asyncio.run(_plant_task(server))
        self._commands: dict[str, list[Command]] = defaultdict(list)
        for operation in OPERATIONS:
            example = json.loads(self.renamed(json.dumps(EXAMPLES[operation.name].command), operation.name))
            self._commands[operation.name] += [example] * 3
        saved = {"wallet": told, "created": self.spare_id, "raw": raw, "archived": self.spare_id}
        verified = {name: EXAMPLES[f"{of}.verify"].command["signature"]
                    for name, of in (("signature", "messages"), ("typed", "typed_data"))}  # fmt: skip
        for step in STORY:
            text = json.dumps(dict(step.command))
            if step.code == "ok" and step.key == "all" and not any(f'"${name}"' in text for name in _MADE_IN_THE_STORY):
                self._commands[step.operation].append(filled(step.command, saved | verified))
        for name, command in others:
            self._commands[name].append(command)

    def renamed(self, text: str, operation: str) -> str:
        """Text with the examples' ids, with those of things that are there in their place."""
        wallet_id = self.spare_id if operation in _DISPOSED_OF else self.wallet_id
        task = EXAMPLES["tasks.cancel"].command
        ids = [
            (EXAMPLES["wallets.get"].command["wallet_id"], wallet_id),
            (EXAMPLES["api_keys.revoke"].command["key_id"], self.key_id),
            (EXAMPLES["addresses.discovery"].command["discovery_id"], self.discovery_id),
            (EXAMPLES["api_keys.create"].command["expires_at"], _FAR_OFF),
        ]
        if operation == "tasks.cancel":
            ids += [(task["kind"], _TASK.kind), (task["key"], _TASK.key)]
        for example, there in ids:
            text = text.replace(example, there)
        return text

    def command(self, operation: str, rng: random.Random) -> Command:
        command = copy.deepcopy(rng.choice(self._commands[operation]))
        number = next(self._numbers)
        if "external_id" in command and operation not in ("wallets.list", "addresses.list"):
            command["external_id"] = f"fuzz-{number}"
        if operation == "authorizations.sign":
            command["nonce"] = str(number)
        transaction = command.get("unsigned_tx")
        if isinstance(transaction, dict):
            for field in transaction.keys() & _USED_ONCE.keys():
                transaction[field] = _USED_ONCE[field](number)
        return command


async def _plant_task(server: Server) -> None:
    settings = load(server.environment, dotenv=None)
    async with bootstrap.administration(settings) as administration:
        await administration.committer.commit(Unit(wakes=[_TASK]))


def _import(client: httpx.Client, **command: str) -> str:
    return _made(client.post("/wallets/import", json={**command, "networks": ["ethereum"]}))


def _made(answer: httpx.Response) -> str:
    answer.raise_for_status()
    return str(answer.json()["id"])

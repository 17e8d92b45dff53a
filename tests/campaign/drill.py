"""The drill: backup, loss of everything, restore, and the wallets sign again.

On PostgreSQL, and on OpenBao with storage on disk, both set up, backed up and restored by the scripts in `deploy/`. Run
it as

    python -m tests.campaign.drill
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.parity.story import transfer
from tests.support import postgres, raft
from tests.support.postgres import OWNER, Postgres
from tests.support.raft import RaftOpenBao
from tests.support.server import ROOT, Server, free_port

TENANT = "11111111-1111-1111-1111-111111111111"
DEPLOY = ROOT / "deploy"
_WALLETS = 20
_ACCEPT_SECONDS = 120.0


@dataclass
class Report:
    wallets: int
    backup_seconds: float = 0.0
    restore_seconds: float = 0.0
    bytes: int = 0
    same_addresses: int = 0
    same_signatures: int = 0
    """Repeated keys of signatures from before the backup that returned the same bytes."""
    guarded: int = 0
    """Nonces signed before the backup that were refused for anything else."""
    locked: bool = False
    """Nothing was signed on the restored database until it was accepted, but reads were served."""
    lost_is_refused: bool = False
    """The nonce signed after the backup is not signed for anything else."""
    signed_again: int = 0
    new_wallet: bool = False
    audit_holds: bool = False
    loss_is_told: bool = False
    """The surviving audit heads show that records after the backup are missing."""
    faults: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        counts = {self.same_addresses, self.same_signatures, self.guarded, self.signed_again}
        told = (self.new_wallet, self.audit_holds, self.loss_is_told, self.locked, self.lost_is_refused)
        return counts == {self.wallets} and all(told)

    def __str__(self) -> str:
        return (
            f"{self.wallets} wallets, backed up in {self.backup_seconds:.1f} s ({self.bytes} bytes), "
            f"restored and ready in {self.restore_seconds:.1f} s\n"
            f"after the restore: {self.same_addresses} addresses the same, {self.same_signatures} answers the same, "
            f"{self.guarded} nonces still guarded, {self.signed_again} signed again, "
            f"a new wallet {'made' if self.new_wallet else 'NOT MADE'}\n"
            f"signing {'waited' if self.locked else 'DID NOT WAIT'} until the restore was accepted; the nonce that was "
            f"lost is {'refused' if self.lost_is_refused else 'NOT REFUSED'}\n"
            f"audit: {'holds' if self.audit_holds else 'DOES NOT HOLD'} as of the backup, what came after it is "
            f"{'told' if self.loss_is_told else 'NOT TOLD'} to be lost\n"
            + ("passed" if self.passed else f"FAILED {self.faults}")
        )


class Drill:
    """``folder`` survives the loss. It has the backup and the audit heads."""

    def __init__(self, folder: Path, wallets: int) -> None:
        self.report = Report(wallets)
        self._folder = folder
        self._backup = folder / "backup"
        self._heads = folder / "audit-heads.jsonl"
        self._http_port, self._grpc_port = free_port(), free_port()
        self._addresses: dict[str, str] = {}
        self._signed: dict[str, str] = {}
        self._key = self._unseal_key = ""
        self._settings: dict[str, str] = {}

    def run(self) -> Report:
        with ExitStack() as stack:
            database, vault = self._machines(stack)
            self._prepare(database, vault)
            with self._server("first", database, vault) as server, server.client() as client:
                self._use(client)
                began = time.monotonic()
                self._script("backup/backup.sh", database, vault, user="strongroom_owner")
                self.report.backup_seconds = time.monotonic() - began
                self._sign(client, next(iter(self._addresses)), nonce=1)  # this will be lost
                time.sleep(0.5)  # until its head is written
        self.report.bytes = sum(file.stat().st_size for file in self._backup.iterdir())
        with ExitStack() as stack:
            database, vault = self._machines(stack)
            began = time.monotonic()
            _psql(database, DEPLOY / "postgresql" / "roles.sql")
            self._script("backup/restore.sh", database, vault, user=OWNER)
            vault.until_sealed()
            vault.unseal(self._unseal_key)
            self._verify(self._server("second", database, vault))
            with self._server("second", database, vault) as server, server.client() as client:
                self.report.restore_seconds = time.monotonic() - began
                self._accept(server, client)
                self._compare(client)
        return self.report

    def _machines(self, stack: ExitStack) -> tuple[Postgres, RaftOpenBao]:
        return stack.enter_context(postgres.running(durable=True)), stack.enter_context(raft.running())

    def _prepare(self, database: Postgres, vault: RaftOpenBao) -> None:
        _psql(database, DEPLOY / "postgresql" / "roles.sql")
        self._script("vault/setup.sh", database, vault, user=OWNER, folder=self._folder / "vault")
        self._unseal_key = vault.unseal_key
        server = self._server("first", database, vault)
        server.command("migrate").check_returncode()
        made = server.command("api-key", "create", "drill", "--all-scopes", "--tenant", TENANT, "--json")
        made.check_returncode()
        self._key = json.loads(made.stdout)["api_key"]

    def _server(self, name: str, database: Postgres, vault: RaftOpenBao) -> Server:
        settings = {
            "PROFILE": "production",
            "DATABASE__URL": database.url("strongroom", "strongroom"),
            "DATABASE__MIGRATE_URL": database.url("strongroom", "strongroom_owner"),
            "KEYWRAP__KIND": "vault",
            "VAULT__URL": vault.url,
            "VAULT__ROLE_ID_FILE": str(self._folder / "vault" / "role-id"),
            "VAULT__SECRET_ID_FILE": str(self._folder / "vault" / "secret-id"),
            "AUDIT__HEADS": f"file:{self._heads}",
            "AUDIT__INTERVAL": "0.1",
            "HEALTH__INTERVAL": "1",
        }
        return Server(self._folder / name, settings, self._key, self._http_port, self._grpc_port)

    def _use(self, client: httpx.Client) -> None:
        for _ in range(self.report.wallets):
            made = client.post("/wallets", json={"networks": ["ethereum"]}).raise_for_status().json()
            self._addresses[made["id"]] = made["addresses"][0]["address"]
            self._signed[made["id"]] = self._sign(client, made["id"], nonce=0).raise_for_status().json()["signed_tx"]

    def _sign(self, client: httpx.Client, wallet: str, *, nonce: int, **changes: Any) -> httpx.Response:
        return client.post(
            f"/wallets/{wallet}/sign",
            json={"network": "ethereum", "unsigned_tx": transfer(nonce=hex(nonce), **changes)},
            headers={} if changes else {"Idempotency-Key": f"{wallet}-{nonce}"},
        )

    def _accept(self, server: Server, client: httpx.Client) -> None:
        """Act as an operator: look up each address on the chain, and say from which nonce signing may go on."""
        first = next(iter(self._addresses))
        refused = self._sign(client, first, nonce=1)
        reads = client.get(f"/wallets/{first}").status_code
        self.report.locked = (refused.json().get("code"), reads) == ("restored_database", 200)
        floors = self._folder / "floors"
        nonces = {wallet: 2 if wallet == first else 1 for wallet in self._addresses}
        floors.write_text("".join(f"ethereum:{self._addresses[each]}={nonces[each]}\n" for each in nonces))
        chains = {network["chain"] for network in client.get("/networks").json()["networks"]}
        told = [word for chain in sorted(chains) for word in ("--reconciled", chain)]
        server.command("restore", "accept", "--after", "drill", "--floors", str(floors), *told).check_returncode()
        deadline = time.monotonic() + _ACCEPT_SECONDS
        while self._sign(client, first, nonce=2).status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.2)
        other = self._sign(client, first, nonce=1, value="0x1")
        self.report.lost_is_refused = other.json().get("code") == "restored_database"

    def _compare(self, client: httpx.Client) -> None:
        for wallet, address in self._addresses.items():
            found = client.get(f"/wallets/{wallet}/address/ethereum").json()
            self.report.same_addresses += found.get("address") == address
            again = self._sign(client, wallet, nonce=0)
            self.report.same_signatures += again.json().get("signed_tx") == self._signed[wallet]
            other = self._sign(client, wallet, nonce=0, value="0x1")
            self.report.guarded += other.json().get("code") in ("already_signed", "restored_database")
            signed = self._sign(client, wallet, nonce=3)
            self.report.signed_again += signed.status_code == 200
            self.report.faults += [each.text for each in (again, signed) if each.status_code != 200]
        self.report.new_wallet = client.post("/wallets", json={"networks": ["bitcoin"]}).status_code == 201

    def _verify(self, server: Server) -> None:
        """Before the service starts and writes more."""
        as_of_backup = server.command("audit", "verify", "--heads", str(self._backup / "audit-heads.jsonl"))
        self.report.audit_holds = as_of_backup.returncode == 0
        as_of_loss = server.command("audit", "verify", "--heads", str(self._heads))
        self.report.loss_is_told = as_of_loss.returncode == 1
        if not self.report.audit_holds:
            self.report.faults.append(as_of_backup.stdout + as_of_backup.stderr)

    def _script(
        self, name: str, database: Postgres, vault: RaftOpenBao, *, user: str, folder: Path | None = None
    ) -> None:
        env = {
            **_libpq(database, user),
            "VAULT_ADDR": vault.url, "VAULT_TOKEN": vault.token, "HEADS": str(self._heads),
        }  # fmt: skip
        ran = subprocess.run(
            [DEPLOY / name, folder or self._backup], env=env, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, f"{name}: {ran.stdout}{ran.stderr}"


def _libpq(database: Postgres, user: str) -> dict[str, str]:
    return {
        "PATH": f"{database.programs}:{os.environ['PATH']}",
        "PGHOST": "127.0.0.1", "PGPORT": str(database.port), "PGUSER": user, "PGDATABASE": "strongroom",
    }  # fmt: skip


def _psql(database: Postgres, script: Path) -> None:
    command = ["psql", "-v", "ON_ERROR_STOP=1", "-v", "owner_password=o", "-v", "service_password=s", "-f", str(script)]
    env = _libpq(database, OWNER) | {"PGDATABASE": "postgres"}
    subprocess.run(command, env=env, capture_output=True, check=True)


def run(folder: Path, wallets: int = _WALLETS) -> Report:
    return Drill(folder, wallets).run()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="strongroom-drill-") as folder:
        report = run(Path(folder))
    print(report)
    sys.exit(not report.passed)


if __name__ == "__main__":
    main()

"""FakeLedger: a fake of Solana transactions in memory, listed as nodes do at their worst.

Within a slot there is no order, rows come twice, and a listing that is to begin at a signature of another account is
empty, as some providers do it.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from typing import Any

from solders.keypair import Keypair
from solders.pubkey import Pubkey

Question = dict[str, Any]
Answer = dict[str, Any]
TOKEN = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"


class FakeLedger:
    """Coins of ``owner``, and units of ``mint`` in each of ``accounts``. ``answer`` is for `Tap.before`."""

    def __init__(self, seed: int, accounts: int = 2) -> None:
        self.random = random.Random(seed)
        self.owner = Keypair().pubkey()
        self.mint = Keypair().pubkey()
        self.accounts = [Keypair().pubkey() for _ in range(accounts)]
        self.slot = 1000
        self.balances = {str(each): 10**9 for each in (self.owner, *self.accounts)}
        self.transactions: dict[str, Answer] = {}
        """By signature, oldest first."""
        self.listed: dict[str, list[str]] = {each: [] for each in self.balances}
        """Signatures by account, in the node's order."""
        self.lost: set[str] = set()
        """Signatures that no listing contains."""
        self.newest_for_unknown = False
        """The bug in solana-labs/solana#24620: a signature that is not found counts as none."""

    def add(self, slots: int = 1, *, version: int = 0) -> str:
        """Add a transaction that changes some of the accounts, ``slots`` after the last one."""
        self.slot += slots
        signature = str(Keypair().sign_message(self.random.randbytes(8)))
        names = list(self.balances)
        touched = self.random.sample(names, self.random.randint(1, len(names)))
        before = dict(self.balances)
        for each in touched:
            self.balances[each] += self.random.choice([-1, 1]) * self.random.randint(1, 1000)
        keys = [str(Pubkey.default()), *touched]
        coins = [before if side else self.balances for side in (True, False)]
        pre, post = ([1, *(held[k] if k == names[0] else 5 for k in touched)] for held in coins)
        tokens = [
            [
                {"accountIndex": n, "mint": str(self.mint), "owner": str(self.owner), "programId": TOKEN,
                 "uiTokenAmount": {"amount": str(held[k]), "decimals": 6, "uiAmount": 0.1, "uiAmountString": "0.1"}}
                for n, k in enumerate(keys) if k in names[1:]
            ]
            for held in coins
        ]  # fmt: skip
        meta: Answer = {"fee": 5000, "err": None, "preBalances": pre, "postBalances": post}
        meta |= {"preTokenBalances": tokens[0], "postTokenBalances": tokens[1]}
        message = {"accountKeys": keys}
        body = {"slot": self.slot, "blockTime": 1_700_000_000, "meta": meta, "version": version}
        self.transactions[signature] = body | {"transaction": {"signatures": [signature], "message": message}}
        for each in touched:
            of_slot = [s for s in self.listed[each] if self.transactions[s]["slot"] == self.slot]
            self.listed[each].insert(self.random.randint(0, len(of_slot)), signature)
        return signature

    def answer(self, asked: Question) -> Answer | None:
        methods: dict[str, Callable[..., Any]] = {
            "getSlot": self._slot,
            "getMultipleAccounts": self._accounts,
            "getTokenAccountsByOwner": self._token_accounts,
            "getSignatureStatuses": self._statuses,
            "getTransaction": self._transaction,
            "getSignaturesForAddress": self.signatures,
        }
        found: Any = methods[asked["method"]](*asked["params"])
        return found if isinstance(found, dict) and "error" in found else {"result": found}

    def _slot(self, _: Answer) -> int:
        return self.slot

    def _accounts(self, keys: list[str], _: Answer) -> Answer:
        return {"context": {"slot": self.slot}, "value": [None] * len(keys)}

    def _token_accounts(self, _owner: str, program: Answer, _: Answer) -> Answer:
        data = base64.b64encode(bytes(self.mint) + bytes(self.owner) + (7).to_bytes(8, "little") + bytes(36) + b"\1")
        account = {"lamports": 5, "owner": TOKEN, "data": [data.decode(), "base64"]}
        rows = [{"pubkey": str(each), "account": account} for each in self.accounts]
        return {"context": {"slot": self.slot}, "value": rows if program["programId"] == TOKEN else []}

    def _statuses(self, signatures: list[str], _: Answer) -> Answer:
        found = [{"slot": 1, "confirmations": None} if s in self.transactions else None for s in signatures]
        return {"context": {"slot": self.slot}, "value": found}

    def _transaction(self, signature: str, options: Answer) -> Answer | None:
        found = self.transactions.get(signature)
        if found and found["version"] > options["maxSupportedTransactionVersion"]:
            return {"error": {"code": -32015, "message": "Transaction version (1) is not supported"}}
        return found

    def signatures(self, account: str, options: Answer) -> list[Answer]:
        listed = [s for s in self.listed[account] if s not in self.lost]
        before = options.get("before")
        if before in listed:
            listed = listed[listed.index(before) + 1 :]
        elif before is not None and not self.newest_for_unknown:
            listed = []
        rows = [{"signature": s, "slot": self.transactions[s]["slot"], "err": None} for s in listed]
        rows = [row for row in rows for _ in range(1 + (self.random.random() < 0.1))]
        return rows[: options["limit"]]

"""The service as a caller of REST sees it, with two servers started as a user starts one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Set
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from tests.support.server import Server

Vector = dict[str, Any]

PERMISSIVE = {
    "ANY_NETWORK": "true",
    "CHAINS__EVM__MAX_FEE": "off",
    "CHAINS__EVM__MAX_FEE_PERCENT": "off",
    "CHAINS__EVM__MAX_GAS": "off",
    "CHAINS__EVM__MIN_GAS": "off",
    "CHAINS__EVM__MIN_CHAIN_ID": "off",
    "CHAINS__EVM__MAX_INIT_CODE": "off",
    "CHAINS__BITCOIN__MAX_FEE": "off",
    "CHAINS__BITCOIN__MAX_FEE_RATE": "off",
    "CHAINS__BITCOIN__MAX_FEE_PERCENT": "off",
    "CHAINS__BITCOIN__DUST_RELAY_FEE": "off",
    "CHAINS__BITCOIN__MAX_BURN": "off",
    "CHAINS__SOLANA__MAX_FEE": "off",
    "CHAINS__SOLANA__MAX_PRIORITY_FEE": "off",
    "CHAINS__TRON__MAX_FEE_LIMIT": "off",
    "CHAINS__TRON__MIN_FEE_LIMIT": "off",
    "CHAINS__TRON__MAX_EXPIRATION": "off",
    "CHAINS__TRON__MIN_EXPIRATION": "off",
    "CHAINS__TON__MIN_VALIDITY": "off",
    "CHAINS__TON__MAX_VALIDITY": "off",
    "RATES__READ": "off",
    "RATES__CREATE": "off",
    "RATES__ADDRESS": "off",
    "RATES__SIGN": "off",
}
"""For valid vectors. Some are older than today's rules, and a runner is faster than people."""

_KEY_USE = ("strongroom_signatures_total", "strongroom_unwraps_total")


class NotExpressible(Exception):
    """REST cannot express this vector. The message says why."""


class Face:
    """One server. Every method raises AssertionError if the response is not the expected one."""

    def __init__(self, client: httpx.Client, metrics: str) -> None:
        self._client = client
        self._metrics = metrics
        self._wallets: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
        self.caip2 = {network["caip2"] for network in self.get("/networks")["networks"]}

    def get(self, path: str, /, **query: str) -> dict[str, Any]:
        return _success(self._client.get(path, params=query))

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return _success(self._client.post(path, json=body))

    def wallet(self, network: str = "ethereum", **material: str) -> dict[str, Any]:
        """Imported once, with its first address on a network."""
        key = tuple(sorted(material.items()))
        if key not in self._wallets:
            self._wallets[key] = self.post("/wallets/import", {**material, "networks": [network]})
        return self._wallets[key]

    def words_wallet(self, mnemonic: str, passphrase: str = "", **more: str) -> dict[str, Any]:
        return self.wallet(kind="bip39", mnemonic=mnemonic, passphrase=passphrase, **more)

    def key_wallet(
        self, key: str, keyspace: str = "evm", network: str = "ethereum", form: str = "hex"
    ) -> dict[str, Any]:
        return self.wallet(network, kind="raw_key", keyspace=keyspace, format=form, key=key)

    def address_at(self, wallet: dict[str, Any], path: str, network: str = "ethereum") -> dict[str, Any] | None:
        """None where the path fits no scheme."""
        response = self._client.get(f"/wallets/{wallet['id']}/address/{network}", params={"path": path})
        if response.status_code == 422 and response.json()["code"] == "invalid_path":
            return None
        return _success(response)

    def refuses(self, method: str, path: str, codes: Collection[str], **request: Any) -> None:
        """A 4xx with one of the codes, that says why in words, and no key was opened for it."""
        before = self.key_use()
        response = self._client.request(method, path, **request)
        assert response.is_client_error, f"{method} {path}: accepted, {response.status_code}"
        problem = response.json()
        assert response.headers["content-type"] == "application/problem+json"
        assert problem["status"] == response.status_code
        assert problem["detail"]
        assert problem["code"] in codes, f"refused for another reason: {problem['code']}, {problem['detail']}"
        assert self.key_use() == before, "a key was opened for it"

    def key_use(self) -> float:
        """How often the signer was asked to sign and the key wrap to unwrap, since the server started."""
        response = self._client.get(self._metrics)
        assert response.status_code == 200, "the metrics cannot be read"
        lines = [line for line in response.text.splitlines() if line.startswith(_KEY_USE)]
        return sum(float(line.rpartition(" ")[2]) for line in lines)


class Rest:
    """``permissive`` serves what must be signed, ``strict`` (the defaults) what must be refused."""

    def __init__(self, permissive: Face, strict: Face) -> None:
        self.permissive = permissive
        self.strict = strict


@contextmanager
def servers(folder: Path) -> Iterator[Rest]:
    with (
        Server(folder / "permissive", PERMISSIVE) as permissive,
        Server(folder / "strict") as strict,
        permissive.client() as first,
        strict.client() as second,
    ):
        yield Rest(Face(first, f"{permissive.url}/metrics"), Face(second, f"{strict.url}/metrics"))


Run = Callable[[Rest, dict[str, Any], dict[str, Any]], None]


def runner(
    inputs: Set[str], expected: Set[str], optional: Set[str] = frozenset()
) -> Callable[[Run], Callable[[Rest, Vector], None]]:
    """A function of a vector: all of ``inputs`` and ``expected`` must be there, and nothing else but ``optional``."""

    def decorate(run: Run) -> Callable[[Rest, Vector], None]:
        @wraps(run)
        def checked(rest: Rest, vector: Vector) -> None:
            given, answers = vector["input"].keys(), vector["expected"].keys()
            assert inputs <= given <= inputs | optional, "input keys that this runner does not know"
            assert expected <= answers <= expected | optional, "expected keys that this runner does not know"
            run(rest, vector["input"], vector["expected"])

        return checked

    return decorate


def same(name: str, found: object, expected: object) -> None:
    assert found == expected, f"{name}: {str(found)[:100]} instead of {str(expected)[:100]}"


def segment(text: str) -> str:
    """Text as one segment of a URL's path."""
    return quote(text, safe="")


def _success(response: httpx.Response) -> dict[str, Any]:
    assert response.is_success, f"{response.request.url.path}: {response.status_code} {response.text[:300]}"
    answer: dict[str, Any] = response.json()
    return answer

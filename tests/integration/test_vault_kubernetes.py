"""Login with a pod's token at a real OpenBao. A fake Kubernetes reviews the token, with one response for all."""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from strongroom.errors import KeyWrapUnavailable
from strongroom.keywrap.vault.login import KubernetesMethod
from tests.support import vault
from tests.support.openbao import OpenBao

pytestmark = pytest.mark.needs("openbao")

ITEM = (bytes(range(32)), b"c" * 32)
GOOD = "strongroom"


class FakeTokenReview(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = "system:serviceaccount:wallets:strongroom"
        valid = review["spec"]["token"] == token(GOOD)
        status: dict[str, Any] = {"authenticated": valid}
        if valid:
            status["user"] = {"username": name, "uid": "7", "groups": ["system:serviceaccounts"]}
        body = json.dumps({**review, "status": status}).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


def token(serial: str) -> str:
    """In the form of a JWT. Only the review says whether it is good."""
    account = {"kubernetes.io": {"namespace": "wallets", "serviceaccount": {"name": "strongroom", "uid": "7"}}}
    claims = {
        "sub": "system:serviceaccount:wallets:strongroom",
        "nbf": 1700000000,
        "iat": 1700000000,
        "exp": 4102444800,
        "jti": serial,
        **account,
    }
    parts = (json.dumps({"alg": "RS256"}).encode(), json.dumps(claims).encode(), b"signature")
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


@pytest.fixture
def role(openbao: OpenBao) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeTokenReview)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    openbao.ask("POST", "sys/auth/k8s", type="kubernetes")
    host = f"http://127.0.0.1:{server.server_port}"
    openbao.ask(
        "POST",
        "auth/k8s/config",
        kubernetes_host=host,
        disable_local_ca_jwt=True,
        kubernetes_ca_cert="not needed for http",
    )
    openbao.ask(
        "POST", "auth/k8s/role/wallets", bound_service_account_names="strongroom",
        bound_service_account_namespaces="wallets", token_policies="strongroom", token_ttl="1h",
    )  # fmt: skip
    yield "wallets"
    openbao.ask("DELETE", "sys/auth/k8s")
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_pods_token_logs_in(openbao: OpenBao, role: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    keywrap = vault.keywrap(openbao.url, KubernetesMethod("k8s", role, file))
    file.write_text(token("of another cluster"))
    with pytest.raises(KeyWrapUnavailable):
        await keywrap.wrap([ITEM])
    assert (await keywrap.check()).state == "denied"
    file.write_text(token(GOOD))
    [wrapped] = await keywrap.wrap([ITEM])
    assert await keywrap.unwrap([(wrapped, ITEM[1])]) == [ITEM[0]]
    await keywrap.close()

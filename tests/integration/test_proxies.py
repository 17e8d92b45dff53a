"""Behind a real HAProxy and a real nginx, under a path prefix that they remove. Nothing leads out of the prefix."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import grpc
import httpx
import pytest

from strongroom.entrypoints.grpc.pb.strongroom.v1 import wallet_service_pb2 as pb
from tests.support.debian import debian_program
from tests.support.server import Server, free_port

PREFIX = "/wallets-behind"


def haproxy(server: Server, port: int, grpc_port: int, folder: Path) -> list[str | Path]:
    file = folder / "haproxy.cfg"
    file.write_text(f"""\
defaults
  timeout connect 60s
  timeout client 60s
  timeout server 60s
frontend http
  mode http
  bind 127.0.0.1:{port}
  http-request deny unless {{ path_beg {PREFIX}/ }}
  http-request set-header X-Forwarded-Prefix {PREFIX}
  http-request replace-path {PREFIX}(/.*) \\1
  default_backend rest
backend rest
  mode http
  server one 127.0.0.1:{server.http_port}
frontend grpc
  mode http
  bind 127.0.0.1:{grpc_port} proto h2
  default_backend grpc
backend grpc
  mode http
  server one 127.0.0.1:{server.grpc_port} proto h2
""")
    return ["haproxy", "-f", file]


def nginx(server: Server, port: int, grpc_port: int, folder: Path) -> list[str | Path]:
    file = folder / "nginx.conf"
    temporary = "\n".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.getuid() == 0 else ""
    file.write_text(f"""\
daemon off; pid {folder}/pid; error_log stderr; {user}
events {{}}
http {{
  access_log off;
  {temporary}
  server {{
    listen 127.0.0.1:{port};
    location {PREFIX}/ {{
      proxy_set_header X-Forwarded-Prefix {PREFIX};
      proxy_pass http://127.0.0.1:{server.http_port}/;
      proxy_redirect off;
    }}
  }}
  server {{
    listen 127.0.0.1:{grpc_port};
    http2 on;
    location / {{ grpc_pass grpc://127.0.0.1:{server.grpc_port}; }}
  }}
}}
""")
    return ["nginx", "-e", "stderr", "-p", folder, "-c", file]


PROXIES: dict[str, Callable[[Server, int, int, Path], list[str | Path]]] = {"haproxy": haproxy, "nginx": nginx}


@contextmanager
def running(command: list[str | Path], port: int) -> Iterator[None]:
    program = debian_program(str(command[0]))
    assert program is not None
    process = subprocess.Popen([program, *command[1:]])
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "the proxy did not start"
                assert time.monotonic() < deadline, "the proxy did not start"
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("behind")) as made:
        yield made


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.needs(name)) for name in PROXIES])
def test_nothing_leads_out_of_the_prefix(server: Server, tmp_path: Path, name: str) -> None:
    port, grpc_port = free_port(), free_port()
    root = f"http://127.0.0.1:{port}{PREFIX}/"
    with running(PROXIES[name](server, port, grpc_port, tmp_path), port):
        with httpx.Client(headers={"X-API-Key": server.api_key}, timeout=60, trust_env=False) as client:
            found = client.get(root)
            assert found.status_code == 307
            assert urljoin(root, found.headers["Location"]) == f"{root}docs"
            page = client.get(f"{root}docs")
            assert page.status_code == 200
            linked = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"'#]+)["']""", page.text)
            assert linked
            for each in linked:
                if not urlsplit(each).netloc:
                    assert urljoin(f"{root}docs", each).startswith(root), each
                    if not each.startswith("data:"):
                        assert client.get(urljoin(f"{root}docs", each)).status_code == 200, each
            document = client.get(f"{root}openapi.json").json()
            [base] = {urljoin(f"{root}openapi.json", each["url"]) for each in document["servers"]}
            assert base.startswith(root)

            made = client.post(f"{root}api/v1/wallets", json={"networks": ["ethereum"]})
            assert made.status_code == 201
            assert not urlsplit(made.headers["Location"]).netloc
            place = urljoin(f"{root}api/v1/wallets", made.headers["Location"])
            assert place.startswith(root)
            assert client.get(place).json()["id"] == made.json()["id"]
            refused = client.get(f"{root}api/v1/wallets/none")
            assert refused.status_code in (400, 404)

        with grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
            call = channel.unary_unary(
                "/strongroom.v1.WalletService/GetWallet",
                request_serializer=pb.GetWalletRequest.SerializeToString,
                response_deserializer=pb.Wallet.FromString,
            )
            got = call(
                pb.GetWalletRequest(wallet_id=made.json()["id"]),
                metadata=(("x-api-key", server.api_key),),
                timeout=60,
                wait_for_ready=True,
            )
            assert got.id == made.json()["id"]

        environment = {**server.environment, "STRONGROOM_URL": root, "STRONGROOM_API_KEY": server.api_key}
        ran = subprocess.run(
            [sys.executable, "-m", "strongroom", "wallet", "list", "--json"],
            env=environment, capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        assert made.json()["id"] in ran.stdout

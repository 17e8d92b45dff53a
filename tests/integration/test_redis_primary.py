"""Redis that changes its role, several of them behind a Sentinel, and a Redis Cluster, which is not supported."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from strongroom.breaker import CircuitBreaker, CircuitState
from strongroom.cache.client import connect
from strongroom.config.secret_files import FileSecret
from strongroom.config.settings import load
from strongroom.errors import ConfigurationError
from strongroom.redis_link import Lost, RedisLink
from tests.support.redis import RedisServer, program
from tests.support.server import free_port

pytestmark = pytest.mark.needs("redis")


@contextmanager
def started(folder: Path, *options: str) -> Iterator[int]:
    port = free_port()
    found = program()
    assert found is not None
    command = [found, *options[:1]] if options[:1] and options[0].endswith(".conf") else [found]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), *options[len(command) - 1 :]],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def client(url: str, password: FileSecret | None = None) -> Redis:
    return connect(url, username=None, password=password, ca_file=None, pool_size=4)


async def test_a_demoted_server_is_let_go(redis_server: RedisServer) -> None:
    redis_server.reset()
    link = RedisLink(client(redis_server.url), CircuitBreaker("redis", threshold=1, interval=0.05), timeout=30)
    await link.ask(lambda: link.client.set("a", "1"))
    redis_server.read_only()
    try:
        with pytest.raises(Lost):
            await link.ask(lambda: link.client.set("a", "2"))
        assert link.breaker.state is CircuitState.CLOSED  # reads are still served
        assert link.client.connection_pool._available_connections == [] or all(
            not each.is_connected for each in link.client.connection_pool._available_connections if each is not None
        )
    finally:
        redis_server.reset()
        await link.close()


async def test_a_demoted_server_is_let_go_by_a_script(redis_server: RedisServer) -> None:
    """Redis 6 reports it as an error of the script."""
    redis_server.reset()
    link = RedisLink(client(redis_server.url), CircuitBreaker("redis", threshold=1, interval=0.05), timeout=30)
    script = link.client.register_script("return redis.call('SET', KEYS[1], '1')")
    await link.ask(lambda: script(keys=["a"]))
    redis_server.read_only()
    try:
        with pytest.raises(Lost):
            await link.ask(lambda: script(keys=["a"]))
        assert link.breaker.state is CircuitState.CLOSED  # reads are still served
        assert not any(each.is_connected for each in link.client.connection_pool._available_connections)
        with pytest.raises(ResponseError, match="user_script"):
            await link.ask(lambda: link.client.eval("return nothing()", 0))
    finally:
        redis_server.reset()
        await link.close()


async def test_sentinels_name_the_primary(redis_server: RedisServer, tmp_path: Path) -> None:
    redis_server.reset()
    conf = tmp_path / "sentinel.conf"
    conf.write_text(f"sentinel monitor wallets 127.0.0.1 {redis_server.port} 1\n")
    with started(tmp_path, str(conf), "--sentinel") as port:
        primary = client(f"redis+sentinel://127.0.0.1:1,127.0.0.1:{port}/wallets/0")
        assert await primary.set("by", "sentinel")
        assert redis_server.ask.get("by") == b"sentinel"
        await RedisLink(primary, CircuitBreaker("redis", threshold=1, interval=1)).close()


async def test_a_password_that_was_replaced_is_used_for_the_next_connection(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("old\n")
    with started(tmp_path, "--requirepass", "old") as port:
        secret = FileSecret(file)
        found = client(f"redis://127.0.0.1:{port}/0", secret)
        assert await found.ping()
        await found.config_set("requirepass", "new")
        file.write_text("newer\n")
        file.write_text("new\n")
        await found.connection_pool.disconnect()
        assert await found.ping()
        assert secret.reveal() == "new"
        await found.aclose(close_connection_pool=True)


def test_a_file_that_is_gone_or_empty_leaves_the_last_secret(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("one\n")
    secret = FileSecret(file)
    file.write_text("")
    assert secret.reveal() == "one"
    file.unlink()
    assert secret.reveal() == "one"
    file.write_text("two")
    assert secret.reveal() == "two"
    assert "two" not in repr(secret)


@pytest.mark.parametrize("url", ["redis://a,b/0", "redis://a:1,b:2", "redis+sentinel://a:1,b:2", "redis+cluster://a/x"])
def test_several_hosts_are_for_sentinel_alone(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"redis\+sentinel"):
        load({"STRONGROOM_REDIS__URL": url}, dotenv=None)
    load({"STRONGROOM_REDIS__URL": "redis+sentinel://u:p@a:1,b:2/wallets/1"}, dotenv=None)

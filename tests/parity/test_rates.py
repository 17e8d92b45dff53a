"""What a caller learns about its rates is the same over REST and gRPC, on success and on every refusal."""

from __future__ import annotations

from typing import Any

import grpc

from strongroom.entrypoints.http.app import PREFIX
from tests.support.grpc_calls import unary
from tests.support.service import RPC, NewService, RunningService

NAMES = ("ratelimit-policy", "ratelimit")


async def by_http(service: RunningService, path: str, key: str | None) -> tuple[int, dict[str, str]]:
    headers = {} if key is None else {"X-API-Key": key}
    answer = await service.http.client.get(PREFIX + path, headers=headers)
    told = {name: answer.headers[name] for name in (*NAMES, "retry-after") if name in answer.headers}
    return answer.status_code, told


async def by_grpc(service: RunningService, rpc: str, raw: bytes, key: str | None) -> tuple[Any, dict[str, str]]:
    call = unary(service.grpc.channel, f"/{RPC.full_name}/{rpc}")(
        raw, metadata=() if key is None else (("x-api-key", key),)
    )
    code, trailers = await call.code(), await call.trailing_metadata()
    return code, {name: str(value) for name, value in trailers or () if name in NAMES}


async def test_each_answer_tells_what_is_left(new_service: NewService, counting: dict[str, str]) -> None:
    async with new_service(RATES__READ="4/day", **counting) as service:
        status, told = await by_http(service, "/networks", service.key)
        assert (status, told) == (
            200, {"ratelimit-policy": '"read";q=4;w=86400', "ratelimit": '"read";r=3;t=21600'},
        )  # fmt: skip
        code, told = await by_grpc(service, "ListNetworks", b"", service.key)
        assert code is grpc.StatusCode.OK
        assert told["ratelimit-policy"] == '"read";q=4;w=86400'
        assert told["ratelimit"].startswith('"read";r=2;t=43')

        status, told = await by_http(service, "/wallets?limit=0", service.key)
        assert status == 422
        assert told["ratelimit"].startswith('"read";r=1;t=64'), "what cannot be read is charged all the same"
        less = await service.new_key(["sign:message"])
        status, told = await by_http(service, "/networks", less)
        assert (status, told["ratelimit"]) == (403, '"read";r=3;t=21600')
        status, told = await by_http(service, "/networks", None)
        assert (status, told) == (401, {})

        assert (await by_http(service, "/networks", service.key))[0] == 200
        status, told = await by_http(service, "/networks", service.key)
        assert status == 429
        assert told["ratelimit"].startswith('"read";r=0;t=86')
        assert 21000 < int(told["retry-after"]) <= 21600
        code, told = await by_grpc(service, "ListNetworks", b"", service.key)
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert told["ratelimit"].startswith('"read";r=0;t=86')


async def test_wallet_has_a_rate_of_all_callers_together(new_service: NewService, counting: dict[str, str]) -> None:
    async with new_service(WALLET_RATES__READ="2/day", **counting) as service:
        wallets = [(await service.http.call("wallets.create", {}, key=service.key)).result["id"] for _ in range(2)]
        mate = await service.new_key()
        status, told = await by_http(service, f"/wallets/{wallets[0]}", service.key)
        assert (status, told["ratelimit-policy"]) == (200, '"read";q=500;w=1, "wallet-read";q=2;w=86400')
        assert told["ratelimit"].endswith('"wallet-read";r=1;t=43200')
        assert (await service.grpc.call("wallets.get", {"wallet_id": wallets[0]}, key=mate)).code == "ok"
        for face in service.faces:
            for key in (service.key, mate):
                refused = await face.call("wallets.get", {"wallet_id": wallets[0]}, key=key)
                assert (refused.code, refused.retries) == ("rate_limited", True)
            assert (await face.call("wallets.get", {"wallet_id": wallets[1]}, key=mate)).code == "ok"

"""Stand-ins for two programs that users have and tests do not need, as far as docs/walk.md uses them.

``python -m tests.support.stand_ins grpcurl -plaintext -H 'x-api-key: …' -d '{…}' TARGET SERVICE/METHOD``
``python -m tests.support.stand_ins bitcoin-cli [-rpcwallet=NAME] METHOD [PARAMETER…]``, for the node at BITCOIND
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

import grpc
import httpx
from google.protobuf.json_format import MessageToJson, Parse
from google.protobuf.message_factory import GetMessageClass

from strongroom.entrypoints.grpc.pb.strongroom.v1.wallet_service_pb2 import DESCRIPTOR


def main(program: str, *arguments: str) -> int:
    return {"grpcurl": grpcurl, "bitcoin-cli": bitcoin_cli}[program](arguments)


def grpcurl(arguments: tuple[str, ...]) -> int:
    parser = argparse.ArgumentParser("grpcurl", allow_abbrev=False)
    parser.add_argument("-plaintext", action="store_true", required=True)
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d", default="{}")
    parser.add_argument("target")
    parser.add_argument("method")
    given = parser.parse_args(arguments)
    service, _, name = given.method.partition("/")
    method = DESCRIPTOR.services_by_name[service.rpartition(".")[2]].methods_by_name[name]
    asked = Parse(given.d, GetMessageClass(method.input_type)())
    with grpc.insecure_channel(given.target) as channel:
        call: Any = channel.unary_unary(
            f"/{given.method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        headers = [tuple(header.split(": ", 1)) for header in given.H]
        try:
            answer = call(asked, metadata=headers, timeout=60)
        except grpc.RpcError as error:
            print(f"ERROR: {error}", file=sys.stderr)
            return 1
    print(MessageToJson(answer))
    return 0


def bitcoin_cli(arguments: tuple[str, ...]) -> int:
    options = dict(each[1:].partition("=")[::2] for each in arguments if each.startswith("-"))
    method, *rest = [each for each in arguments if not each.startswith("-")]
    path = f"wallet/{options['rpcwallet']}" if "rpcwallet" in options else ""
    asked = {"id": 1, "method": method, "params": [_value(each) for each in rest]}
    told = httpx.post(os.environ["BITCOIND"] + path, json=asked, timeout=60, trust_env=False).json()
    if told["error"] is not None:
        print(f"error: {told['error']}", file=sys.stderr)
        return 1
    result = told["result"]
    print(result if isinstance(result, str) else json.dumps(result, indent=2))
    return 0


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

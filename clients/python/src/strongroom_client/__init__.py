"""Typed client of Strongroom, the self-hosted wallet service.

    from strongroom_client import Client

    with Client("http://127.0.0.1:3000", "sk_...") as strongroom:
        wallet = strongroom.wallets.create(label="Hot", networks=["ethereum"])

`AsyncClient` has the same methods as coroutines. Results are the types of `strongroom_client.types`. Every error is a
`StrongroomError`, with a class per code in `strongroom_client.errors`.
"""

from strongroom_client import errors, types
from strongroom_client.client import AsyncClient, Client
from strongroom_client.core import Retries
from strongroom_client.problem import NoResponse, StrongroomError, UnexpectedResponse
from strongroom_client.secret import SecretText

__all__ = [
    "AsyncClient",
    "Client",
    "NoResponse",
    "Retries",
    "SecretText",
    "StrongroomError",
    "UnexpectedResponse",
    "errors",
    "types",
]

"""The heartbeat: a POST to a service that raises the alarm if none arrives."""

from __future__ import annotations

import asyncio
from typing import Final

import httpx

from strongroom.alerts.base import NotDelivered
from strongroom.domain.secret import Secret

_SECONDS: Final = 5.0


class Heartbeat:
    def __init__(self, url: Secret) -> None:
        self._url = url
        self._trust = httpx.create_ssl_context()  # reading the authorities takes tens of milliseconds

    async def __call__(self) -> None:
        """Send one heartbeat. Raises NotDelivered, without the URL, which may hold a token."""
        try:
            async with (
                asyncio.timeout(_SECONDS),  # httpx has this time for each part of a response
                httpx.AsyncClient(verify=self._trust, timeout=_SECONDS, follow_redirects=False) as client,
                client.stream("POST", self._url.reveal(), json={"service": "strongroom"}) as response,
            ):
                status = response.status_code
        except httpx.HTTPError:
            raise NotDelivered("unreachable") from None
        except TimeoutError:
            raise NotDelivered("slow") from None
        if status >= 300:
            raise NotDelivered(f"http_{status}")

"""One service for all cases of a file with the same settings.

Each case has its own tenant, but what was signed is remembered by address. So cases that sign the same nonce need
different services.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.support.service import RunningService, running

ServiceWith = Callable[..., Awaitable[RunningService]]
"""``await service_with(CHAINS__TON__MAX_VALIDITY="off")``"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service_with(prepared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServiceWith]:
    started: dict[frozenset[tuple[str, str]], RunningService] = {}
    async with AsyncExitStack() as stack:

        async def get(**settings: str) -> RunningService:
            wanted = frozenset(settings.items())
            if wanted not in started:
                data = tmp_path_factory.mktemp("cases") / "data"
                shutil.copytree(prepared_data, data)
                started[wanted] = await stack.enter_async_context(running(data, settings))
            service = started[wanted]
            return replace(service, key=await service.new_key(tenant=uuid4()))

        yield get

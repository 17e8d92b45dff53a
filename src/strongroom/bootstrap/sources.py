"""Readers of the chains: for each network with configured sources, a pool of them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from strongroom.cache.base import Cache
from strongroom.config import Settings
from strongroom.config.sections import SourceSettings
from strongroom.domain.asset import Asset, coin_of
from strongroom.domain.network import Network
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError, UnknownNetwork
from strongroom.operations.networks import Networks
from strongroom.operations.reading import Reading
from strongroom.rpc.base import Setup

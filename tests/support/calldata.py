"""Call data for tests. The product only reads call data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from strongroom.codecs import abi


def encode_call(signature: str, args: Sequence[Any]) -> bytes:
    return abi.selector(signature) + abi.encode(abi.types(signature), args)

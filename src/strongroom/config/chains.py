"""The settings of the sources that chains are read from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from strongroom.config.fields import MaybeSecret, Rate, Section, Whole, whole
from strongroom.domain.discovery import AT_ONCE, GAP, KEYS_AT_ONCE, RATE

SourceKind = Literal[
    "bitcoin-core", "electrum", "esplora", "evm", "etherscan", "otterscan", "evm-logs", "tron", "trongrid", "solana",
    "toncenter-v3", "toncenter-v2",
]  # fmt: skip


class SourceSettings(Section):
    """One ``[[sources]]`` in the TOML file: an endpoint from which one network is read."""

    network: str = Field(min_length=1, max_length=64)
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    kind: SourceKind
    url: MaybeSecret = None
    url_file: Path | None = None
    solid_url: MaybeSecret = None
    """Tron: the URL of ``/walletsolidity``, if that is not beside ``/wallet``."""
    headers_file: Path | None = None
    """One ``Name: value`` per line, sent with every request."""
    operator: str | None = Field(default=None, min_length=1, max_length=64)
    """The company that runs it. Sources of one operator count as one vote. Default: the source's name."""
    rate: Rate = None
    """What the provider allows. Default: unlimited, except for kinds with public services of a known limit."""
    burst: Annotated[int, BeforeValidator(whole), Field(ge=1, le=10_000)] | None = None
    """Maximum burst. Default: as many requests as in a second."""
    batch: Annotated[int, BeforeValidator(whole), Field(ge=1, le=1000)] | None = None
    """JSON-RPC calls per request. Default: what the kind usually accepts."""
    priority: Annotated[int, BeforeValidator(whole), Field(ge=0, le=100)] = 10
    """A lower number is asked first."""
    finality: Annotated[int, BeforeValidator(whole), Field(ge=0, le=100_000)] | Literal["tag"] | None = None
    """Blocks on top after which a block is final, or ``tag`` to ask the node. Default: as usual for the chain."""
    op_stack: bool = False
    """EVM: a rollup of the OP stack (Optimism, Base), whose fees include a part for data."""
    genesis: str | None = Field(default=None, pattern=r"^[0-9A-Za-z]{1,64}$")
    """The chain's own id, if it is not in the network's CAIP-2 id. Needed for a private chain."""
    fingerprint: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """Electrum: SHA-256 of the server's certificate, which is then trusted instead of the authorities."""
    ca_file: Path | None = None
    traceparent: bool = False
    """Send the trace context with each request, for a node of your own. HTTP only."""

    @model_validator(mode="after")
    def _has_one_url(self) -> Self:
        if (self.url is None) == (self.url_file is None):
            raise ValueError("give url or url_file")
        return self


class NodeSettings(Section):
    """How chains are read."""

    quorum: Whole = Field(
        default=2,
        ge=1,
        le=3,
        description="Operators that must agree on decisions about money, if that many are configured",
    )
    gap: Whole = Field(
        default=GAP,
        ge=1,
        le=KEYS_AT_ONCE,
        description="Consecutive unused addresses that end a branch of a discovery whose request sets no `gap`",
    )
    discovery_rate: Whole = Field(
        default=RATE,
        ge=1,
        le=1000,
        description=(
            f"Maximum addresses per second that one discovery asks for on average. One request asks for up to {AT_ONCE}"
        ),
    )

"""The sections of the settings that say from where chains are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from strongroom.config.sections import MaybeSecret, Rate, Section, Whole, whole

SourceKind = Literal[
    "bitcoin-core", "electrum", "esplora", "evm", "etherscan", "otterscan", "evm-logs", "tron", "trongrid", "solana",
    "toncenter-v3", "toncenter-v2",
]  # fmt: skip


class SourceSettings(Section):
    """One ``[[sources]]`` of the TOML file: an endpoint from which one network is read."""

    network: str = Field(min_length=1, max_length=64)
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    kind: SourceKind
    url: MaybeSecret = None
    url_file: Path | None = None
    solid_url: MaybeSecret = None
    """Tron: where ``/walletsolidity`` is, if that is not beside ``/wallet``."""
    headers_file: Path | None = None
    """One ``Name: value`` a line, sent with every request."""
    operator: str | None = Field(default=None, min_length=1, max_length=64)
    """Who runs it: two sources of one operator are one vote. Its name where left out."""
    rate: Rate = None
    """As the provider allows; none where left out, but for kinds whose public service is known to have one."""
    burst: Annotated[int, BeforeValidator(whole), Field(ge=1, le=10_000)] | None = None
    """How many at once; as many as in a second where left out."""
    batch: Annotated[int, BeforeValidator(whole), Field(ge=1, le=1000)] | None = None
    """JSON-RPC calls in one request; as the kind usually takes them where left out."""
    priority: Annotated[int, BeforeValidator(whole), Field(ge=0, le=100)] = 10
    """Lower is asked first."""
    finality: Annotated[int, BeforeValidator(whole), Field(ge=0, le=100_000)] | Literal["tag"] | None = None
    """Blocks on top after which a block does not change, or ``tag``; as the chain usually has it where left out."""
    op_stack: bool = False
    """EVM: a rollup of the OP stack (Optimism, Base): its fees have a part for the data."""
    genesis: str | None = Field(default=None, pattern=r"^[0-9A-Za-z]{1,64}$")
    """What the chain says that it is, where that is not in the network's CAIP-2 id: of a chain of one's own."""
    fingerprint: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """Electrum: SHA-256 of the server's certificate, which is trusted then in place of the authorities."""
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _has_one_url(self) -> Self:
        if (self.url is None) == (self.url_file is None):
            raise ValueError("give url or url_file")
        return self


class NodeSettings(Section):
    """How chains are read."""

    quorum: Whole = Field(
        default=2, ge=1, le=3, description="Operators that must agree where money is decided, if so many are there"
    )
    gap: Whole = Field(
        default=20, ge=1, le=200, description="Unused addresses in a row after which an imported wallet has no more"
    )
    discovery_rate: Whole = Field(
        default=10, ge=1, le=1000, description="Addresses a second that are asked for while one is discovered, at most"
    )

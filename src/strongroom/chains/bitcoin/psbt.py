"""Partially signed transactions, version 0 (BIP-174), with the fields of Taproot (BIP-371)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from strongroom.chains.bitcoin.transaction import Transaction, TxOut


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a key comes from."""

    fingerprint: bytes
    """Of the master key, 4 bytes."""
    path: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TapOrigin:
    """Where an x-only key comes from, and the leaves that it signs; none for the internal key."""

    leaf_hashes: tuple[bytes, ...]
    origin: Origin


Unknown: TypeAlias = Mapping[bytes, bytes]
"""Fields that nothing here reads, by their whole key: kept byte for byte."""


@dataclass(frozen=True, kw_only=True)
class PsbtInput:
    non_witness_utxo: Transaction | None = None
    witness_utxo: TxOut | None = None
    partial_sigs: Mapping[bytes, bytes] = field(default_factory=dict)
    """DER with its sighash byte, by public key."""
    sighash_type: int | None = None
    redeem_script: bytes | None = None
    witness_script: bytes | None = None
    bip32_derivations: Mapping[bytes, Origin] = field(default_factory=dict)
    final_script_sig: bytes | None = None
    final_script_witness: tuple[bytes, ...] | None = None
    preimages: Mapping[bytes, bytes] = field(default_factory=dict)
    """By the whole key: type and hash."""
    tap_key_sig: bytes | None = None
    tap_script_sigs: Mapping[bytes, bytes] = field(default_factory=dict)
    """By x-only key and leaf hash (64 bytes)."""
    tap_leaf_scripts: Mapping[bytes, bytes] = field(default_factory=dict)
    """Script and leaf version, by control block."""
    tap_bip32_derivations: Mapping[bytes, TapOrigin] = field(default_factory=dict)
    tap_internal_key: bytes | None = None
    tap_merkle_root: bytes | None = None
    unknown: Unknown = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PsbtOutput:
    redeem_script: bytes | None = None
    witness_script: bytes | None = None
    bip32_derivations: Mapping[bytes, Origin] = field(default_factory=dict)
    tap_internal_key: bytes | None = None
    tap_tree: bytes | None = None
    tap_bip32_derivations: Mapping[bytes, TapOrigin] = field(default_factory=dict)
    unknown: Unknown = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Psbt:
    transaction: Transaction
    inputs: tuple[PsbtInput, ...]
    outputs: tuple[PsbtOutput, ...]
    xpubs: Mapping[bytes, Origin] = field(default_factory=dict)
    """By extended key, 78 bytes."""
    unknown: Unknown = field(default_factory=dict)


def parse(raw: bytes) -> Psbt:
    """Raises ValueError."""
    raise NotImplementedError


def parse_text(text: str) -> Psbt:
    """Base64, or hex with the magic. Raises ValueError."""
    raise NotImplementedError


def serialize(psbt: Psbt) -> bytes:
    raise NotImplementedError


def to_base64(psbt: Psbt) -> str:
    raise NotImplementedError


def utxo(psbt: Psbt, index: int) -> TxOut | None:
    """The output that an input spends, from whichever field says it."""
    raise NotImplementedError

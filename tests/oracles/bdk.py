"""bdkpython, the Bitcoin Dev Kit, as a second wallet. Imports nothing of ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import bdkpython as bdk

SCHEMES = {
    "bip44": bdk.Descriptor.new_bip44,
    "bip49": bdk.Descriptor.new_bip49,
    "bip84": bdk.Descriptor.new_bip84,
    "bip86": bdk.Descriptor.new_bip86,
}
NETWORKS = {
    "bitcoin": bdk.Network.BITCOIN,
    "bitcoin-testnet3": bdk.Network.TESTNET,
    "bitcoin-testnet4": bdk.Network.TESTNET4,
    "bitcoin-signet": bdk.Network.SIGNET,
    "bitcoin-regtest": bdk.Network.REGTEST,
}
_CHANGE = (bdk.KeychainKind.EXTERNAL, bdk.KeychainKind.INTERNAL)


@dataclass(frozen=True)
class Wallet:
    entropy: bytes
    passphrase: str
    network: str

    @cached_property
    def words(self) -> str:
        return str(bdk.Mnemonic.from_entropy(self.entropy))

    def addresses(self, scheme: str, change: int, indexes: Iterable[int]) -> list[str]:
        return self._addresses(SCHEMES[scheme](self._master, _CHANGE[change], self._kind), indexes)

    def addresses_of(self, descriptor: str, change: int, indexes: Iterable[int]) -> list[str]:
        """Of a descriptor with two paths."""
        single = bdk.Descriptor(descriptor, self._kind).to_single_descriptors()[change]
        return self._addresses(single, indexes)

    @cached_property
    def _master(self) -> bdk.DescriptorSecretKey:
        return bdk.DescriptorSecretKey(self._kind, bdk.Mnemonic.from_string(self.words), self.passphrase)

    @property
    def _kind(self) -> bdk.NetworkKind:
        return bdk.NetworkKind.MAIN if self.network == "bitcoin" else bdk.NetworkKind.TEST

    def _addresses(self, descriptor: bdk.Descriptor, indexes: Iterable[int]) -> list[str]:
        return [str(descriptor.derive_address(index, NETWORKS[self.network])) for index in indexes]

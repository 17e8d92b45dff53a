"""What a transaction or an authorization uses up, and so is signed for once: a nonce of an account on a chain.

Everything that a nonce can be spent on shares one guard: a transaction with nonce n, and an authorization (EIP-7702)
of nonce n, since applying it raises the nonce of its account. Of the two, one alone can take effect.

Some signatures are valid on every chain: a transaction from before EIP-155, and an authorization for chain id 0. They
take two guards, that of their network and a chain-less one.

- On their own network they conflict with every other use of the nonce, whichever was signed first, by its guard.
- With each other they conflict on all networks, by the chain-less guard. Without it two of them, signed for two
  networks, could change places.
- With ordinary transactions on other networks they do not conflict, in neither order. On each chain only one of the two
  can confirm, so nothing that was meant once is done twice there. That the chain-less one can be carried to that chain
  at all is what `sign:pre155` and the cautions no_replay_protection and authorization_any_chain are about. A common
  guard would make ordinary transactions with equal nonces on different chains exclude each other.
"""

from __future__ import annotations

from typing import Final

from strongroom.chains.evm.transaction import Authorization, Transaction
from strongroom.domain.network import Network
from strongroom.domain.signing import Guard

EVERY_CHAIN: Final = "eip155:0"


def of_transaction(network: Network, transaction: Transaction, sender: bytes, digest: bytes) -> tuple[Guard, ...]:
    chain_ids = (network.caip2, EVERY_CHAIN) if transaction.chain_id is None else (network.caip2,)
    return _guards(network, chain_ids, sender, transaction.nonce, digest)


def of_authorization(network: Network, authorization: Authorization, signer: bytes) -> tuple[Guard, ...]:
    chain_ids = (network.caip2,) if authorization.chain_id else (network.caip2, EVERY_CHAIN)
    return _guards(network, chain_ids, signer, authorization.nonce, authorization.signing_hash)


def _guards(
    network: Network, chain_ids: tuple[str, ...], account: bytes, nonce: int, digest: bytes
) -> tuple[Guard, ...]:
    return tuple(Guard(network.keyspace, chain_id, account.hex(), str(nonce), digest) for chain_id in chain_ids)

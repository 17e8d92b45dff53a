"""Guards of transactions and authorizations, so that each nonce of an account on a chain is signed for only once.

All uses of a nonce share one guard. A transaction and an authorization (EIP-7702) with the same nonce are two such
uses, because applying an authorization increases the nonce of its account. Only one of the two can take effect.

A transaction from before EIP-155 and an authorization for chain id 0 are valid on every chain. They take two guards,
one of their network and one that is the same for every chain.

- On their own network, the first guard makes them conflict with every other use of the nonce, in either order.
- With each other they conflict on all networks, by the second guard. Without it, two of them that were signed for two
  networks could be swapped.
- They do not conflict with ordinary transactions on other networks, in either order. On each chain only one of the two
  can confirm, so nothing that was meant once happens twice there. The scope `sign:pre155` and the cautions
  no_replay_protection and authorization_any_chain exist because the signature can be carried to another chain at all.
  A shared guard would make ordinary transactions with the same nonce on different chains exclude each other.
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

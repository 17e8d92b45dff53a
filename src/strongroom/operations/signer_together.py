"""A signer for the items of a batch. What they ask at the same time goes to the real signer as one request."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from strongroom.domain.signing import SignRequest
from strongroom.domain.wallet import Owner, PublicNode, SealedSecret
from strongroom.keys.base import (
    Created,
    KeyFailure,
    Mnemonic,
    NewSeed,
    NewTonWords,
    RawKey,
    Signer,
    TonWords,
    Want,
)
from strongroom.operations.together import Meeting


class ForMany:
    """The requests to a signer on behalf of many items."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer

    async def create(
        self, asks: Sequence[tuple[Owner, NewSeed | NewTonWords, Sequence[Want]]]
    ) -> list[Created | Exception]:
        return await self.signer.create_all(asks)

    async def sign(self, asks: Sequence[Sequence[SignRequest]]) -> list[list[bytes | KeyFailure]]:
        answers = iter(await self.signer.sign([request for requests in asks for request in requests]))
        return [[next(answers) for _ in requests] for requests in asks]


class SignerTogether:
    """Implements `Signer` for one item."""

    def __init__(self, many: ForMany, meeting: Meeting) -> None:
        self._many = many
        self._inner = many.signer
        self._meeting = meeting

    async def create(self, owner: Owner, spec: NewSeed | NewTonWords, wants: Sequence[Want]) -> Created:
        return await self._meeting.ask(self._many.create, (owner, spec, wants))

    async def create_all(
        self, asks: Sequence[tuple[Owner, NewSeed | NewTonWords, Sequence[Want]]]
    ) -> list[Created | Exception]:
        return await self._inner.create_all(asks)

    async def sign(self, requests: Sequence[SignRequest]) -> list[bytes | KeyFailure]:
        return await self._meeting.ask(self._many.sign, requests)

    async def restore(self, owner: Owner, material: Mnemonic | TonWords | RawKey, wants: Sequence[Want]) -> Created:
        return await self._inner.restore(owner, material, wants)

    async def public(self, secret: SealedSecret, wants: Sequence[Want]) -> list[PublicNode]:
        return await self._inner.public(secret, wants)

    async def forget(self, wallet_id: UUID) -> None:
        await self._inner.forget(wallet_id)

    async def close(self) -> None:
        """Does nothing: the signer behind it belongs to the service."""

"""What a tenant's administrators decide about callers: whose tokens are refused, and where calls may come from."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.access.principals import principal_id, token_target
from strongroom.domain.access import (
    ClientNetworks,
    Revocation,
    RevocationKind,
    client_networks_id,
    revocation_id,
)
from strongroom.domain.client_networks import MOST, means_everybody, parse_network, permits
from strongroom.domain.label import label_digest
from strongroom.errors import InvalidField, NotFound, OptionRequired
from strongroom.operations.call import Call
from strongroom.operations.cursors import cursor_uuid, page_of
from strongroom.operations.fields import Cursor, PageSize, Timestamp, clean_text
from strongroom.storage.base import Change, Row
from strongroom.telemetry.scrubbing import looks_like_secret, scrub_text

IssuerUrl = Annotated[str, Meta(min_length=1, max_length=1024)]
Name = Annotated[str, Meta(min_length=1, max_length=255)]
Reason = Annotated[str, Meta(max_length=255)]
_UNTOLD: Final = "sha256:"


class Revoke(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Takes exactly one of ``subject``, ``token_id`` and ``principal_id``. The first two need an ``issuer``."""

    issuer: Annotated[IssuerUrl | None, Meta(description="The iss claim of the tokens")] = None
    subject: Annotated[Name | None, Meta(description="The sub claim: every token with it is refused")] = None
    token_id: Annotated[Name | None, Meta(description="The jti claim: the token with it is refused")] = None
    principal_id: Annotated[
        UUID | None, Meta(description="The caller's id as the audit shows it, instead of issuer and subject")
    ] = None
    reason: Annotated[Reason | None, Meta(description="Reason for the revocation, kept with it")] = None


class ListRevocations(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    cursor: Cursor | None = None
    limit: PageSize = 50


class LiftRevocation(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    revocation_id: Annotated[UUID, Meta(description="Id of the revocation")]


class GetClientNetworks(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    pass


class SetClientNetworks(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    networks: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=64)]],
        Meta(
            max_length=MOST,
            description="CIDR ranges such as 10.0.0.0/8 or 2001:db8::/32. An empty list allows every address",
        ),
    ]
    force: Annotated[
        bool, Meta(description="Accept a list that leaves out the address of this call, or that covers every address")
    ] = False


class RevocationView(msgspec.Struct, kw_only=True, frozen=True):
    id: Annotated[UUID, Meta(description="Id of the revocation")]
    kind: Annotated[
        Literal["subject", "token"],
        Meta(description="subject: every token of a caller is refused; token: a single token is"),
    ]
    issuer: Annotated[str | None, Meta(description="Null if it was revoked by principal_id")]
    value: Annotated[str, Meta(description="The subject or token_id. If it looks like a secret, sha256: and its hash")]
    principal_id: Annotated[UUID | None, Meta(description="The caller's id, for kind subject")]
    reason: Annotated[str | None, Meta(description="Reason that the request gave, or null")]
    revoked_by: Annotated[UUID, Meta(description="Id of the caller that made the revocation")]
    created_at: Timestamp
    lifted_at: Annotated[Timestamp | None, Meta(description="Null while the revocation is in force")]

    @classmethod
    def of(cls, row: Revocation) -> RevocationView:
        return cls(
            id=row.id,
            kind=row.kind.value,
            issuer=row.issuer,
            value=row.shown,
            principal_id=row.target if row.kind is RevocationKind.SUBJECT else None,
            reason=row.reason,
            revoked_by=row.revoked_by,
            created_at=row.created_at,
            lifted_at=row.lifted_at,
        )


class RevocationPage(msgspec.Struct, kw_only=True, frozen=True):
    revocations: Annotated[list[RevocationView], Meta(description="Revocations of this page")]
    next_cursor: str | None


class ClientNetworksView(msgspec.Struct, kw_only=True, frozen=True):
    networks: Annotated[
        list[str],
        Meta(
            description="Ranges that the tenant's callers may call from. If the list is empty, they may call from "
            "anywhere"
        ),
    ]
    changed_at: Timestamp | None
    changed_by: Annotated[
        UUID | None, Meta(description="Id of the caller that changed the list last; null if nobody did")
    ]

    @classmethod
    def of(cls, row: ClientNetworks | None) -> ClientNetworksView:
        if row is None:
            return cls(networks=[], changed_at=None, changed_by=None)
        return cls(networks=row.listed, changed_at=row.changed_at, changed_by=row.changed_by)


async def revoke(command: Revoke, call: Call) -> RevocationView:
    """Revokes a caller or a token. Idempotent: a second call leaves the first revocation as it is.

    Raises InvalidField.
    """
    row = _asked(command, call)
    await _require_no_key(command.principal_id, call)
    found = await call.storage.revocation(call.tenant_id, row.id)
    if found is not None and found.lifted_at is None:
        row = found
    elif found is not None:
        row = replace(found, reason=row.reason, revoked_by=row.revoked_by, epoch=found.epoch + 1, lifted_at=None)
    await _write_revocation(found, row, call)
    return RevocationView.of(row)


async def list_revocations(command: ListRevocations, call: Call) -> RevocationPage:
    found = await call.storage.revocations(call.tenant_id, cursor_uuid(command.cursor), command.limit + 1)
    page, more = page_of(found, command.limit, lambda each: (each.id,))
    return RevocationPage(revocations=[RevocationView.of(row) for row in page], next_cursor=more)


async def lift(command: LiftRevocation, call: Call) -> RevocationView:
    """Lifts a revocation. Idempotent. Raises NotFound."""
    found = await call.storage.revocation(call.tenant_id, command.revocation_id)
    if found is None:
        raise NotFound("there is no revocation with this id", field="revocation_id")
    row = found
    if found.lifted_at is None:
        row = replace(found, epoch=found.epoch + 1, lifted_at=call.now)
    await _write_revocation(found, row, call)
    return RevocationView.of(row)


async def _write_revocation(found: Revocation | None, row: Revocation, call: Call) -> None:
    changes = []
    if found is not None and row is not found:
        names = ("reason", "revoked_by", "epoch", "lifted_at")
        changes = [Change(Revocation, row.id, {"epoch": found.epoch}, {name: getattr(row, name) for name in names})]
    # The audit outlives everything that can be deleted, so it gets digests of what the caller wrote, as for labels.
    details = {
        "revocation_id": str(row.id),
        "kind": row.kind.value,
        "value": label_digest(row.shown),
        "reason": label_digest(row.reason),
    }

    def met(other: Row | None) -> RevocationView | None:
        same = isinstance(other, Revocation) and (other.lifted_at is None) == (row.lifted_at is None)
        return RevocationView.of(other) if same and isinstance(other, Revocation) else None

    async with call.journal.intent(details=details) as intent:
        intent.settle(RevocationView.of(row), rows=[row] if found is None else [], changes=changes, met=met)
    call.callers.forget(call.tenant_id, row.target)


def _asked(command: Revoke, call: Call) -> Revocation:
    """The revocation row that the command asks for. Raises InvalidField."""
    given = [name for name in ("subject", "token_id", "principal_id") if getattr(command, name) is not None]
    if len(given) != 1:
        raise InvalidField(
            "give exactly one of subject, token_id and principal_id", field=given[-1] if given else "subject"
        )
    if (command.issuer is None) != (command.principal_id is not None):
        raise InvalidField("give issuer together with subject or token_id, and not with principal_id", field="issuer")
    kind, text = RevocationKind.SUBJECT, str(command.principal_id)
    if command.principal_id is not None:
        target = command.principal_id
    elif command.subject is not None:
        target, text = principal_id(command.issuer or "", command.subject), command.subject
    else:
        text = command.token_id or ""
        kind, target = RevocationKind.TOKEN, token_target(command.issuer or "", text)
    reason = clean_text(command.reason, "reason")
    return Revocation(
        revocation_id(call.tenant_id, target), call.tenant_id, target, kind, _public(command.issuer), _shown(text),
        reason, call.principal.id, 1, call.now, None,
    )  # fmt: skip


async def _require_no_key(principal_id: UUID | None, call: Call) -> None:
    """Raises InvalidField for the id of an API key, which the audit shows in the same place. The key would go on
    working.
    """
    key = None if principal_id is None else await call.storage.api_key(principal_id)
    if key is not None and key.tenant_id == call.tenant_id:
        raise InvalidField("this is the id of an API key: revoke the key itself", field="principal_id")


def _shown(text: str) -> str:
    """The text as it may be stored and logged in the clear."""
    if looks_like_secret(text) or scrub_text(text) != text or not text.isprintable():
        return _UNTOLD + hashlib.sha256(text.encode()).hexdigest()
    return text


def _public(issuer: str | None) -> str | None:
    return None if issuer is None else clean_text(issuer, "issuer")


async def get_client_networks(_: GetClientNetworks, call: Call) -> ClientNetworksView:
    return ClientNetworksView.of(await call.storage.client_networks(call.tenant_id))


async def set_client_networks(command: SetClientNetworks, call: Call) -> ClientNetworksView:
    """Replaces the list. Raises OptionRequired if the new list shuts out the caller or admits every address."""
    networks = _networks(command.networks)
    parsed = [parse_network(each) for each in networks]
    if not command.force and means_everybody(parsed):
        raise OptionRequired("these networks cover every address: send force if you mean that", field="force")
    if not command.force and not permits(parsed, call.client):
        raise OptionRequired(
            "your own address is in none of these networks, so you would lock yourself out: send force if you "
            "mean that",
            field="force",
        )
    found = await call.storage.client_networks(call.tenant_id)
    row = ClientNetworks(
        client_networks_id(call.tenant_id), call.tenant_id, ",".join(networks), call.principal.id,
        1 if found is None else found.epoch + 1, call.now,
    )  # fmt: skip
    changes = []
    if found is not None:
        names = ("networks", "changed_by", "epoch", "changed_at")
        new = {name: getattr(row, name) for name in names}
        changes = [Change(ClientNetworks, row.id, {"epoch": found.epoch}, new)]
    details = {"networks": networks, "force": command.force}
    async with call.journal.intent(details=details) as intent:
        intent.settle(ClientNetworksView.of(row), rows=[row] if found is None else [], changes=changes)
    call.callers.forget_networks(call.tenant_id)
    return ClientNetworksView.of(row)


def _networks(texts: list[str]) -> list[str]:
    """The CIDR ranges, canonical, sorted and without duplicates. Raises InvalidField."""
    try:
        return sorted({str(parse_network(text)) for text in texts})
    except ValueError:
        raise InvalidField(
            "client networks must be written as 10.0.0.0/8, with zero host bits", field="networks"
        ) from None

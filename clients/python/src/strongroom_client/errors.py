"""A class for each `code` of a problem. Made by `make clients`; not to be edited by hand."""

from __future__ import annotations

from typing import Final

from strongroom_client.problem import StrongroomError


class AddressNotDerived(StrongroomError):
    """This address has not been derived yet (HTTP 409)."""

    code = "address_not_derived"


class AlreadySigned(StrongroomError):
    """Another transaction was signed for this nonce (HTTP 409)."""

    code = "already_signed"


class AuditNotAnchored(StrongroomError):
    """The audit heads cannot be written outside the database (HTTP 503)."""

    code = "audit_not_anchored"


class BackgroundOnly(StrongroomError):
    """This process serves no operations (HTTP 503)."""

    code = "background_only"


class BodyTimeout(StrongroomError):
    """The body took too long to arrive (HTTP 408)."""

    code = "body_timeout"


class BodyTooLarge(StrongroomError):
    """The body is too large (HTTP 413)."""

    code = "body_too_large"


class Conflict(StrongroomError):
    """The current state does not allow this (HTTP 409)."""

    code = "conflict"


class CursorStale(StrongroomError):
    """The cursor is no longer valid (HTTP 409)."""

    code = "cursor_stale"


class DeadlineExceeded(StrongroomError):
    """The deadline passed (HTTP 504)."""

    code = "deadline_exceeded"


class ExternalIdTaken(StrongroomError):
    """The external id is taken (HTTP 409)."""

    code = "external_id_taken"


class Forbidden(StrongroomError):
    """Not allowed (HTTP 403)."""

    code = "forbidden"


class IdempotencyMismatch(StrongroomError):
    """The idempotency key was used for another request (HTTP 422)."""

    code = "idempotency_mismatch"


class IntegrityViolation(StrongroomError):
    """Stored data failed its integrity check (HTTP 500)."""

    code = "integrity_violation"


class InternalError(StrongroomError):
    """Internal error (HTTP 500)."""

    code = "internal_error"


class InvalidAddress(StrongroomError):
    """The address is not valid on this network (HTTP 422)."""

    code = "invalid_address"


class InvalidField(StrongroomError):
    """The request is refused (HTTP 422)."""

    code = "invalid_field"


class InvalidKey(StrongroomError):
    """The key is not valid (HTTP 422)."""

    code = "invalid_key"


class InvalidMessage(StrongroomError):
    """The message is not valid (HTTP 422)."""

    code = "invalid_message"


class InvalidMnemonic(StrongroomError):
    """The words are not a valid mnemonic (HTTP 422)."""

    code = "invalid_mnemonic"


class InvalidPath(StrongroomError):
    """The derivation path is not valid for the network (HTTP 422)."""

    code = "invalid_path"


class InvalidTransaction(StrongroomError):
    """The transaction is not valid (HTTP 422)."""

    code = "invalid_transaction"


class KeywrapUnavailable(StrongroomError):
    """The key wrap is unavailable (HTTP 503)."""

    code = "keywrap_unavailable"


class LimitExceeded(StrongroomError):
    """A configured limit forbids this (HTTP 422)."""

    code = "limit_exceeded"


class MalformedRequest(StrongroomError):
    """The request cannot be read (HTTP 400)."""

    code = "malformed_request"


class MethodNotAllowed(StrongroomError):
    """This path does not accept this method (HTTP 405)."""

    code = "method_not_allowed"


class NodeUnavailable(StrongroomError):
    """No source of this network responds (HTTP 503)."""

    code = "node_unavailable"


class NodesDisagree(StrongroomError):
    """The sources of this network contradict each other (HTTP 503)."""

    code = "nodes_disagree"


class NotFound(StrongroomError):
    """Not found (HTTP 404)."""

    code = "not_found"


class OperationInFlight(StrongroomError):
    """The same operation is in progress (HTTP 409)."""

    code = "operation_in_flight"


class OperationSuperseded(StrongroomError):
    """The operation was taken over by a later request (HTTP 409)."""

    code = "operation_superseded"


class OptionRequired(StrongroomError):
    """This must be requested explicitly (HTTP 422)."""

    code = "option_required"


class RateLimited(StrongroomError):
    """Too many requests (HTTP 429)."""

    code = "rate_limited"


class RestoredDatabase(StrongroomError):
    """The database was restored and has not been accepted yet (HTTP 503)."""

    code = "restored_database"


class RouteNotFound(StrongroomError):
    """There is nothing at this path (HTTP 404)."""

    code = "route_not_found"


class ShuttingDown(StrongroomError):
    """This process is shutting down (HTTP 503)."""

    code = "shutting_down"


class SourceMissing(StrongroomError):
    """No configured source of this network can do this (HTTP 422)."""

    code = "source_missing"


class StorageUnavailable(StrongroomError):
    """The database is unavailable (HTTP 503)."""

    code = "storage_unavailable"


class TransactionRejected(StrongroomError):
    """The network refused the transaction (HTTP 422)."""

    code = "transaction_rejected"


class Unauthenticated(StrongroomError):
    """No valid credentials (HTTP 401)."""

    code = "unauthenticated"


class Unavailable(StrongroomError):
    """A part of the service is unavailable (HTTP 503)."""

    code = "unavailable"


class UnknownNetwork(StrongroomError):
    """No such network is configured (HTTP 422)."""

    code = "unknown_network"


class UnknownScheme(StrongroomError):
    """The network has no such derivation scheme (HTTP 422)."""

    code = "unknown_scheme"


class UnsupportedMediaType(StrongroomError):
    """The content type of the body is not supported (HTTP 415)."""

    code = "unsupported_media_type"


class WalletArchived(StrongroomError):
    """The wallet is archived (HTTP 409)."""

    code = "wallet_archived"


class WrongKey(StrongroomError):
    """The wallet does not have the required key (HTTP 422)."""

    code = "wrong_key"


ERRORS: Final[dict[str, type[StrongroomError]]] = {
    "address_not_derived": AddressNotDerived,
    "already_signed": AlreadySigned,
    "audit_not_anchored": AuditNotAnchored,
    "background_only": BackgroundOnly,
    "body_timeout": BodyTimeout,
    "body_too_large": BodyTooLarge,
    "conflict": Conflict,
    "cursor_stale": CursorStale,
    "deadline_exceeded": DeadlineExceeded,
    "external_id_taken": ExternalIdTaken,
    "forbidden": Forbidden,
    "idempotency_mismatch": IdempotencyMismatch,
    "integrity_violation": IntegrityViolation,
    "internal_error": InternalError,
    "invalid_address": InvalidAddress,
    "invalid_field": InvalidField,
    "invalid_key": InvalidKey,
    "invalid_message": InvalidMessage,
    "invalid_mnemonic": InvalidMnemonic,
    "invalid_path": InvalidPath,
    "invalid_transaction": InvalidTransaction,
    "keywrap_unavailable": KeywrapUnavailable,
    "limit_exceeded": LimitExceeded,
    "malformed_request": MalformedRequest,
    "method_not_allowed": MethodNotAllowed,
    "node_unavailable": NodeUnavailable,
    "nodes_disagree": NodesDisagree,
    "not_found": NotFound,
    "operation_in_flight": OperationInFlight,
    "operation_superseded": OperationSuperseded,
    "option_required": OptionRequired,
    "rate_limited": RateLimited,
    "restored_database": RestoredDatabase,
    "route_not_found": RouteNotFound,
    "shutting_down": ShuttingDown,
    "source_missing": SourceMissing,
    "storage_unavailable": StorageUnavailable,
    "transaction_rejected": TransactionRejected,
    "unauthenticated": Unauthenticated,
    "unavailable": Unavailable,
    "unknown_network": UnknownNetwork,
    "unknown_scheme": UnknownScheme,
    "unsupported_media_type": UnsupportedMediaType,
    "wallet_archived": WalletArchived,
    "wrong_key": WrongKey,
}

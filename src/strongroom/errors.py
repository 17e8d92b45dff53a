"""Everything that Strongroom refuses or fails with, in one tree.

    StrongroomError
    ├── RequestError                 the request cannot be read (400)
    │   ├── MalformedRequest         400  malformed_request
    │   ├── BodyTooLarge             413  body_too_large
    │   ├── BodyTimeout              408  body_timeout
    │   ├── UnsupportedMediaType     415  unsupported_media_type
    │   ├── RouteNotFound            404  route_not_found
    │   └── MethodNotAllowed         405  method_not_allowed
    ├── AccessError                  who calls, and may they
    │   ├── Unauthenticated          401  unauthenticated
    │   ├── Forbidden                403  forbidden
    │   └── RateLimited              429  rate_limited
    ├── Refused                      readable, but refused (422)
    │   ├── InvalidField             422  invalid_field
    │   ├── UnknownNetwork           422  unknown_network
    │   ├── UnknownScheme            422  unknown_scheme
    │   ├── InvalidPath              422  invalid_path
    │   ├── InvalidAddress           422  invalid_address
    │   ├── InvalidMnemonic          422  invalid_mnemonic
    │   ├── InvalidKey               422  invalid_key
    │   ├── InvalidTransaction       422  invalid_transaction
    │   ├── InvalidMessage           422  invalid_message
    │   ├── WrongKey                 422  wrong_key
    │   ├── LimitExceeded            422  limit_exceeded
    │   ├── OptionRequired           422  option_required
    │   ├── IdempotencyMismatch      422  idempotency_mismatch
    │   ├── TransactionRejected      422  transaction_rejected
    │   └── SourceMissing            422  source_missing
    ├── NotFound                     404  not_found
    ├── Conflict                     the state says no (409)
    │   ├── AddressNotDerived        409  address_not_derived
    │   ├── WalletArchived           409  wallet_archived
    │   ├── ExternalIdTaken          409  external_id_taken
    │   ├── AlreadySigned            409  already_signed
    │   ├── InFlight                 409  operation_in_flight
    │   ├── Superseded               409  operation_superseded
    │   └── CursorStale              409  cursor_stale
    ├── Unavailable                  a part is away; try again (503)
    │   ├── StorageUnavailable       503  storage_unavailable
    │   ├── KeyWrapUnavailable       503  keywrap_unavailable
    │   ├── BackgroundOnly           503  background_only
    │   ├── RestoredDatabase         503  restored_database
    │   ├── AuditNotAnchored         503  audit_not_anchored
    │   ├── NodeUnavailable          503  node_unavailable
    │   ├── NodesDisagree            503  nodes_disagree
    │   └── ShuttingDown             503  shutting_down
    ├── DeadlineExceeded             504  deadline_exceeded
    ├── IntegrityError               stored data was changed by someone else (500, alarmed)
    ├── ConfigurationError           the settings cannot be used (never leaves `serve`)
    └── InternalError                500  internal_error

A class carries its stable ``code``, its HTTP status and its gRPC status name. ``message`` is written by us and may name
our own fields; it never repeats what the caller sent, so that it can go into an answer, a log and a metric alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar


class StrongroomError(Exception):
    """The root. Never raised itself."""

    code: ClassVar[str] = "internal_error"
    http_status: ClassVar[int] = 500
    grpc_status: ClassVar[str] = "INTERNAL"
    title: ClassVar[str] = "Internal error"
    reason: str | None = None
    """One of a few words that say more than the code, where a class has such."""

    def __init__(self, message: str, *, field: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        """Dotted name of our own field that is at fault, where there is one."""
        self.retry_after = retry_after
        """Seconds after which trying again makes sense."""


class RequestError(StrongroomError):
    code = "malformed_request"
    http_status = 400
    grpc_status = "INVALID_ARGUMENT"
    title = "The request cannot be read"


class MalformedRequest(RequestError):
    pass


class BodyTooLarge(RequestError):
    code = "body_too_large"
    http_status = 413
    grpc_status = "RESOURCE_EXHAUSTED"
    title = "The body is too large"


class BodyTimeout(RequestError):
    code = "body_timeout"
    http_status = 408
    grpc_status = "DEADLINE_EXCEEDED"
    title = "The body took too long to arrive"


class UnsupportedMediaType(RequestError):
    code = "unsupported_media_type"
    http_status = 415
    title = "The body is of a type that is not read here"


class RouteNotFound(RequestError):
    code = "route_not_found"
    http_status = 404
    grpc_status = "UNIMPLEMENTED"
    title = "There is nothing at this path"


class MethodNotAllowed(RequestError):
    code = "method_not_allowed"
    http_status = 405
    grpc_status = "UNIMPLEMENTED"
    title = "This path does not take this method"


class AccessError(StrongroomError):
    code = "forbidden"
    http_status = 403
    grpc_status = "PERMISSION_DENIED"
    title = "Not allowed"


class Unauthenticated(AccessError):
    code = "unauthenticated"
    http_status = 401
    grpc_status = "UNAUTHENTICATED"
    title = "No valid credentials"


class Forbidden(AccessError):
    pass


class RateLimited(AccessError):
    code = "rate_limited"
    http_status = 429
    grpc_status = "RESOURCE_EXHAUSTED"
    title = "Too many requests"


class Refused(StrongroomError):
    code = "invalid_field"
    http_status = 422
    grpc_status = "INVALID_ARGUMENT"
    title = "The request is refused"


class InvalidField(Refused):
    title = "A field is out of range or does not fit the others"


class UnknownNetwork(Refused):
    code = "unknown_network"
    title = "No such network is configured"


class UnknownScheme(Refused):
    code = "unknown_scheme"
    title = "The network has no such scheme"


class InvalidPath(Refused):
    code = "invalid_path"
    title = "The derivation path is not valid here"


class InvalidAddress(Refused):
    code = "invalid_address"
    title = "The address is not valid on this network"


class InvalidMnemonic(Refused):
    code = "invalid_mnemonic"
    title = "The words are not a valid mnemonic"


class InvalidKey(Refused):
    code = "invalid_key"
    title = "The key is not valid"


class InvalidTransaction(Refused):
    code = "invalid_transaction"
    title = "The transaction is not valid"


class InvalidMessage(Refused):
    code = "invalid_message"
    title = "The message is not valid"


class WrongKey(Refused):
    code = "wrong_key"
    title = "The wallet does not hold the key that this asks for"


class LimitExceeded(Refused):
    code = "limit_exceeded"
    grpc_status = "FAILED_PRECONDITION"
    title = "A configured limit forbids this"


class OptionRequired(Refused):
    code = "option_required"
    grpc_status = "FAILED_PRECONDITION"
    title = "This is only done when explicitly asked for"


class IdempotencyMismatch(Refused):
    code = "idempotency_mismatch"
    title = "The idempotency key was used for another request"


class TransactionRejected(Refused):
    """``reason``: a value of `rpc.base.Rejection`."""

    code = "transaction_rejected"
    grpc_status = "FAILED_PRECONDITION"
    title = "The network refuses the transaction"

    def __init__(
        self, message: str, *, reason: str = "invalid", field: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, field=field, retry_after=retry_after)
        self.reason = reason


class SourceMissing(Refused):
    code = "source_missing"
    grpc_status = "FAILED_PRECONDITION"
    title = "No configured source of this network can tell"


class NotFound(StrongroomError):
    code = "not_found"
    http_status = 404
    grpc_status = "NOT_FOUND"
    title = "Not found"


class Conflict(StrongroomError):
    code = "conflict"
    http_status = 409
    grpc_status = "FAILED_PRECONDITION"
    title = "The present state does not allow this"


class AddressNotDerived(Conflict):
    code = "address_not_derived"
    title = "This address has not been derived yet"


class WalletArchived(Conflict):
    code = "wallet_archived"
    title = "The wallet is archived"


class ExternalIdTaken(Conflict):
    code = "external_id_taken"
    grpc_status = "ALREADY_EXISTS"
    title = "The external id is taken"


class AlreadySigned(Conflict):
    code = "already_signed"
    title = "Something else was signed for this nonce"


class InFlight(Conflict):
    code = "operation_in_flight"
    grpc_status = "ABORTED"
    title = "The same operation is under way"


class Superseded(Conflict):
    code = "operation_superseded"
    grpc_status = "ABORTED"
    title = "The operation was taken over by a later request"


class CursorStale(Conflict):
    code = "cursor_stale"
    grpc_status = "ABORTED"
    title = "The cursor no longer leads anywhere"


class Unavailable(StrongroomError):
    code = "unavailable"
    http_status = 503
    grpc_status = "UNAVAILABLE"
    title = "A part of the service is unavailable"


class StorageUnavailable(Unavailable):
    code = "storage_unavailable"
    title = "The database is unavailable"


class KeyWrapUnavailable(Unavailable):
    code = "keywrap_unavailable"
    title = "The key wrap is unavailable"


class BackgroundOnly(Unavailable):
    code = "background_only"
    title = "This process serves no operations"


class RestoredDatabase(Unavailable):
    """The database is older than the heads of its audit; `strongroom restore accept` ends it."""

    code = "restored_database"
    title = "The database was restored, and nobody has accepted it yet"


class AuditNotAnchored(Unavailable):
    code = "audit_not_anchored"
    title = "The heads of the audit cannot be kept outside the database"


class NodeUnavailable(Unavailable):
    code = "node_unavailable"
    title = "No source of this network answers"


class NodesDisagree(Unavailable):
    code = "nodes_disagree"
    title = "The sources of this network contradict each other"


class ShuttingDown(Unavailable):
    code = "shutting_down"
    title = "This process is shutting down"


class DeadlineExceeded(StrongroomError):
    code = "deadline_exceeded"
    http_status = 504
    grpc_status = "DEADLINE_EXCEEDED"
    title = "The deadline passed"


class IntegrityError(StrongroomError):
    """A row, a seal or a MAC does not hold: somebody changed stored data. Raised after the alarm was given."""

    code = "integrity_violation"
    grpc_status = "DATA_LOSS"
    title = "Stored data failed its integrity check"


class ConfigurationError(StrongroomError):
    code = "configuration_error"
    title = "The settings cannot be used"


class InternalError(StrongroomError):
    pass


def every_error() -> Iterator[type[StrongroomError]]:
    """Every class of the tree, the root left out, parents before children."""
    pending: list[type[StrongroomError]] = [StrongroomError]
    while pending:
        for child in pending.pop(0).__subclasses__():
            pending.append(child)
            yield child

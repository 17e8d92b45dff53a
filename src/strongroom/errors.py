"""Every error that Strongroom raises on purpose, in one tree.

    StrongroomError
    ├── RequestError                 the request cannot be read (400)
    │   ├── MalformedRequest         400  malformed_request
    │   ├── BodyTooLarge             413  body_too_large
    │   ├── BodyTimeout              408  body_timeout
    │   ├── UnsupportedMediaType     415  unsupported_media_type
    │   ├── RouteNotFound            404  route_not_found
    │   └── MethodNotAllowed         405  method_not_allowed
    ├── AccessError                  the caller is unknown, or may not do this
    │   ├── Unauthenticated          401  unauthenticated
    │   ├── Forbidden                403  forbidden
    │   └── RateLimited              429  rate_limited
    ├── Refused                      the request can be read, but is refused (422)
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
    ├── Conflict                     the current state does not allow it (409)
    │   ├── AddressNotDerived        409  address_not_derived
    │   ├── WalletArchived           409  wallet_archived
    │   ├── ExternalIdTaken          409  external_id_taken
    │   ├── AlreadySigned            409  already_signed
    │   ├── InFlight                 409  operation_in_flight
    │   ├── Superseded               409  operation_superseded
    │   └── CursorStale              409  cursor_stale
    ├── Unavailable                  a component is down; try again (503)
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

Each class has a stable ``code``, an HTTP status and a gRPC status name. `hints.ADVICE` says what to do about it.
``message`` is our own text and may name our own fields. It never repeats what the caller sent, so it can go into a
response, a log and a metric alike. ``hints`` go into the response only. `docs/errors.md` is generated from this tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final, Self, Unpack

from strongroom.hints import Hints

_LONGEST_RECEIVED: Final = 29
"""Longest number of a caller that an error repeats: 96 bits, more than any amount. Anything longer could be a key."""


class StrongroomError(Exception):
    """The root of the tree. It is never raised itself."""

    code: ClassVar[str] = "internal_error"
    http_status: ClassVar[int] = 500
    grpc_status: ClassVar[str] = "INTERNAL"
    title: ClassVar[str] = "Internal error"
    reason: str | None = None
    """For classes that have one: a fixed word that says more than the code."""
    denial: str | None = None
    """Why the caller is refused. Only the audit records it: the response is the same as for any refusal of its kind."""

    def __init__(
        self, message: str, *, field: str | None = None, retry_after: float | None = None, **hints: Unpack[Hints]
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        """Dotted name of the field that is wrong, if there is one."""
        self.retry_after = retry_after
        """Seconds to wait before trying again."""
        if len(hints.get("received", "")) > _LONGEST_RECEIVED:
            del hints["received"]
        self.hints: Hints = hints

    def let_go(self) -> None:
        """Drop the traceback, and with it the frames that hold the request and everything made from it.

        A frame that refers to its own error is freed only by the cycle collector, which runs rarely. Until then,
        refusals of large requests would pile up in memory.
        """
        self.__traceback__ = None


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
    title = "The content type of the body is not supported"


class RouteNotFound(RequestError):
    code = "route_not_found"
    http_status = 404
    grpc_status = "UNIMPLEMENTED"
    title = "There is nothing at this path"


class MethodNotAllowed(RequestError):
    code = "method_not_allowed"
    http_status = 405
    grpc_status = "UNIMPLEMENTED"
    title = "This path does not accept this method"


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
    title = "A field is out of range or conflicts with others"


class UnknownNetwork(Refused):
    code = "unknown_network"
    title = "No such network is configured"


class UnknownScheme(Refused):
    code = "unknown_scheme"
    title = "The network has no such derivation scheme"


class InvalidPath(Refused):
    code = "invalid_path"
    title = "The derivation path is not valid for the network"


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
    title = "The wallet does not have the required key"


class LimitExceeded(Refused):
    code = "limit_exceeded"
    grpc_status = "FAILED_PRECONDITION"
    title = "A configured limit forbids this"

    @classmethod
    def over(cls, message: str, *, name: str, limit: int, received: int, field: str) -> Self:
        """``name`` is the limit's name in its chain's code. `operations.networks` replaces it by the setting's name."""
        return cls(message, field=field, setting=name, limit=str(limit), received=str(received))


class OptionRequired(Refused):
    code = "option_required"
    grpc_status = "FAILED_PRECONDITION"
    title = "This must be requested explicitly"


class IdempotencyMismatch(Refused):
    code = "idempotency_mismatch"
    title = "The idempotency key was used for another request"


class TransactionRejected(Refused):
    """The network refused the transaction. ``reason`` is a value of `rpc.base.Rejection`."""

    code = "transaction_rejected"
    grpc_status = "FAILED_PRECONDITION"
    title = "The network refused the transaction"

    def __init__(
        self,
        message: str,
        *,
        reason: str = "invalid",
        field: str | None = None,
        retry_after: float | None = None,
        **hints: Unpack[Hints],
    ) -> None:
        super().__init__(message, field=field, retry_after=retry_after, **hints)
        self.reason = reason


class SourceMissing(Refused):
    code = "source_missing"
    grpc_status = "FAILED_PRECONDITION"
    title = "No configured source of this network can do this"


class NotFound(StrongroomError):
    code = "not_found"
    http_status = 404
    grpc_status = "NOT_FOUND"
    title = "Not found"


class Conflict(StrongroomError):
    code = "conflict"
    http_status = 409
    grpc_status = "FAILED_PRECONDITION"
    title = "The current state does not allow this"


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
    title = "Another transaction was signed for this nonce"


class InFlight(Conflict):
    code = "operation_in_flight"
    grpc_status = "ABORTED"
    title = "The same operation is in progress"


class Superseded(Conflict):
    code = "operation_superseded"
    grpc_status = "ABORTED"
    title = "The operation was taken over by a later request"


class CursorStale(Conflict):
    code = "cursor_stale"
    grpc_status = "ABORTED"
    title = "The cursor is no longer valid"


class Unavailable(StrongroomError):
    """A component is down. ``cause`` is one sentence for operators, for logs and the command line.

    It is not sent to callers, because they are not told how the service is built.
    """

    cause: str | None = None
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
    """The database is older than the heads of its audit. `strongroom restore accept` ends this state."""

    code = "restored_database"
    title = "The database was restored and has not been accepted yet"


class AuditNotAnchored(Unavailable):
    code = "audit_not_anchored"
    title = "The audit heads cannot be written outside the database"


class NodeUnavailable(Unavailable):
    code = "node_unavailable"
    title = "No source of this network responds"


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
    """A row, a seal or a MAC does not verify: stored data was changed. The alarm was raised before this error."""

    code = "integrity_violation"
    grpc_status = "DATA_LOSS"
    title = "Stored data failed its integrity check"


class ConfigurationError(StrongroomError):
    code = "configuration_error"
    title = "The settings cannot be used"


class InternalError(StrongroomError):
    pass


def every_error() -> Iterator[type[StrongroomError]]:
    """Yield every class of the tree except the root, parents before children."""
    pending: list[type[StrongroomError]] = [StrongroomError]
    while pending:
        for child in pending.pop(0).__subclasses__():
            pending.append(child)
            yield child

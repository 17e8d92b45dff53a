"""Hints that help a caller to correct a refused request, and advice for each error code.

Both are shown by `docs/errors.md` and by the page that the `type` of an error points at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypedDict


class Hints(TypedDict, total=False):
    """Hints for correcting a request. Numbers are decimal strings, since an amount may not fit into a JSON number."""

    allowed: Sequence[str]
    """The values or fields that are accepted."""
    did_you_mean: str
    """Our name of a field that a client library calls something else."""
    limit: str
    setting: str
    """The setting that holds ``limit``."""
    expected: str
    received: str
    """A number or the public name of a network, never text that could be a secret."""
    tx_id: str
    """The transaction that was signed earlier."""


HINTS: Final[Mapping[str, str]] = {
    "allowed": "The values or fields that are accepted",
    "did_you_mean": "The name of the field in this service",
    "limit": "The limit that forbids it, decimal",
    "setting": "The setting that holds the limit",
    "expected": "What is accepted here",
    "received": "What was received instead, if it is a number",
    "tx_id": "The transaction that was signed before",
}
"""The description of each member of a problem document."""

ADVICE: Final[Mapping[str, str]] = {
    "not_found": "Check the id and the tenant of the API key. What belongs to another tenant is not found.",
    "conflict": "Read the current state, then decide again.",
    "unavailable": "Send the request again with the same idempotency key.",
    "deadline_exceeded": (
        "Send the request again with the same idempotency key, with a longer deadline if the caller set one."
    ),
    "integrity_violation": (
        "Operators: an alarm was raised. Before anything else, find out who changed the database: SECURITY.md."
    ),
    "internal_error": "Report it. The log entry with this `request_id` has the details.",
    "malformed_request": (
        "Correct the request. `field` names what is wrong, and `allowed` or `did_you_mean` what is accepted."
    ),
    "body_too_large": "Send less in one request, or have the operator raise the setting that `setting` names.",
    "body_timeout": (
        "Send the whole body without pauses. A slow network may need a higher `STRONGROOM_HTTP__BODY_TIMEOUT`."
    ),
    "unsupported_media_type": "Send `Content-Type: application/json`, without a content encoding.",
    "route_not_found": "Compare the path with the API reference. Behind a proxy, check which prefix it removes.",
    "method_not_allowed": "Use a method that the `Allow` header names.",
    "unauthenticated": (
        "Send a valid API key in `X-API-Key` or as a bearer token. It may be unknown, revoked or expired."
    ),
    "forbidden": "Use an API key with the scope that `detail` names, or ask an administrator for one.",
    "rate_limited": "Wait for the seconds in `Retry-After`, then repeat the request with the same idempotency key.",
    "invalid_field": "Correct the field that `field` names. If only a few values are accepted, `allowed` lists them.",
    "unknown_network": (
        "Use a name, alias or CAIP-2 id from `GET /networks`, or have the operator configure the network."
    ),
    "unknown_scheme": "Use one of the schemes in `allowed`, or leave the scheme out to get the default.",
    "invalid_path": "Use a path of one of the network's schemes, which `GET /networks` lists.",
    "invalid_address": (
        "Check the address and the network. `POST /networks/{network}/validate-address` gives the reason."
    ),
    "invalid_mnemonic": (
        "Check the words, their order, their language and their number. An error never repeats a word."
    ),
    "invalid_key": "Check the format of the private key. The API reference lists the formats of each keyspace.",
    "invalid_transaction": "Correct what `detail` and `field` name, and build the transaction again.",
    "invalid_message": "Correct what `detail` and `field` name. `format` decides how a message is read.",
    "wrong_key": "Name the wallet, index, path or address whose key belongs to this transaction or message.",
    "limit_exceeded": (
        "Lower the value to `limit`. If it is right, have the operator raise the limit that `setting` names."
    ),
    "option_required": (
        "If you mean it, set the option that `detail` names. The API key needs the scope of that option."
    ),
    "idempotency_mismatch": (
        "Use a new idempotency key for a new request, and the same key only to repeat the same request."
    ),
    "transaction_rejected": "Look at `reason`. Build and sign a new transaction in place of one that was rejected.",
    "source_missing": (
        "Have the operator configure a source of this network that can do this: docs/nodes.md lists them."
    ),
    "address_not_derived": "Derive the address first: `GET /wallets/{wallet_id}/address/{network}`.",
    "wallet_archived": "Unarchive the wallet with `POST /wallets/{wallet_id}/unarchive`, or use another wallet.",
    "external_id_taken": "Use another external id, or find what has it: the lists accept `external_id`.",
    "already_signed": (
        "To replace the earlier transaction, name it in `options.replaces`: `tx_id` is its id. Otherwise "
        "use the next nonce."
    ),
    "operation_in_flight": "Wait for the seconds in `Retry-After`, then send the same request again.",
    "operation_superseded": "Use the result of the later request. This request returned no signature.",
    "cursor_stale": "Start again from the first page.",
    "storage_unavailable": (
        "Send the request again with the same idempotency key. Operators: `strongroom config check --connect`."
    ),
    "keywrap_unavailable": (
        "Send the request again with the same idempotency key. Operators: `strongroom config check --connect`."
    ),
    "background_only": "Send the request to a process that serves: this one has `STRONGROOM_TASKS__ROLE=only`.",
    "restored_database": "Operators: compare the database with its audit heads, then run `strongroom restore accept`.",
    "audit_not_anchored": "Operators: make the file in `STRONGROOM_AUDIT__HEADS` writable again.",
    "node_unavailable": "Send the request again later. Operators: see `GET /health` and docs/nodes.md.",
    "nodes_disagree": "Send the request again later. If the error persists, one of the sources is "
    "wrong: docs/nodes.md.",
    "shutting_down": "Send the request again: another process will handle it.",
}
"""By error code."""

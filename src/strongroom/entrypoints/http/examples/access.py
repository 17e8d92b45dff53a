"""Examples of the operations on API keys and other access."""

from __future__ import annotations

from typing import Final

from strongroom.entrypoints.http.examples.base import CREATED, WALLET_ID, Example, Examples, Json

_ISSUER: Final = "https://login.example.com/realms/shop"
_REVOCATION_ID: Final = "6d1c3c5e-6f5b-5d7e-9f11-2f4c8d0b7a3e"
_OTHER_REVOCATION_ID: Final = "2b7e9d04-1a8c-5f36-b2d5-90c4e7a1f863"
_REVOKED_BY: Final = "0198f3a0-11c2-7f10-8a3e-5d2b9c4e7f02"
_LATER: Final = "2026-04-01T12:00:00Z"
KEY_ID: Final = "0198f3a9-6c1e-7d40-9b55-2f6f1c0a7e44"
_OTHER_KEY_ID: Final = "0198f3aa-0b7d-7a65-8e21-c4d9f60b3a18"

_revocation: Final[Json] = {
    "id": _REVOCATION_ID,
    "kind": "subject",
    "issuer": _ISSUER,
    "value": "payout-worker",
    "principal_id": "0f7dbb4c-6a51-5f0c-8f0e-5d3a1c9be742",
    "reason": "left the company",
    "revoked_by": _REVOKED_BY,
    "created_at": CREATED,
    "lifted_at": None,
}
_of_a_token: Final[Json] = {
    "id": _OTHER_REVOCATION_ID,
    "kind": "token",
    "issuer": _ISSUER,
    "value": "9d3b6f1e",
    "principal_id": None,
    "reason": "was in a log",
    "revoked_by": _REVOKED_BY,
    "created_at": CREATED,
    "lifted_at": None,
}
_networks: Final[Json] = {
    "networks": ["10.0.0.0/8", "127.0.0.0/8", "2001:db8::/32"],
    "changed_at": CREATED,
    "changed_by": _REVOKED_BY,
}
_restriction: Final[Json] = {
    "networks": ["eip155:1"],
    "wallets": [WALLET_ID],
    "client_networks": ["10.20.0.0/16"],
    "rates": {"sign": "10/minute"},
    "unknown_calls": "refuse",
    "max_values": {"eip155:1/slip44:60": "2000000000000000000"},
}
_payouts: Final[Json] = {
    "made_by": None,
    "id": KEY_ID,
    "name": "payout worker",
    "scopes": ["addresses:read", "sign:transaction"],
    "created_at": CREATED,
    "expires_at": "2036-03-02T00:00:00Z",
    "revoked_at": None,
    "restriction": _restriction,
}
_auditor: Final[Json] = {
    "made_by": None,
    "id": _OTHER_KEY_ID,
    "name": "auditor",
    "scopes": ["audit:read", "wallets:read"],
    "created_at": CREATED,
    "expires_at": None,
    "revoked_at": None,
    "restriction": None,
}


def _text(key_id: str, checksum: str) -> str:
    return f"sr_{key_id.replace('-', '')}_{'0123456789abcdef' * 4}_{checksum}"


_API_KEYS: Final[Examples] = {
    "api_keys.create": {
        "usual": Example(
            "A key that may do little, and expires",
            {
                "name": "payout worker",
                "scopes": _payouts["scopes"],
                "expires_at": _payouts["expires_at"],
                "restriction": _restriction,
            },
            _payouts | {"api_key": _text(KEY_ID, "3828287c")},
        ),
        "reading": Example(
            "A key that only reads, and does not expire",
            {"name": "auditor", "scopes": ["audit:read", "wallets:read"]},
            _auditor | {"api_key": _text(_OTHER_KEY_ID, "4dffe412")},
        ),
    },
    "api_keys.list": {
        "usual": Example("The first 50", {"limit": 50}, {"api_keys": [_payouts, _auditor], "next_cursor": None}),
        "next page": Example(
            "The page after another",
            {"limit": 1, "cursor": "MDE5OGYzYTktNmMxZS03ZDQwLTliNTUtMmY2ZjFjMGE3ZTQ0"},
            {"api_keys": [_auditor], "next_cursor": None},
        ),
    },
    "api_keys.revoke": {
        "usual": Example("A key that is in use", {"key_id": KEY_ID}, _payouts | {"revoked_at": _LATER}),
        "again": Example(
            "A key that was revoked before: it stays revoked since then",
            {"key_id": _OTHER_KEY_ID},
            _auditor | {"revoked_at": CREATED},
        ),
    },
}

ACCESS: Final[Examples] = {
    **_API_KEYS,
    "revocations.create": {
        "usual": Example(
            "Every token of a caller",
            {"issuer": _ISSUER, "subject": "payout-worker", "reason": "left the company"},
            _revocation,
        ),
        "token": Example(
            "One token, by its jti",
            {"issuer": _ISSUER, "token_id": "9d3b6f1e", "reason": "was in a log"},
            _of_a_token,
        ),
    },
    "revocations.list": {
        "usual": Example("The first 50", {"limit": 50}, {"revocations": [_revocation], "next_cursor": None}),
        "next page": Example(
            "The page after another",
            {"limit": 1, "cursor": "NmQxYzNjNWUtNmY1Yi01ZDdlLTlmMTEtMmY0YzhkMGI3YTNl"},
            {"revocations": [_of_a_token], "next_cursor": None},
        ),
    },
    "revocations.lift": {
        "usual": Example(
            "The tokens of a caller", {"revocation_id": _REVOCATION_ID}, _revocation | {"lifted_at": _LATER}
        ),
        "token": Example("One token", {"revocation_id": _OTHER_REVOCATION_ID}, _of_a_token | {"lifted_at": _LATER}),
    },
    "client_networks.get": {
        "usual": Example("Callers may come from these networks", {}, _networks),
        "anywhere": Example(
            "Callers may come from anywhere", {}, {"networks": [], "changed_at": None, "changed_by": None}
        ),
    },
    "client_networks.set": {
        "usual": Example(
            "From these networks; yours must be among them", {"networks": _networks["networks"]}, _networks
        ),
        "anywhere": Example("From anywhere", {"networks": []}, _networks | {"networks": []}),
    },
}

"""From a client certificate to a principal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from strongroom.access.certificates import Binding, Certificates
from strongroom.errors import ConfigurationError
from tests.support.authority import Authority

AUTHORITY = Authority()
TENANT = UUID(int=1)
SPIFFE = "spiffe://example.org/ns/pay/sa/payments"
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def binding(identity: str, name: str = "payments", scopes: tuple[str, ...] = ("wallets:read",)) -> Binding:
    return Binding(identity, name, TENANT, frozenset(scopes))


CERTIFICATES = Certificates([binding(SPIFFE), binding("CN=ledger,OU=back office,O=Example\\, Inc.", "ledger")])


@pytest.mark.parametrize(
    ("subject", "uris", "name"),
    [
        ("CN=anything", (SPIFFE,), "payments"),
        ("CN=ledger,OU=back office,O=Example\\, Inc.", (), "ledger"),
        ("CN=ledger,OU=back office,O=Example\\, Inc.", (SPIFFE,), "payments"),
        ("CN=ledger,OU=back office,O=Example\\, Inc.", ("spiffe://example.org/other",), "ledger"),
        ("CN=anything", (SPIFFE, "spiffe://example.org/other"), None),
        ("CN=anything", (SPIFFE + "/x",), None),
        ("CN=anything", (SPIFFE.upper(),), None),
        ("CN=ledger", (), None),
        ("CN=Ledger,OU=back office,O=Example\\, Inc.", (), None),
        ("OU=back office,CN=ledger,O=Example\\, Inc.", (), None),
        ("CN=ledger,OU=back office,O=Example\\, Inc.,C=DE", (), None),
        (f"CN={SPIFFE}", (), None),
    ],
)
def test_who_it_stands_for(subject: str, uris: tuple[str, ...], name: str | None) -> None:
    found = CERTIFICATES.principal(AUTHORITY.client(subject, *uris).der, NOW)
    assert (None if found is None else found.name) == name
    if found is not None:
        assert (found.tenant_id, found.scopes) == (TENANT, {"wallets:read"})


def test_only_while_it_is_valid() -> None:
    """A connection may outlive it."""
    der = AUTHORITY.client("CN=anything", SPIFFE, begins=-DAY, ends=DAY).der
    assert CERTIFICATES.principal(der, NOW) is not None
    assert CERTIFICATES.principal(der, NOW + 2 * DAY) is None
    assert CERTIFICATES.principal(der, NOW - 2 * DAY) is None


def test_the_principal_is_made_of_the_identity_alone() -> None:
    first, renewed = (CERTIFICATES.principal(AUTHORITY.client("CN=x", SPIFFE).der, NOW) for _ in range(2))
    assert first is not None and first == renewed  # noqa: PT018
    spelled = Certificates([binding("CN=ledger,OU=back office,O=Example\\2c Inc.")])
    der = AUTHORITY.client("CN=ledger,OU=back office,O=Example\\, Inc.").der
    same, other = spelled.principal(der, NOW), CERTIFICATES.principal(der, NOW)
    assert same is not None and other is not None  # noqa: PT018
    assert same.id == other.id != first.id


def test_what_is_no_certificate_stands_for_nobody() -> None:
    assert CERTIFICATES.principal(b"", NOW) is None
    assert Certificates([]).principal(AUTHORITY.client().der, NOW) is None


@pytest.mark.parametrize(
    ("bindings", "words"),
    [
        ([binding(SPIFFE, scopes=("wallets:read", "all"))], "unknown scopes"),
        ([binding(SPIFFE), binding(SPIFFE, "again")], "again is bound twice"),
        ([binding("CN=a,O=b"), binding("CN=a,O=b", "again")], "again is bound twice"),
        ([binding("no subject")], "RFC 4514"),
    ],
)
def test_bindings_that_can_mean_nothing(bindings: list[Binding], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Certificates(bindings)

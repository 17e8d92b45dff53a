"""Threat T29: who calls is never what a caller says of himself."""

from __future__ import annotations

import pytest

from strongroom.access.client_address import UNKNOWN, ClientAddresses, parse_grpc_peer
from strongroom.errors import ConfigurationError

PROXIES = ["10.0.0.0/8", "192.0.2.10", "2001:db8:aa::/48", "::1"]
CALLER = "203.0.113.7"
CALLER6 = "2001:db8:1::7"
PROXY = "10.1.2.3"
PROXY6 = "2001:db8:aa::5"

# (peer, X-Forwarded-For as header values, the caller's address)
DIRECT = [
    (CALLER, [], CALLER),
    (CALLER, ["198.51.100.1"], CALLER),
    (CALLER, ["10.9.9.9"], CALLER),
    (CALLER, ["127.0.0.1"], CALLER),
    (CALLER, ["198.51.100.1, 10.1.2.3"], CALLER),
    (CALLER, ["", ""], CALLER),
    (CALLER, ["unknown"], CALLER),
    (CALLER6, ["198.51.100.1"], CALLER6),
    ("192.0.2.11", ["198.51.100.1"], "192.0.2.11"),
    ("11.0.0.1", ["198.51.100.1"], "11.0.0.1"),
    ("9.255.255.255", ["198.51.100.1"], "9.255.255.255"),
    ("2001:db8:ab::5", ["198.51.100.1"], "2001:db8:ab::5"),
    ("127.0.0.1", ["198.51.100.1"], "127.0.0.1"),
    ("0.0.0.0", ["198.51.100.1"], "0.0.0.0"),
    (PROXY, [], PROXY),
    ("", ["198.51.100.1"], UNKNOWN),
    ("testclient", ["198.51.100.1"], UNKNOWN),
    ("unix:/run/strongroom.sock", ["198.51.100.1"], UNKNOWN),
    ("localhost", [], UNKNOWN),
    ("10.1.2", ["198.51.100.1"], UNKNOWN),
    ("10.1.2.3.4", ["198.51.100.1"], UNKNOWN),
    ("0x0a010203", ["198.51.100.1"], UNKNOWN),
    ("167838211", ["198.51.100.1"], UNKNOWN),
    ("010.1.2.3", ["198.51.100.1"], UNKNOWN),
]
THROUGH_ONE = [
    (PROXY, [CALLER], CALLER),
    (PROXY6, [CALLER], CALLER),
    ("192.0.2.10", [CALLER], CALLER),
    ("::1", [CALLER], CALLER),
    ("::ffff:10.1.2.3", [CALLER], CALLER),
    ("::FFFF:10.1.2.3", [CALLER], CALLER),
    ("::ffff:0a01:0203", [CALLER], CALLER),
    ("10.0.0.0", [CALLER], CALLER),
    ("10.255.255.255", [CALLER], CALLER),
    (f"{PROXY}:443", [CALLER], CALLER),
    (f"[{PROXY6}]:443", [CALLER], CALLER),
    ("0:0:0:0:0:0:0:1", [CALLER], CALLER),
    (PROXY, [CALLER6], CALLER6),
    (PROXY, ["2001:DB8:1:0:0:0:0:7"], CALLER6),
    (PROXY, [f"[{CALLER6}]"], CALLER6),
    (PROXY, [f"[{CALLER6}]:55"], CALLER6),
    (PROXY, [f"{CALLER}:55"], CALLER),
    (PROXY, [f"{CALLER}:0"], CALLER),
    (PROXY, [f"{CALLER}:65535"], CALLER),
    (PROXY, [f" {CALLER} "], CALLER),
    (PROXY, [f"\t{CALLER}"], CALLER),
    (PROXY, [f"::ffff:{CALLER}"], CALLER),
    (PROXY, [f"[::ffff:{CALLER}]:55"], CALLER),
    (PROXY, ["fe80::1%eth0"], "fe80::1"),
    (PROXY, ["127.0.0.1"], "127.0.0.1"),
    (PROXY, ["::"], "::"),
]
FORGED = [
    # what the caller writes stands left of what our proxy adds
    (PROXY, [f"198.51.100.1, {CALLER}"], CALLER),
    (PROXY, [f"127.0.0.1, {CALLER}"], CALLER),
    (PROXY, [f"10.5.5.5, {CALLER}"], CALLER),
    (PROXY, [f"::1, {CALLER}"], CALLER),
    (PROXY, [f"unknown, {CALLER}"], CALLER),
    (PROXY, [f"<script>, {CALLER}"], CALLER),
    (PROXY, [f", {CALLER}"], CALLER),
    (PROXY, [f",,,,{CALLER}"], CALLER),
    (PROXY, ["198.51.100.1", CALLER], CALLER),
    (PROXY, ["10.5.5.5", CALLER], CALLER),
    (PROXY, ["198.51.100.1, 198.51.100.2", CALLER], CALLER),
    (PROXY, ["198.51.100.1", f"198.51.100.2, {CALLER}"], CALLER),
    (PROXY, [f"{CALLER6}, {CALLER}"], CALLER),
    (PROXY, [f"{CALLER}, {CALLER6}"], CALLER6),
    (PROXY, [f"{'198.51.100.1, ' * 500}{CALLER}"], CALLER),
    (PROXY, [f"{'10.5.5.5, ' * 500}{CALLER}"], CALLER),
    (PROXY, [f"{'9' * 5000}, {CALLER}"], CALLER),
    (PROXY, [f"198.51.100.1,{CALLER},10.4.4.4"], CALLER),
    (PROXY, [f"10.5.5.5, {CALLER}, 10.4.4.4"], CALLER),
    (PROXY, [f"198.51.100.1, {CALLER}", "10.4.4.4", "2001:db8:aa::9"], CALLER),
]
THROUGH_MANY = [
    (PROXY, [f"{CALLER}, 10.4.4.4"], CALLER),
    (PROXY, [f"{CALLER}, 10.4.4.4, 10.4.4.5"], CALLER),
    (PROXY, [CALLER, "10.4.4.4"], CALLER),
    (PROXY, [f"{CALLER}, 192.0.2.10"], CALLER),
    (PROXY, [f"{CALLER}, {PROXY6}"], CALLER),
    (PROXY, [f"{CALLER}, [{PROXY6}]:8443"], CALLER),
    (PROXY, [f"{CALLER}, ::ffff:10.4.4.4"], CALLER),
    (PROXY, [f"{CALLER}, ::1"], CALLER),
    (PROXY, [f"{CALLER},10.4.4.4"], CALLER),
    (PROXY, [f"{CALLER} ,\t10.4.4.4:80"], CALLER),
    (PROXY, ["10.4.4.4"], "10.4.4.4"),
    (PROXY, ["10.4.4.5, 10.4.4.4"], "10.4.4.5"),
    (PROXY, ["10.4.4.6", "10.4.4.5, 10.4.4.4"], "10.4.4.6"),
    (PROXY6, [f"{CALLER6}, {PROXY}"], CALLER6),
]
JUNK = [
    # junk ends the walk: the last address that one of our proxies vouched for holds
    (PROXY, [""], PROXY),
    (PROXY, [" "], PROXY),
    (PROXY, [","], PROXY),
    (PROXY, ["unknown"], PROXY),
    (PROXY, ["_hidden"], PROXY),
    (PROXY, ["203.0.113"], PROXY),
    (PROXY, ["203.0.113.256"], PROXY),
    (PROXY, ["203.0.113.7.1"], PROXY),
    (PROXY, ["203.0.113.07"], PROXY),
    (PROXY, ["203.0.113.7/32"], PROXY),
    (PROXY, ["203.0.113.7:"], PROXY),
    (PROXY, ["203.0.113.7:65536"], PROXY),
    (PROXY, ["203.0.113.7:99999"], PROXY),
    (PROXY, ["203.0.113.7:-1"], PROXY),
    (PROXY, ["203.0.113.7:http"], PROXY),
    (PROXY, ["203.0.113.7\n"], PROXY),
    (PROXY, ["203.0.113.7\x00"], PROXY),
    (PROXY, ["203.0.113.7 198.51.100.1"], PROXY),
    (PROXY, ['"203.0.113.7"'], PROXY),
    (PROXY, ["for=203.0.113.7"], PROXY),
    (PROXY, ["http://203.0.113.7"], PROXY),
    (PROXY, ["２０３.0.113.7"], PROXY),
    (PROXY, ["[2001:db8:1::7"], PROXY),
    (PROXY, ["2001:db8:1::7]"], PROXY),
    (PROXY, ["[2001:db8:1::7]55"], PROXY),
    (PROXY, ["[]:55"], PROXY),
    (PROXY, ["2001:db8::1::7"], PROXY),
    (PROXY, ["2001:db8:1::g"], PROXY),
    (PROXY, ["3405803783"], PROXY),
    (PROXY, ["0xcb007107"], PROXY),
    (PROXY, ["caller.example"], PROXY),
    (PROXY, ["9" * 100_000], PROXY),
    (PROXY, [f"fe80::1%{'e' * 100}"], PROXY),
    (PROXY, [f"{CALLER}, unknown"], PROXY),
    (PROXY, [f"{CALLER}, unknown, 10.4.4.4"], "10.4.4.4"),
    (PROXY, [f"{CALLER}, , 10.4.4.4"], "10.4.4.4"),
    (PROXY, [CALLER, ""], PROXY),
    (PROXY, [f"{CALLER}, 10.4.4.256, 10.4.4.4"], "10.4.4.4"),
]
CASES = [*DIRECT, *THROUGH_ONE, *FORGED, *THROUGH_MANY, *JUNK]


def test_table_is_as_long_as_the_threat_model_asks() -> None:
    assert len(CASES) >= 120


@pytest.mark.parametrize(("peer", "forwarded_for", "expected"), CASES)
def test_resolve(peer: str, forwarded_for: list[str], expected: str) -> None:
    assert ClientAddresses(PROXIES).resolve(peer, forwarded_for) == expected


@pytest.mark.parametrize(("peer", "forwarded_for", "expected"), CASES)
def test_without_proxies_no_header_is_believed(peer: str, forwarded_for: list[str], expected: str) -> None:
    assert ClientAddresses().resolve(peer, forwarded_for) == ClientAddresses().resolve(peer, [])


def test_mapped_network_is_the_ipv4_network() -> None:
    assert ClientAddresses(["::ffff:10.0.0.0/104"]).resolve(PROXY, [CALLER]) == CALLER


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96"])
def test_everybody_is_trusted_only_when_forced(cidr: str) -> None:
    with pytest.raises(ConfigurationError):
        ClientAddresses([cidr])
    forced = ClientAddresses([cidr, "0.0.0.0/0"], allow_everybody=True)
    assert forced.resolve(CALLER, ["198.51.100.1"]) == "198.51.100.1"


@pytest.mark.parametrize("cidr", ["", "proxy", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/8,::1"])
def test_what_is_no_network_is_refused(cidr: str) -> None:
    with pytest.raises(ConfigurationError):
        ClientAddresses([cidr])


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("ipv4:192.0.2.1:55", "192.0.2.1"),
        ("ipv4:192.0.2.1", "192.0.2.1"),
        ("ipv6:%5B::1%5D:49470", "::1"),
        ("ipv6:[::1]:49470", "::1"),
        ("ipv6:%5B2001:db8::1%25eth0%5D:1", "2001:db8::1"),
        ("ipv6:%5B::ffff:10.1.2.3%5D:443", "10.1.2.3"),
        ("unix:/run/strongroom.sock", ""),
        ("unix:", ""),
        ("ipv4:", ""),
        ("ipv4:localhost:1", ""),
        ("", ""),
    ],
)
def test_grpc_peer(peer: str, expected: str) -> None:
    assert parse_grpc_peer(peer) == expected

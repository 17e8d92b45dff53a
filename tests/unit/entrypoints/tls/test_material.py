"""Files of TLS: what is refused, in which words, and what is in use meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from strongroom.config.settings import load
from strongroom.config.tls import TlsSettings
from strongroom.entrypoints.tls.material import check_tls, read_material
from strongroom.entrypoints.tls.watched import WatchedMaterial
from strongroom.errors import ConfigurationError
from tests.support.authority import Authority, Issued, as_pem, replace
from tests.support.tls import Estate

DAY = timedelta(days=1)
Change = Callable[[Estate], object]


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return Estate(tmp_path)


def settings(estate: Estate) -> TlsSettings:
    return TlsSettings(certificate=estate.certificate, key=estate.key, client_ca=estate.client_ca)


def with_key(estate: Estate, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    estate.serve(estate.servers.server(key=key))


def of_ed25519(estate: Estate) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    estate.serve(estate.servers.server(key=key))  # type: ignore[arg-type]


REFUSED: dict[str, Change] = {
    "the file in tls.certificate cannot be read": lambda estate: estate.certificate.unlink(),
    "the file in tls.key cannot be read": lambda estate: estate.key.unlink(),
    "the file in tls.client_ca cannot be read": lambda estate: estate.client_ca.unlink(),
    "the file in tls.certificate is too large": lambda estate: replace(estate.certificate, b"x" * (1 << 20) + b"x"),
    "the file in tls.certificate holds no certificates": lambda estate: replace(estate.certificate, estate.current.key),
    "the file in tls.client_ca holds no": lambda estate: replace(estate.client_ca, b""),
    "the file in tls.key holds no private key": lambda estate: replace(estate.key, estate.current.certificate),
    "the key in tls.key has a passphrase": lambda estate: replace(
        estate.key,
        as_pem(load_pem_private_key(estate.current.key, None), b"word"),  # type: ignore[arg-type]
    ),
    "the key in tls.key does not belong": lambda estate: replace(estate.key, estate.servers.server().key),
    "the key in tls.key must be P-256, P-384, or RSA": of_ed25519,
    "the key in tls.key must be P-256, P-384": lambda estate: with_key(estate, ec.generate_private_key(ec.SECP521R1())),
    "the key in tls.key must be P-256": lambda estate: with_key(estate, rsa.generate_private_key(65537, 1024)),
    "the certificate in tls.certificate has expired": lambda estate: estate.serve(
        estate.servers.server(begins=-2 * DAY, ends=-DAY)
    ),
    "the certificate in tls.certificate is not valid yet": lambda estate: estate.serve(
        estate.servers.server(begins=DAY)
    ),
    "every certificate in tls.client_ca has expired": lambda estate: replace(
        estate.client_ca, Authority(days=-1, begins=-3 * DAY).certificate
    ),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_used_is_refused_in_words(estate: Estate, words: str) -> None:
    REFUSED[words](estate)
    with pytest.raises(ConfigurationError) as caught:
        read_material(settings(estate))
    assert words in caught.value.message
    assert str(estate.folder) not in caught.value.message
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)], ids=["P-384", "RSA"]
)
def test_keys_that_are_taken(estate: Estate, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    with_key(estate, key)
    found = read_material(settings(estate))
    assert estate.current.fingerprint.startswith(found.fingerprint)


def test_nothing_of_the_files_is_shown(estate: Estate) -> None:
    shown = repr(read_material(settings(estate)))
    assert "PRIVATE" not in shown
    assert "BEGIN" not in shown


def test_the_chain_may_hold_more_and_of_several_authorities_the_last_counts(estate: Estate) -> None:
    replace(estate.certificate, estate.current.certificate + estate.servers.certificate)
    replace(estate.client_ca, estate.clients.certificate + Authority(days=60).certificate)
    found = read_material(settings(estate))
    assert found.expires["client_ca"] - found.expires["certificate"] > 30 * DAY


def test_what_changes_is_read_and_what_does_not_is_not(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = WatchedMaterial(settings(estate))
    first = watched.current
    watched.look()
    assert watched.current is first
    os.utime(estate.key)
    watched.look()
    assert watched.current is first, "the same content is no change"
    estate.serve(estate.servers.server())
    watched.look()
    assert estate.current.fingerprint.startswith(watched.current.fingerprint)
    monkeypatch.setattr("strongroom.entrypoints.tls.watched.read_material", pytest.fail)
    watched.look()


def test_files_that_are_swapped_behind_a_link_are_seen(estate: Estate) -> None:
    """As Kubernetes writes a Secret: the folder is a link that is changed at once."""
    old, new = estate.folder / "..1", estate.folder / "..2"
    issued: list[Issued] = [estate.current, estate.servers.server()]
    for folder, each in zip((old, new), issued, strict=True):
        each.write(folder, "tls")
    link = estate.folder / "..data"
    link.symlink_to(old)
    watched = WatchedMaterial(TlsSettings(certificate=link / "tls.pem", key=link / "tls.key"))
    beside = estate.folder / "..data_tmp"
    beside.symlink_to(new)
    beside.replace(link)
    watched.look()
    assert issued[1].fingerprint.startswith(watched.current.fingerprint)


def test_a_certificate_that_becomes_valid_is_taken_without_a_change(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = WatchedMaterial(settings(estate))
    first = watched.current
    estate.serve(estate.servers.server(begins=DAY))
    watched.look()
    assert watched.current is first
    assert watched.refused == "the certificate in tls.certificate is not valid yet"

    class Tomorrow:
        @staticmethod
        def now(zone: object) -> object:
            return datetime.now(zone) + 2 * DAY  # type: ignore[arg-type]

    monkeypatch.setattr("strongroom.entrypoints.tls.material.datetime", Tomorrow)
    watched.look()
    assert watched.refused is None
    assert estate.current.fingerprint.startswith(watched.current.fingerprint)


def test_production_serves_plain_text_to_this_machine_alone_unless_told_otherwise(tmp_path: Path) -> None:
    def check(**variables: str) -> None:
        own = {"PROFILE": "production", "KEYWRAP__ALLOW_LOCAL": "true", "DATA_DIR": str(tmp_path), **variables}
        check_tls(load({f"STRONGROOM_{name}": value for name, value in own.items()}, dotenv=None))

    check()
    check(HTTP__HOST="::1", GRPC__HOST="localhost")
    check(HTTP__HOST="0.0.0.0", PROFILE="embedded")
    check(HTTP__HOST="0.0.0.0", TLS__ALLOW_PLAINTEXT="true")
    for exposed in ({"HTTP__HOST": "0.0.0.0"}, {"GRPC__HOST": "::"}, {"GRPC__HOST": "wallets.example.com"}):
        with pytest.raises(ConfigurationError, match=r"tls\.allow_plaintext"):
            check(**exposed)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"TLS__CERTIFICATE": "a"}, "set both"),
        ({"TLS__KEY": "a"}, "set both"),
        ({"TLS__CLIENT_CA": "a"}, "client_ca needs"),
        ({"TLS__PROBE_PORT": "3002"}, "probe_port needs"),
    ],
)
def test_settings_that_do_not_go_together(variables: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        load({f"STRONGROOM_{name}": value for name, value in variables.items()}, dotenv=None)


def test_bindings_need_authorities(tmp_path: Path) -> None:
    config = tmp_path / "strongroom.toml"
    config.write_text(
        '[[access.certificates]]\nname = "a"\nsubject = "CN=a"\n'
        'tenant = "00000000-0000-0000-0000-000000000001"\nscopes = ["wallets:read"]\n'
    )
    with pytest.raises(ConfigurationError, match=r"tls\.client_ca"):
        load({"STRONGROOM_CONFIG": str(config)}, dotenv=None)

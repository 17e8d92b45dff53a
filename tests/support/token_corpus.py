"""Tokens that must be refused (threat T26), by what is wrong with them. None is made by code of the service."""

from __future__ import annotations

import base64
import datetime as dt
import json
import time
from collections.abc import Iterator
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from tests.support.tokens import (
    AUDIENCE,
    KEY_IDS,
    FakeIssuer,
    PrivateKey,
    assembled,
    b64,
    encoded,
    hashed,
    jwk,
    sign,
    signed,
)

Case = tuple[str, str]
"""What is wrong, and the token."""

ALGORITHMS = tuple(KEY_IDS)
LEEWAY = 30
"""The leeway of the issuer under test, in seconds: as much as allowed."""


def weak_keys() -> tuple[list[dict[str, Any]], dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey]]:
    """JWKs that an issuer might publish and that must not be used, and the private keys by kid."""
    small = rsa.generate_private_key(65537, 1024)
    three = rsa.generate_private_key(3, 2048)
    for_encryption = rsa.generate_private_key(65537, 2048)
    private = ec.generate_private_key(ec.SECP256R1())
    scalar = private.private_numbers().private_value
    listed = [
        jwk(small, kid="small"),
        jwk(three, kid="three"),
        jwk(for_encryption, kid="enc", use="enc"),
        jwk(for_encryption, kid="wraps", key_ops=["wrapKey"]),
        jwk(private, kid="private", d=b64(scalar.to_bytes(32, "big"))),
        {"kty": "oct", "kid": "oct", "k": b64(b"shared secret of thirty-two byte")},
        {"kty": "oct", "kid": "oct-hs", "alg": "HS256", "k": b64(b"shared secret of thirty-two byte")},
    ]
    return listed, {"small": small, "three": three, "enc": for_encryption, "wraps": for_encryption, "private": private}


def corpus(issuer: FakeIssuer, weak: dict[str, Any], canary: str) -> list[Case]:
    """``canary`` is the URL of a server that nothing may call."""
    found = [
        *_algorithms(issuer),
        *_shared_secrets(issuer),
        *_key_ids(issuer),
        *_keys_in_the_token(issuer, canary),
        *_headers(issuer),
        *_duplicates(issuer),
        *_times(issuer),
        *_claims(issuer, canary),
        *_forms(issuer),
        *_signatures(issuer),
        *_weak(issuer, weak),
    ]
    assert len({name for name, _ in found}) == len(found)
    return found


def _algorithms(issuer: FakeIssuer) -> Iterator[Case]:
    claims = issuer.claims()
    for name in ("none", "None", "nOnE", "NONE"):
        header = issuer.header(alg=name)
        yield f"alg {name} without a signature", f"{encoded(header)}.{encoded(claims)}."
        yield f"alg {name} with a signature", signed(header, claims, issuer.keys["EdDSA"])
        yield f"alg {name} without a kid", assembled({"alg": name}, claims, b"\0")
    for value in (
        "",
        "eddsa",
        "EDDSA",
        "ES256K",
        "ES384",
        "ES512",
        "PS256",
        "RS384",
        "RS512",
        "Ed448",
        "A128KW",
        "dir",
        1,
        None,
        [],
        ["EdDSA"],
        {"EdDSA": 1},
        True,
    ):
        header = {**issuer.header(), "alg": value}
        yield f"alg {value!r}", signed(header, claims, issuer.keys["EdDSA"])
    without = {name: value for name, value in issuer.header().items() if name != "alg"}
    yield "no alg", signed(without, claims, issuer.keys["EdDSA"])
    for said in ALGORITHMS:
        for used in ALGORITHMS:
            if said != used:
                yield f"alg {said}, signed with {used}", signed(issuer.header(said), claims, issuer.keys[used])
                header = issuer.header(said, kid=KEY_IDS[used])
                yield f"alg {said}, kid and key of {used}", signed(header, claims, issuer.keys[used])


def _shared_secrets(issuer: FakeIssuer) -> Iterator[Case]:
    """A public key used as the secret of an HMAC."""
    for algorithm, key in issuer.keys.items():
        public = key.public_key()
        secrets = {
            "PEM": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "DER": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            "JWK": json.dumps(jwk(key)).encode(),
        }
        if isinstance(public, ed25519.Ed25519PublicKey):
            secrets["raw key"] = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        for form, secret in secrets.items():
            for name in ("HS256", "HS384", "HS512"):
                header = issuer.header(algorithm, alg=name)
                yield f"{name} keyed with the {form} of {algorithm}", hashed(header, issuer.claims(), secret, name)
    for secret in (b"", b"secret", KEY_IDS["EdDSA"].encode()):
        yield f"HS256 keyed with {secret!r}", hashed(issuer.header(alg="HS256"), issuer.claims(), secret, "HS256")


def _key_ids(issuer: FakeIssuer) -> Iterator[Case]:
    for name, value in {
        "of a parent folder": "../../../../dev/null",
        "of a file": "/etc/hostname",
        "of SQL": "x' OR '1'='1",
        "of SQL with a union": "x' UNION SELECT 'k' --",
        "of a URL": "http://127.0.0.1:1/keys",
        "with NUL": "ed-1\0",
        "that is NUL": "\0",
        "empty": "",
        "of 300 characters": "k" * 300,
        "with a blank": "ed-1 ",
        "in capitals": "ED-1",
        "of a template": "{{7*7}}",
        "of a shell": "$(id)",
        "of a prototype": "__proto__",
        "of a number": 1,
        "true": True,
        "of a list": ["ed-1"],
        "of an object": {"ed-1": 1},
        "in another alphabet": "еd-1",
        "of nobody": "unknown",
        "escaped": "%65d-1",
    }.items():
        header = issuer.header(kid=value)
        yield f"kid {name}", signed(header, issuer.claims(), issuer.keys["EdDSA"])
    yield "kid of 10 kB", signed(issuer.header(kid="k" * 10_240), issuer.claims(), issuer.keys["EdDSA"])


def _keys_in_the_token(issuer: FakeIssuer, canary: str) -> Iterator[Case]:
    """An attacker's own key, with a token that says where to find it."""
    mallory: dict[str, PrivateKey] = {
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "RS256": rsa.generate_private_key(65537, 2048),
    }
    for algorithm, key in mallory.items():
        certificate = b64_standard(_certificate(key))
        given: dict[str, dict[str, Any]] = {
            "jku": {"jku": f"{canary}/jwks.json"},
            "jku and its kid": {"jku": f"{canary}/jwks.json", "kid": "mallory"},
            "jwk": {"jwk": jwk(key)},
            "jwk and its kid": {"jwk": jwk(key, kid="mallory"), "kid": "mallory"},
            "jwk of the known kid": {"jwk": jwk(key, kid=KEY_IDS[algorithm])},
            "x5u": {"x5u": f"{canary}/certificate.pem"},
            "x5c": {"x5c": [certificate]},
            "x5u without a kid": {"x5u": f"{canary}/certificate.pem", "kid": None},
            "all of them": {"jku": canary, "jwk": jwk(key), "x5u": canary, "x5c": [certificate], "kid": "mallory"},
        }
        for name, header in given.items():
            yield f"{name}, {algorithm}", signed(issuer.header(algorithm, **header), issuer.claims(), key)
    yield "kid is a URL", signed(issuer.header(kid=f"{canary}/jwks.json"), issuer.claims(), mallory["EdDSA"])


def b64_standard(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _certificate(key: Any) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mallory")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(days=1))
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return made.sign(key, algorithm).public_bytes(Encoding.DER)


def _headers(issuer: FakeIssuer) -> Iterator[Case]:
    key = issuer.keys["EdDSA"]
    headers: dict[str, dict[str, Any]] = {
        "crit of exp": {"crit": ["exp"]},
        "crit of nothing": {"crit": []},
        "crit of b64": {"crit": ["b64"], "b64": True},
        "crit that is null": {"crit": None},
        "b64 false": {"b64": False, "crit": ["b64"]},
        "b64 alone": {"b64": False},
        "zip": {"zip": "DEF"},
        "enc": {"enc": "A128GCM"},
        "typ of a logout": {"typ": "logout+jwt"},
        "typ of a proof": {"typ": "dpop+jwt"},
        "typ JWE": {"typ": "JWE"},
        "typ 1": {"typ": 1},
        "typ null": {"typ": None},
        "typ empty": {"typ": ""},
    }
    for name, more in headers.items():
        yield f"header with {name}", signed({**issuer.header(), **more}, issuer.claims(), key)
    good = json.dumps(issuer.header())
    for name, header in {
        "a list": "[]",
        "text": '"EdDSA"',
        "null": "null",
        "a number": "1",
        "nothing": " ",
        "no JSON": "{alg:EdDSA}",
        "not closed": good[:-1],
        "followed by more": good + "{}",
        "with NaN": good[:-1] + ',"x":NaN}',
        "with half a surrogate pair": good[:-1] + ',"x":"\\ud800"}',
        "with a mark of its bytes' order": "\ufeff" + good,
        "with a comma too many": good[:-1] + ",}",
    }.items():
        yield f"header is {name}", signed(header, issuer.claims(), key)
    yield "header is not UTF-8", signed(good[:-1].encode() + b',"x":"\xff"}', issuer.claims(), key)
    yield "header nested deep", signed(good[:-1] + ',"x":' + "[" * 2000 + "]" * 2000 + "}", issuer.claims(), key)


def _duplicates(issuer: FakeIssuer) -> Iterator[Case]:
    key, header, claims = issuer.keys["EdDSA"], issuer.header(), issuer.claims()
    for name, value in {"alg": "none", "kid": "ed-2", "typ": "JWT"}.items():
        yield f"header with {name} twice", signed(_twice(header, name, value), claims, key)
    for name, value in {"sub": "somebody else", "iss": "https://else.example", "aud": "else", "jti": "token-2"}.items():
        yield f"{name} twice", signed(header, _twice(claims, name, value), key)
        yield (
            f"{name} twice, the good one last",
            signed(header, _twice({**claims, name: value}, name, claims[name]), key),
        )
    for name in ("exp", "iat"):
        yield f"{name} twice", signed(header, _twice(claims, name, claims[name]), key)
    yield "a name twice inside a claim", signed(header, json.dumps(claims)[:-1] + ',"x":{"a":1,"a":2}}', key)
    yield "sub twice, once escaped", signed(header, json.dumps(claims)[:-1] + ',"su\\u0062":"somebody else"}', key)


def _twice(tree: dict[str, Any], name: str, value: Any) -> str:
    return f"{json.dumps(tree)[:-1]},{json.dumps(name)}:{json.dumps(value)}}}"


def _times(issuer: FakeIssuer) -> Iterator[Case]:
    key, now = issuer.keys["EdDSA"], int(time.time())
    odd: dict[str, Any] = {
        "a float": now + 600.0,
        "text": str(now + 600),
        "1e308": 1e308,
        "negative": -1,
        "0": 0,
        "true": True,
        "a list": [now + 600],
        "an object": {},
        "2**63": 2**63,
        "2**31": 2**41,
        "30 digits": 10**30,
        "empty": "",
        "a date": "2099-01-01T00:00:00Z",
    }
    for name in ("exp", "iat", "nbf"):
        for what, value in odd.items():
            if name == "nbf" and what in ("0", "negative"):
                continue
            yield f"{name} is {what}", signed(issuer.header(), issuer.claims(**{name: value}), key)
        yield f"{name} is null", signed(issuer.header(), {**issuer.claims(), name: None}, key)
        for what in ("NaN", "Infinity", "-Infinity", "1e999"):
            text = _twice({k: v for k, v in issuer.claims().items() if k != name}, name, 0)[:-2] + f"{what}}}"
            yield f"{name} is {what}", signed(issuer.header(), text, key)
    for name in ("exp", "iat"):
        yield f"no {name}", signed(issuer.header(), issuer.claims(**{name: None}), key)
    late = now + LEEWAY
    for what, changes in {
        "expired a minute ago": {"iat": now - 660, "exp": now - 60},
        "expired a second after the leeway": {"iat": now - 600, "exp": now - LEEWAY - 1},
        "expired a year ago": {"iat": now - 31_536_600, "exp": now - 31_536_000},
        "lives an hour and a second": {"iat": now, "exp": now + 3601},
        "lives a year": {"iat": now, "exp": now + 31_536_000},
        "began two hours ago and lives on": {"iat": now - 7200, "exp": now + 600},
        "ends before it begins": {"iat": now + 10, "exp": now + 5},
        "ends when it begins": {"iat": now, "exp": now},
        "issued later than the leeway": {"iat": late + 60, "exp": late + 600},
        "issued tomorrow": {"iat": now + 86_400, "exp": now + 87_000},
        "not before a minute after the leeway": {"nbf": late + 60},
        "not before tomorrow": {"nbf": now + 86_400},
    }.items():
        yield what, signed(issuer.header(), issuer.claims(**changes), key)


def _claims(issuer: FakeIssuer, canary: str) -> Iterator[Case]:
    key = issuer.keys["EdDSA"]
    odd: dict[str, dict[str, Any]] = {
        "iss": {
            "somebody else": "https://else.example",
            "with a slash": issuer.url + "/",
            "in capitals": issuer.url.upper(),
            "a list": [issuer.url],
            "a number": 1,
            "empty": "",
            "a URL to ask": canary,
            "with NUL": issuer.url + "\0",
            "an object": {},
            "http": issuer.url.replace("https", "http"),
            "its beginning": issuer.url[:-1],
        },
        "aud": {
            "somebody else": "else",
            "a list without us": ["else"],
            "a list with others": [AUDIENCE, "else"],
            "a list with a number": [AUDIENCE, 1],
            "an empty list": [],
            "empty": "",
            "an object": {AUDIENCE: 1},
            "a number": 1,
            "its beginning": AUDIENCE[:-1],
            "longer": AUDIENCE + "x",
            "in capitals": AUDIENCE.upper(),
            "nested": [[AUDIENCE]],
        },
        "sub": {
            "empty": "",
            "a number": 1,
            "a list": ["payout-worker"],
            "an object": {},
            "of 256 characters": "s" * 256,
            "with NUL": "payout\0worker",
            "with a line feed": "payout\nworker",
            "true": True,
            "with a reversed direction": "payout\u202eworker",
        },
        "jti": {"a number": 1, "empty": "", "a list": ["token-1"], "of 300 characters": "j" * 300},
    }
    for name, values in odd.items():
        for what, value in values.items():
            yield f"{name} is {what}", signed(issuer.header(), issuer.claims(**{name: value}), key)
        if name != "jti":
            yield f"no {name}", signed(issuer.header(), issuer.claims(**{name: None}), key)
            yield f"{name} is null", signed(issuer.header(), {**issuer.claims(), name: None}, key)
    for what, payload in {
        "a list": "[]",
        "text": '"x"',
        "null": "null",
        "no JSON": "sub=x",
        "with NaN": '{"x":NaN}',
        "nested deep": json.dumps(issuer.claims())[:-1] + ',"x":' + "[" * 1500 + "]" * 1500 + "}",
        "with half a surrogate pair": json.dumps(issuer.claims())[:-1] + ',"x":"\\udfff"}',
        "a token": issuer.token(),
    }.items():
        yield f"payload is {what}", signed(issuer.header(), payload, key)
    yield "payload of 9 kB", issuer.token(padding="x" * 9000)


def _forms(issuer: FakeIssuer) -> Iterator[Case]:
    good = issuer.token()
    header, claims, signature = good.split(".")
    for what, text in {
        "two parts": f"{header}.{claims}",
        "one part": header,
        "four parts": f"{good}.{signature}",
        "five parts": f"{header}.{claims}.{signature}.{claims}.{signature}",
        "no header": f".{claims}.{signature}",
        "no claims": f"{header}..{signature}",
        "no signature": f"{header}.{claims}.",
        "dots alone": "..",
        "dots and letters": "a.b.c",
        "padding": f"{header}==.{claims}.{signature}",
        "a blank within": f"{header}. {claims}.{signature}",
        "padded signature": f"{good}==",
        "the other alphabet": f"{header}.{claims}.+/{signature[2:]}",
        "a part too short to be one": f"{header}.{claims}.{signature[:-1]}"
        if len(signature) % 4 == 2
        else f"{header}.{claims}.a",
        "swapped parts": f"{claims}.{header}.{signature}",
        "the scheme twice": f"Bearer {good}",
        "in quotes": f'"{good}"',
        "a trailing comma": f"{good},",
        "two tokens": f"{good},{good}",
        "its JSON form": json.dumps({"payload": claims, "protected": header, "signature": signature}),
        "a percent sign": good.replace(".", "%2E"),
        "a fragment": good + "#",
        "doubled": good + good,
    }.items():
        yield f"form: {what}", text
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = last[last.index(signature[-1]) ^ 1]
    yield "form: bits that no byte needs", f"{header}.{claims}.{signature[:-1]}{other}"


def _signatures(issuer: FakeIssuer) -> Iterator[Case]:
    strangers = FakeIssuer()
    for algorithm, key in issuer.keys.items():
        header, claims = issuer.header(algorithm), issuer.claims()
        message = f"{encoded(header)}.{encoded(claims)}"
        good = sign(key, message.encode())
        stranger = strangers.keys[algorithm]
        bad = {
            "a bit changed": bytes([good[0] ^ 1]) + good[1:],
            "its last bit changed": good[:-1] + bytes([good[-1] ^ 1]),
            "cut": good[:-1],
            "longer": good + b"\0",
            "doubled": good + good,
            "all zero": bytes(len(good)),
            "all ones": b"\xff" * len(good),
            "of another message": sign(key, b"else"),
            "of another key": sign(stranger, message.encode()),
            "one byte": b"\0",
        }
        if isinstance(key, ec.EllipticCurvePrivateKey):
            bad["in DER"] = key.sign(message.encode(), ec.ECDSA(hashes.SHA256()))
            order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
            bad["r is the order"] = order.to_bytes(32, "big") + good[32:]
        for what, signature in bad.items():
            yield f"signature of {algorithm}: {what}", f"{message}.{b64(signature)}"
        moved = encoded({**claims, "sub": "somebody else"})
        yield f"signature of {algorithm} over other claims", f"{encoded(header)}.{moved}.{b64(good)}"


def _weak(issuer: FakeIssuer, weak: dict[str, Any]) -> Iterator[Case]:
    for key_id, key in weak.items():
        algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        yield (
            f"a key that must not be used: {key_id}",
            signed(issuer.header(algorithm, kid=key_id), issuer.claims(), key),
        )
    for key_id in ("oct", "oct-hs"):
        header = issuer.header(alg="HS256", kid=key_id)
        secret = b"shared secret of thirty-two byte"
        yield f"a shared secret in the key set: {key_id}", hashed(header, issuer.claims(), secret, "HS256")

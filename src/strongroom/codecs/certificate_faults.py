"""Why a certificate was refused, from the error codes of OpenSSL (X509_verify_cert_error_string(3))."""

from __future__ import annotations

from typing import Final, Literal

CertificateFault = Literal["expired", "not_valid_yet", "other_name", "untrusted", "refused"]

_BY_CODE: Final[dict[int, CertificateFault]] = {
    9: "not_valid_yet",
    10: "expired",
    18: "untrusted",  # self-signed
    19: "untrusted",  # the chain ends in a root that is not trusted
    20: "untrusted",  # the issuer is not known
    21: "untrusted",  # the chain is this certificate alone, and it cannot be verified
    62: "other_name",
    63: "other_name",  # an e-mail address
    64: "other_name",  # an IP address
}
SAYINGS: Final[dict[CertificateFault, str]] = {
    "expired": "has expired: renew it",
    "not_valid_yet": "is not valid yet: check the clocks of both machines",
    "other_name": "is for another host name: use a name in the certificate, or get one for this name",
    "untrusted": "is signed by an authority that is not trusted: name the file with its certificate",
    "refused": "is refused by OpenSSL: check its key, signature and purpose",
}
"""The sentence that begins with "the certificate"."""


def certificate_fault(code: int) -> CertificateFault:
    """``code`` is `ssl.SSLCertVerificationError.verify_code`."""
    return _BY_CODE.get(code, "refused")

"""Failures of the signer in the form that a caller sees."""

from __future__ import annotations

import pytest

from strongroom.errors import StrongroomError
from strongroom.keys.base import KeyFailure, KeyFailureReason
from strongroom.operations.answers import key_error, signatures_of

FAILURES = {
    KeyFailureReason.UNAVAILABLE: "keywrap_unavailable",
    KeyFailureReason.TAMPERED: "integrity_violation",
    KeyFailureReason.WRONG_PUBLIC_KEY: "integrity_violation",
    KeyFailureReason.UNSUPPORTED: "internal_error",
}


@pytest.mark.parametrize("reason", KeyFailureReason)
def test_failure_of_the_signer_is_ours(reason: KeyFailureReason) -> None:
    error = key_error(KeyFailure(reason))
    assert isinstance(error, StrongroomError)
    assert error.code == FAILURES[reason]
    with pytest.raises(type(error)):
        signatures_of([b"signature", KeyFailure(reason)])
    assert signatures_of([b"one", b"two"]) == [b"one", b"two"]

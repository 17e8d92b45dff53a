"""Examples for the OpenAPI document, two or more of each operation: the command's fields, and the result.

All keys but the imported ones are of the mnemonic that BIP-39's own vectors begin with (`abandon … about`). Tests run
the examples through the code and send each to a service, so they cannot grow stale.
"""

from __future__ import annotations

from typing import Final

from strongroom.entrypoints.http.examples.access import ACCESS
from strongroom.entrypoints.http.examples.addresses import ADDRESSES
from strongroom.entrypoints.http.examples.administration import ADMINISTRATION
from strongroom.entrypoints.http.examples.alerts import ALERTS
from strongroom.entrypoints.http.examples.base import Example, Examples
from strongroom.entrypoints.http.examples.messages import MESSAGES
from strongroom.entrypoints.http.examples.reading import NETWORKS, READING
from strongroom.entrypoints.http.examples.transactions import TRANSACTIONS
from strongroom.entrypoints.http.examples.wallets import WALLETS

USUAL: Final = "usual"
EVERY_EXAMPLE: Final[Examples] = {
    **WALLETS,
    **ADDRESSES,
    **TRANSACTIONS,
    **MESSAGES,
    **READING,
    **NETWORKS,
    **ACCESS,
    **ADMINISTRATION,
    **ALERTS,
}
EXAMPLES: Final[dict[str, Example]] = {name: each[USUAL] for name, each in EVERY_EXAMPLE.items()}
"""The first of each operation."""

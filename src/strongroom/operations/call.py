"""One call of an operation: its context, and the services that all calls of the process share."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.access.api_keys import Authenticator
from strongroom.operations.context import Context
from strongroom.operations.keyring import Keyring
from strongroom.operations.networks import Networks
from strongroom.operations.offload import Offload
from strongroom.operations.reading import Reading


@dataclass(frozen=True, slots=True)
class Call(Context):
    networks: Networks
    keyring: Keyring
    authenticator: Authenticator
    offload: Offload
    reading: Reading

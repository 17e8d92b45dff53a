"""The chains, registered by hand.

To add one, write a package beside ``evm`` with a class that implements `chains.base.Chain`, add its vectors under
``tests/vectors`` and one line here. Nothing else knows a chain by name.
"""

from __future__ import annotations

from typing import Final

from strongroom.chains.base import Chain
from strongroom.chains.bitcoin.chain import Bitcoin
from strongroom.chains.evm.chain import Evm
from strongroom.chains.solana.chain import Solana
from strongroom.chains.ton.chain import Ton
from strongroom.chains.tron.chain import Tron

CHAINS: Final[dict[str, Chain]] = {
    "bitcoin": Bitcoin(),
    "evm": Evm(),
    "tron": Tron(),
    "solana": Solana(),
    "ton": Ton(),
}

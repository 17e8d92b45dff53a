"""Sources of the Bitcoin networks: Bitcoin Core, Electrum servers and Esplora."""

"""Sources for EVM networks."""

"""Solana nodes as sources."""

"""Tron: bandwidth and energy, TRC-10 and TRC-20, and its test networks."""

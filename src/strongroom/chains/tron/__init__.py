"""Tron with TRC-10, TRC-20, staking of bandwidth and energy, and its test networks."""

"""TON: toncenter's index (v3), and its older API over a lite server (v2)."""

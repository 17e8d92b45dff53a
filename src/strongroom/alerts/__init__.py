"""Alerts: the conditions that raise them, and the channels that deliver them to people."""

"""Strongroom: a self-hosted wallet service."""

__version__ = "1.1.0"

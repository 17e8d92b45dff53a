"""Strongroom: a self-hosted wallet service."""

__version__ = "0.1.0"

"""Corruptions, keyed by image."""

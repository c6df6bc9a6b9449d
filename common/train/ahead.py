"""Batches made ahead of need, in threads."""

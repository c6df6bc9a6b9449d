"""Seeds as arguments: torch's global generator is borrowed and put back."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's random numbers follow `seed` inside, and go on outside as if nothing had happened."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield

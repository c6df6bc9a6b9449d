"""Trained networks at work: `python -m common.denoise IN OUT` denoises pictures of any size."""

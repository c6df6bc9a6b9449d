"""Denoisers under one protocol: the same clean images, the same keyed noise, the same conventions.

`python -m common.benchmark` scores filters, the networks that come with the suite, and one's own denoiser.
`common.benchmark.networks` joins what the papers' stages measured, each under its own protocol.
"""

"""Image sets by name: `registry.load(name, split, root)`; `python -m common.datasets` lists them."""

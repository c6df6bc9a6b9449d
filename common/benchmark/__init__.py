"""All denoisers under one protocol."""

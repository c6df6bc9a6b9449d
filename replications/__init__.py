"""The papers, a folder each."""

import common  # noqa: F401  # first of all: it sets how threads wait, before a paper's module loads torch

# One command each. Only Python 3.11 or newer, git and make are needed beforehand; everything else goes into .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PROFILE ?=
JOBS ?=
SCHEDULER ?=
SIGMA ?=
PAPER ?=
VENV := .venv
WORKERS = $(strip $(if $(JOBS),--jobs $(JOBS)) $(if $(SCHEDULER),--scheduler $(SCHEDULER)))
CORES := $(shell getconf _NPROCESSORS_ONLN)
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help repro smoke sweep runs test test-dag bench lint regression snapshot clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

$(READY): pyproject.toml constraints.txt
	@echo "setting up $(VENV) (a few minutes the first time: PyTorch is large)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: Python 3.11 or newer is needed, $(PYTHON) is older: make PYTHON=/path/to/python3.11 …"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@

repro: $(READY) ## everything: data, noise, training, evaluation, report (PROFILE=smoke|quick|paper; default: params.yaml's; JOBS=4: stages side by side)
	@python -m common.run.repro $(if $(PROFILE),--profile $(PROFILE)) $(WORKERS)
	@python -m common.report --print
	@python -m common.run.committed

smoke: $(READY) ## the whole DAG with seconds of training, in a copy under .scratch/smoke (JOBS: as many as there are cores)
	@python -m common.run.repro --apart .scratch/smoke --profile smoke $(or $(WORKERS),--jobs $(CORES))
	@cd .scratch/smoke && python -m common.report --print

sweep: $(READY) ## PSNR over the noise level: a DVC experiment for each (SIGMA="15 25 50", PAPER=udncnn: one paper, PROFILE=…)
	@python -m common.run.sweep $(if $(SIGMA),--sigma $(SIGMA)) $(if $(PAPER),--paper $(PAPER)) $(if $(PROFILE),--profile $(PROFILE))

runs: $(READY) ## this run and DVC's experiments side by side: dvc exp show, a dozen columns (PAPER=udncnn: of one paper)
	@python -m common.run.runs $(if $(PAPER),--paper $(PAPER))

test: $(READY) ## all tests but those of the whole DAG, in as many processes as there are cores
	@python -m pytest -m "not slow" --numprocesses logical --maxprocesses 8 --dist loadfile

test-dag: $(READY) ## tests of the whole DAG: smoke from a clean copy, then the README's commands in it
	@mkdir -p .scratch
	@python -m pytest -m slow --numprocesses logical --maxprocesses 4 --dist loadfile --basetemp .scratch/test-dag

bench: $(READY) ## timings: how fast published networks train, in one table; then scoring and noise
	@python -m common.run.bench
	@python -m pytest tests/bench --benchmark-only --benchmark-columns=min,median,stddev,rounds -s

lint: $(READY) ## format, lint and types
	@ruff format --check . && ruff check . && mypy

regression: $(READY) ## fresh metrics of a profile (PROFILE=smoke by default) against tests/regression/<profile>.json
	@python -m common.run.repro --apart .scratch/regression --profile $(or $(PROFILE),smoke) $(or $(WORKERS),--jobs $(CORES))
	@python -m common.run.regression check --results .scratch/regression/results --baseline tests/regression/$(or $(PROFILE),smoke).json

snapshot: $(READY) ## keep the current numbers as results/reference/NAME, a column of the report
	@python -m common.report.snapshot $(NAME)

clean: ## remove .venv, scratch files, caches and stage outputs that git does not hold
	rm -rf $(VENV) .scratch data models .dvc/cache .dvc/tmp .pytest_cache .mypy_cache .ruff_cache *.egg-info

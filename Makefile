# One target per habit; the same by hand and in CI. `make help` lists them.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
CARD ?= data/credit_data.toml

BIN := .venv/bin
INPUTS := $(wildcard data/*.csv data/*.toml train/*.py train/*/*.py serve/contract.py serve/seal.py) requirements-train.txt

.DEFAULT_GOAL := help
.PHONY: help install run serve train test soak lint format lock slug clean force bench-explain

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/dev ## environment in .venv with everything `make test` needs

run: artifacts/.trained ## environment, train, export, prove, serve on http://127.0.0.1:8000 (PORT=9000 for another)
	HOST=$(HOST) PORT=$(PORT) $(BIN)/python -m serve

serve: .venv/train ## serve artifacts/model.onnx as it is
	HOST=$(HOST) PORT=$(PORT) $(BIN)/python -m serve

train: .venv/train ## train and export again, whatever has changed
	$(BIN)/python -m train $(CARD)
	@touch artifacts/.trained

test: .venv/dev ## every test
	$(BIN)/python -m pytest

soak: .venv/dev ## what takes minutes to prove about the running service: fuzzing, overload, reloads, the end
	$(BIN)/python -m tests.soak

lint: .venv/dev ## style, types and the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: .venv/dev ## rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

slug: .venv/dev ## build what the platform would deploy, start it and post an applicant
	$(BIN)/python -m deploy.slug

bench-explain: .venv/dev ## what probability and reasons cost in the graph
	$(BIN)/python -m benchmarks.explain

lock: .venv/dev ## compile requirements*.txt from *.in, with every hash, for Python 3.11 to 3.13
	@for name in requirements requirements-train requirements-boosters requirements-dev; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --custom-compile-command 'make lock' $(LOCK_FLAGS) $$name.in -o $$name.txt || exit; done

clean: ## remove the environment and every cache
	rm -rf .venv build artifacts/.trained .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Retrain when data, card, code or locked libraries changed, or when the artifact is gone.
artifacts/.trained: $(INPUTS) $(if $(wildcard artifacts/model.onnx),,force) | .venv/train
	$(BIN)/python -m train $(CARD)
	@touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is $$($(PYTHON) -V 2>&1), expected Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/train: requirements-train.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet -r requirements-train.txt
	@touch $@

.venv/dev: requirements-dev.txt .venv/train
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@

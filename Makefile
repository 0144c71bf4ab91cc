# Everything starts here, and needs Python 3.11 or later and make. Every target sets up what it needs.
#
#   make demo      a local Kafka, real posts, their decisions
#   make test      linters, type checks and tests
#   make help      the rest

.DEFAULT_GOAL := help

# The first of these that is new enough; `make PYTHON=/path/to/python demo` chooses another.
PYTHON ?= $(shell for python in python3.11 python3 python3.12 python3.13 python3.14; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
# torch and its friends stay out of .venv: what runs in a worker must not come to need them.
TRAIN_VENV := .venv-train
# The PaddleOCR that the `ocr` benchmark compares with: it owns another build of cv2 than modstream does.
PADDLE_VENV := .venv-paddle
# Where a training run keeps its state, and its pack at the end.
RUN ?= build/train
PIP := python -m pip --disable-pip-version-check --quiet install

# The name of a stamp holds the checksum of what was installed, so that a changed lock installs again and a mere
# `git checkout`, which changes times, does not.
stamp = $(1)/.installed-$(2)-$(shell cat requirements/$(2).lock pyproject.toml | cksum | tr ' ' '-')
LOCAL := $(call stamp,$(VENV),local)
DEV := $(call stamp,$(VENV),dev)
BENCH := $(call stamp,$(VENV),bench)
DOCS := $(call stamp,$(VENV),docs)
INFRA := $(call stamp,$(VENV),infra)
TRAIN := $(call stamp,$(TRAIN_VENV),train)
PADDLE := $(call stamp,$(PADDLE_VENV),paddle)

# $(call install,VENV,LOCK): exact versions, checked hashes, then the project itself from here.
define install
	@echo "Installing requirements/$(2).lock into $(1) (once; some minutes if nothing is cached)" >&2
	@rm -f $(1)/.installed-$(2)-*
	@$(1)/bin/$(PIP) --require-hashes -r requirements/$(2).lock
	@$(1)/bin/$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@
endef

.PHONY: help setup setup-dev demo up test lint format schemas references docs bench golden train test-soak test-infra audit sbom lock clean

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "make %-12s %s\n", $$1, $$2 }'

%/bin/python:
	@test -n "$(PYTHON)" || { echo "modstream needs Python 3.11 or later, and none was found: install one, or name \
	it (make PYTHON=/path/to/python)" >&2; exit 1; }
	$(PYTHON) -m venv $*

$(LOCAL): | $(BIN)/python
	$(call install,$(VENV),local)

$(DEV): | $(BIN)/python
	$(call install,$(VENV),dev)

$(BENCH): | $(BIN)/python
	$(call install,$(VENV),bench)

$(DOCS): | $(BIN)/python
	$(call install,$(VENV),docs)

$(INFRA): | $(BIN)/python
	$(call install,$(VENV),infra)

$(PADDLE): | $(PADDLE_VENV)/bin/python
	@echo "Installing requirements/paddle.lock into $(PADDLE_VENV) (once)" >&2
	@rm -f $(PADDLE_VENV)/.installed-paddle-*
	@$(PADDLE_VENV)/bin/$(PIP) --require-hashes -r requirements/paddle.lock
	@touch $@

$(TRAIN): | $(TRAIN_VENV)/bin/python
	$(call install,$(TRAIN_VENV),train)

setup: $(LOCAL) ## .venv with everything that running needs, and .venv/bin/modstream

setup-dev: $(DEV) ## The same, and the tools of `make test`

demo: setup ## A local Kafka, a sample of real posts, a table of their decisions
	$(BIN)/modstream demo

up: setup ## A local Kafka and the whole chain, until Ctrl-C
	$(BIN)/modstream up

lint: setup-dev ## ruff, pyright, import-linter; JSON Schemas and generated docs are current
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m schemas.jsonschemas --check
	$(BIN)/python -m streams.settings.document --check
	$(BIN)/python -m streams.metrics --check
	$(BIN)/python -m streams.watch --check
	$(BIN)/python -m schemas.document --check

test: lint ## lint, then every test but the soak tests
	$(BIN)/pytest

format: setup-dev ## Lay the code out and apply the linter's safe repairs
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

schemas: setup-dev ## Write the JSON Schemas anew from the types
	$(BIN)/python -m schemas.jsonschemas --write

references: setup ## Write what is generated from the code anew: references of settings, metrics and schemas, dashboards, rules
	$(BIN)/python -m streams.settings.document --write
	$(BIN)/python -m streams.metrics --write
	$(BIN)/python -m streams.watch --write
	$(BIN)/python -m schemas.document --write

docs: $(DOCS) references ## The documentation as a site, in build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(BENCH) $(PADDLE) ## Tables on the screen, JSON in build/bench (ARGS=... goes to `python -m benchmarks`)
	$(BIN)/python -m benchmarks $(ARGS)

train: $(TRAIN) ## The text expert and its pack from a seed: DATA=folder, BACKBONE=folder or hub name, RUN=where (ARGS=...)
	@test -n "$(DATA)" -a -n "$(BACKBONE)" || { echo "Say what to train on and from: \
	make train DATA=/path/to/data BACKBONE=intfloat/multilingual-e5-small" >&2; exit 2; }
	nice -n 19 $(TRAIN_VENV)/bin/python -m models_export train --data "$(DATA)" --backbone "$(BACKBONE)" --out "$(RUN)" $(ARGS)
	nice -n 19 $(TRAIN_VENV)/bin/python -m models_export pack --data "$(DATA)" --run "$(RUN)" --out "$(RUN)/shipped"
	@echo "The pack is in $(RUN)/shipped: \`modstream pack check $(RUN)/shipped\`, then MODSTREAM_PACK=$(RUN)/shipped" >&2

golden: setup-dev ## Renew tests/golden: what the shipped pack and policy decide on a few posts
	$(BIN)/python -m tests.golden --write

test-soak: setup-dev ## Long and many
	@if grep -rqs 'mark\.soak' tests; then $(BIN)/pytest -m soak; else echo "test-soak: there is no soak test yet"; fi

test-infra: $(INFRA) ## Locks, containers, the Helm chart, rules, the console in Chromium; gets helm, promtool and Chromium if it can
	$(BIN)/python -m infra.checks

audit: $(INFRA) ## Known vulnerabilities of the pinned packages
	$(BIN)/python -m infra.checks audit

sbom: $(INFRA) ## What the images are made of, as CycloneDX, in build/sbom
	$(BIN)/python -m infra.checks sbom

lock: setup-dev ## Write requirements/*.lock anew from pyproject.toml
	$(BIN)/$(PIP) 'uv>=0.9'
	requirements/lock.sh

clean: ## Remove what the targets above have made
	rm -rf $(VENV) $(TRAIN_VENV) $(PADDLE_VENV) build dist

# Every command sets up what it needs by itself. `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.8
INSTALLED := $(VENV)/.installed
SAM_VENV := .venvs/sam
SAM := $(SAM_VENV)/bin/sam
LOCAL_LAYERS := build/local/layers
WORKERS ?= 2

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z][a-zA-Z_-]*:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(INSTALLED): requirements/dev.lock requirements/layer.lock requirements/runtime.lock pyproject.toml local/find_python.sh
	@python="$$(sh local/find_python.sh)" && echo "Setting up $(VENV) with $$("$$python" --version) ..." && \
	    "$$python" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@rm -rf build/local && mkdir -p $(LOCAL_LAYERS)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --target $(LOCAL_LAYERS)/dependencies/python -r requirements/layer.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --target $(LOCAL_LAYERS)/runtime -r requirements/runtime.lock
	@touch $@

.PHONY: install
install: $(INSTALLED) ## set up .venv and the layers for this machine

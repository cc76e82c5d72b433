# `make demo` and `make test` are the two commands to know. Every command does its own set-up:
# .venv, and the programs that it needs of this machine (tools/setup.sh).

STAGE ?= dev
bin := .venv/bin
python := $(bin)/python
lock := $(bin)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-package pip \
	--custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade) pyproject.toml
# The tests of a minute. `make test` runs all.
fast := tests/unit tests/integration/adapters/test_store_contract.py

# A value as one word of the shell, whatever is in it: O'Brien becomes 'O'\''Brien'.
quoted = '$(subst ','\'',$(1))'

.DEFAULT_GOAL := help
# The order of prerequisites counts: two commands at once would both make .venv.
.NOTPARALLEL:
# Files here are UTF-8, also where the machine's locale says something else or is missing.
export PYTHONUTF8 := 1

.PHONY: help
help: ## print this list
	@awk -F ':.*## | [|] ' '/^[a-z-]+:.*## / {printf "  make %-16s%s\n", $$1, $$2; for (i = 3; i <= NF; i++) printf "%23s%s\n", "", $$i} \
		/^## / {print "\n" substr($$0, 4)}' $(MAKEFILE_LIST)

## Try it:

.PHONY: demo
demo: ## run all of Assent on this machine, with a web page for everybody's mail; Ctrl-C ends it | [PORT=4566] [INBOX_PORT=8025] [DIR=/tmp/other]
	@tools/setup.sh curl
	@$(python) -m tools.sandbox $(if $(PORT),--port $(call quoted,$(PORT))) \
		$(if $(INBOX_PORT),--inbox-port $(call quoted,$(INBOX_PORT))) $(if $(DIR),--dir $(call quoted,$(DIR)))

.PHONY: example
example: setup ## run one of examples/ in an emulator of its own | NAME=callback_basics [DIR=/tmp/other]
	@$(python) -m examples $(call quoted,$(NAME)) $(if $(DIR),--dir $(call quoted,$(DIR)))

## Work on it:

.PHONY: test
test: machine lint ## run lint and every test, and measure coverage: about a quarter of an hour
	$(bin)/pytest -q -n 2 --ignore tests/sandbox --cov
	$(bin)/pytest -q tests/sandbox

.PHONY: check
check: lint ## run lint and the tests that take a minute
	$(bin)/pytest -q -n 2 $(fast)

.PHONY: lint
lint: setup ## run ruff, mypy and cfn-lint
	@$(bin)/ruff check --quiet .
	@$(bin)/ruff format --quiet --check .
	@$(bin)/mypy
	@cd examples/document_release && MYPYPATH=. ../../$(bin)/mypy --config-file ../../pyproject.toml \
		--cache-dir ../../.mypy_cache/document_release --explicit-package-bases app.py chalicelib
	@$(bin)/cfn-lint infrastructure.yaml examples/*/infrastructure.yaml bench/bare/infrastructure.yaml

.PHONY: format
format: setup ## format the code, and fix what ruff can fix by itself
	@$(bin)/ruff check --quiet --fix-only .
	@$(bin)/ruff format --quiet .

.PHONY: lock
lock: setup ## write the exact versions of pyproject.toml's dependencies into requirements*.txt | [UPGRADE=1, to the newest]
	@$(lock) --no-annotate --output-file requirements.txt
	@$(lock) --annotation-style line --group dev --constraint requirements.txt --output-file requirements-dev.txt

.PHONY: bench
bench: setup ## measure starts, requests, prices, growth; write the tables into README and docs/performance.md | [ONLY=cold]
	@$(python) -m bench $(if $(ONLY),--only $(call quoted,$(ONLY)))

.PHONY: openapi
openapi: setup ## write docs/openapi.json, the API's description, anew
	@$(python) -m tools.openapi

.PHONY: pictures
pictures: browser ## photograph every page and mail in every state, and make docs/pictures again | [DIR=.pictures]
	@$(python) -m tests.pictures $(if $(DIR),--dir $(call quoted,$(DIR)))

.PHONY: setup
setup: ## make .venv with every pinned package; the other commands do so as well | [PYTHON=python3.12]
	@tools/setup.sh

.PHONY: browser
browser: ## install Chromium, if there is no browser
	@tools/setup.sh browser

.PHONY: machine
machine: # installs what the tests need before the first of them starts
	@tools/setup.sh curl browser

## Run it in your AWS account:

.PHONY: deploy
deploy: setup ## make or update a stage | STAGE=dev DOMAINS=example.com (mail domains that may be asked, needed once) | [ALARM_TOPIC=arn:...] [WATCH=arn:...,arn:...] [NAME='Example Ltd, production'] (on pages and in mails) | [RETENTION_DAYS=365] [DETAILS_DAYS=30] | [REQUIRE_POLICY=yes] (refuse requests without a policy) | [RATE=50] [BURST=100] (calls of each public route) [API_CONCURRENCY=50, or none] | [STACK=name, of one that something else deploys, or none]
	@$(python) -m tools.deploy --stage $(call quoted,$(STAGE)) $(if $(DOMAINS),--domains $(call quoted,$(DOMAINS))) \
		$(if $(ALARM_TOPIC),--alarm-topic $(call quoted,$(ALARM_TOPIC))) $(if $(WATCH),--watch $(call quoted,$(WATCH))) \
		$(if $(filter command,$(origin NAME)),--name $(call quoted,$(NAME))) \
		$(if $(RETENTION_DAYS),--retention-days $(call quoted,$(RETENTION_DAYS))) \
		$(if $(DETAILS_DAYS),--details-days $(call quoted,$(DETAILS_DAYS))) \
		$(if $(REQUIRE_POLICY),--require-policy $(call quoted,$(REQUIRE_POLICY))) \
		$(if $(RATE),--rate $(call quoted,$(RATE))) $(if $(BURST),--burst $(call quoted,$(BURST))) \
		$(if $(API_CONCURRENCY),--api-concurrency $(call quoted,$(API_CONCURRENCY))) $(if $(STACK),--stack $(call quoted,$(STACK)))

.PHONY: package
package: setup ## make the package that the next `chalice deploy` takes, with bytecode | STAGE=dev
	@$(python) -m tools.bytecode --stage $(call quoted,$(STAGE))

.PHONY: template
template: setup ## write the stack's template into one file, to be deployed by something else | [FILE=template.json]
	@$(python) -m tools.template $(call quoted,$(or $(FILE),template.json))

.PHONY: destroy
destroy: setup ## delete a stage | STAGE=dev [DELETE_DATA=assent-dev, the table's name] [STOP_RUNNING=yes]
	@$(python) -m tools.destroy --stage $(call quoted,$(STAGE)) $(if $(DELETE_DATA),--delete-data $(call quoted,$(DELETE_DATA))) \
		$(if $(STOP_RUNNING),--stop-running)

.PHONY: deploy-example
deploy-example: setup ## make or update a stage of one of examples/ | NAME=callback_basics STAGE=dev [PARAMETERS="Approvers=ada@example.com ..."]
	@$(python) -m examples $(call quoted,$(NAME)) --deploy $(call quoted,$(STAGE)) $(foreach one,$(PARAMETERS),--parameter $(call quoted,$(one)))

.PHONY: destroy-example
destroy-example: setup ## delete it | NAME=callback_basics STAGE=dev
	@$(python) -m examples $(call quoted,$(NAME)) --destroy $(call quoted,$(STAGE))

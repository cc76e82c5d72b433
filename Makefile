# The two commands to know are `make demo` and `make test`; both do all their own set-up.
# `make demo PORT=4566 INBOX_PORT=8025 DIR=/tmp/other` says where; any free ports if not given.
# `make example NAME=callback_basics` runs one of examples/ in a sandbox of its own and shows what happens;
# deploy-example (PARAMETERS="Approvers=ada@example.com ...") and destroy-example, with a STAGE, do so in your AWS account.
# STAGE=dev names a stage of .chalice/config.json; DOMAINS=example.com says whose mail addresses may
# be asked (needed once); ALARM_TOPIC=arn:... is told of alarms; DELETE_DATA=assent-dev makes destroy take the table along.

STAGE ?= dev
bin := .venv/bin
python := $(bin)/python

.PHONY: demo example test check lint deploy destroy deploy-example destroy-example pictures bench setup browser

demo: setup
	@$(python) -m tools.sandbox $(if $(PORT),--port '$(PORT)') \
		$(if $(INBOX_PORT),--inbox-port '$(INBOX_PORT)') $(if $(DIR),--dir '$(DIR)')

example: setup
	@$(python) -m examples '$(NAME)' $(if $(DIR),--dir '$(DIR)')

test: lint browser
	$(bin)/pytest -q -n 2 --ignore tests/sandbox
	$(bin)/pytest -q tests/sandbox

# What is quick: a minute. `make test` has the rest as well.
check: lint
	$(bin)/pytest -n 2 -q --ignore tests/sandbox --ignore tests/examples --ignore tests/bench --ignore tests/fidelity \
		--ignore tests/workflow/test_any_story_in_moto.py

lint: setup
	@$(bin)/ruff check --quiet .
	@$(bin)/ruff format --quiet --check .
	@$(bin)/mypy
	@cd examples/document_release && MYPYPATH=. ../../$(bin)/mypy --config-file ../../pyproject.toml \
		--cache-dir ../../.mypy_cache/document_release --explicit-package-bases app.py chalicelib
	@$(bin)/cfn-lint infrastructure.yaml examples/*/infrastructure.yaml

deploy: setup
	@$(python) -m tools.deploy --stage '$(STAGE)' $(if $(DOMAINS),--domains '$(DOMAINS)') \
		$(if $(ALARM_TOPIC),--alarm-topic '$(ALARM_TOPIC)')

destroy: setup
	@$(python) -m tools.destroy --stage '$(STAGE)' $(if $(DELETE_DATA),--delete-data '$(DELETE_DATA)') \
		$(if $(STOP_RUNNING),--stop-running)

deploy-example: setup
	@$(python) -m examples '$(NAME)' --deploy '$(STAGE)' $(foreach one,$(PARAMETERS),--parameter '$(one)')

destroy-example: setup
	@$(python) -m examples '$(NAME)' --destroy '$(STAGE)'

pictures: setup browser
	@$(python) -m tools.pictures

bench: setup
	@$(python) -m bench
	@$(python) -m bench.tick
	@$(python) -m bench.counting

setup:
	@cat requirements.txt requirements-dev.txt tools/setup.sh | sha256sum | cmp -s - .venv/ready || tools/setup.sh

browser: setup
	@tools/setup.sh browser

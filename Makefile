# The two commands to know are `make demo` and `make test`; both do all their own set-up.
# `make demo PORT=4566 INBOX_PORT=8025 DIR=/tmp/other` says where; any free ports if not given.
# STAGE=dev names a stage of .chalice/config.json; DOMAINS=example.com says whose mail addresses may
# be asked (needed once); ALARM_TOPIC=arn:... is told of alarms; DELETE_DATA=assent-dev makes destroy take the table along.

STAGE ?= dev
bin := .venv/bin
python := $(bin)/python

.PHONY: demo test check lint deploy destroy pictures bench setup browser

demo: setup
	@$(python) -m tools.sandbox $(if $(PORT),--port '$(PORT)') \
		$(if $(INBOX_PORT),--inbox-port '$(INBOX_PORT)') $(if $(DIR),--dir '$(DIR)')

test: lint browser
	$(bin)/pytest -q -n 2 --ignore tests/sandbox
	$(bin)/pytest -q tests/sandbox

check: lint
	$(bin)/pytest -n 2 -q --ignore tests/sandbox

lint: setup
	@$(bin)/ruff check --quiet .
	@$(bin)/ruff format --quiet --check .
	@$(bin)/mypy
	@$(bin)/cfn-lint infrastructure.json

deploy: setup
	@$(python) -m tools.deploy --stage '$(STAGE)' $(if $(DOMAINS),--domains '$(DOMAINS)') \
		$(if $(ALARM_TOPIC),--alarm-topic '$(ALARM_TOPIC)')

destroy: setup
	@$(python) -m tools.destroy --stage '$(STAGE)' $(if $(DELETE_DATA),--delete-data '$(DELETE_DATA)') \
		$(if $(STOP_RUNNING),--stop-running)

pictures: setup browser
	@$(python) -m tools.pictures

bench: setup
	@$(python) -m bench
	@$(python) -m bench.tick

setup:
	@cat requirements.txt requirements-dev.txt tools/setup.sh | sha256sum | cmp -s - .venv/ready || tools/setup.sh

browser: setup
	@tools/setup.sh browser

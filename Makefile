# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# `make help` lists what there is. Whatever is installed or built goes to the cache folder, nothing into the checkout;
# root (or sudo) is needed where podman and apt need it, and nowhere else.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
HOST ?= n1
PRODUCT ?= erlang
export LAB_PREFIX ?= beam-

cache := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/beam-cluster
venv := $(cache)/venv-$(shell cat tests/requirements.txt | sha256sum | cut -c1-12)
# The collection under its own name; a link inside the checkout would contain itself.
collections := $(cache)/collections-$(shell pwd | sha256sum | cut -c1-12)

# A product's scenario brings an inventory that comes on top of the lab's.
products := $(filter $(notdir $(wildcard roles/product/products/*)),$(patsubst molecule/%/inventory.yml,%,$(wildcard molecule/*/inventory.yml)))
ifneq ($(PRODUCT),erlang)
on_top := $(if $(filter $(PRODUCT),$(products)),molecule/$(PRODUCT)/inventory.yml,$(error there is no scenario for PRODUCT=$(PRODUCT): name one of erlang $(products)))
endif
inventory := -i molecule/inventory $(if $(on_top),-i $(on_top))

export PATH := $(venv)/bin:$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(collections)
export ANSIBLE_INJECT_FACT_VARS := false
export ANSIBLE_PIPELINING := true
export PYTHONPATH := $(collections)
export MYPYPATH := $(collections)

.PHONY: help
help:  ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1|\2/p' Makefile | column -t -s '|'

.PHONY: bootstrap
bootstrap: $(venv)/complete  ## install what demo and tests need (Debian packages, a virtual environment)
	@mkdir -p $(collections)/ansible_collections/beam
	@ln -sfn $(CURDIR) $(collections)/ansible_collections/beam/cluster

# Its name holds a sum of the requirements: other ones go to another folder.
$(venv)/complete:
	@molecule/lab/controller_packages
	@echo "==> installing Ansible and the test tools into $(venv) (about 60 s)"
	@$(PYTHON) -m venv $(venv)
	@$(venv)/bin/pip install --quiet --requirement tests/requirements.txt
	@touch $@

.PHONY: lab
lab: bootstrap  ## start the lab: n1, n2, n3 and outsider, bare (LAB_PREFIX=... for a lab of your own)
	@echo "==> starting the lab $(LAB_PREFIX)"
	@ansible-playbook $(inventory) molecule/default/create.yml $(wildcard molecule/$(PRODUCT)/prepare.yml)

.PHONY: lab-down
lab-down: bootstrap  ## stop and remove the lab
	@ansible-playbook $(inventory) molecule/default/destroy.yml

.PHONY: demo
demo: lab  ## turn three bare hosts into a hardened cluster and print the results (PRODUCT=rabbitmq, ejabberd, release)
	@echo "==> turning the hosts into a cluster and proving it (about 2 min)"
	@ANSIBLE_DISPLAY_SKIPPED_HOSTS=false ansible-playbook $(inventory) beam.cluster.site
	@echo
	@echo "Report:       $(cache)/lab/$(LAB_PREFIX)/report"
	@echo "Open a shell: make demo-shell HOST=n1   (n1, n2, n3, outsider)"
	@echo "Verify again: make demo-verify"
	@echo "Remove:       make demo-down"

.PHONY: demo-verify
demo-verify: bootstrap  ## verify the demo's cluster again
	@ansible-playbook $(inventory) beam.cluster.verify

.PHONY: demo-down
demo-down: lab-down  ## stop and remove the demo

.PHONY: demo-shell
demo-shell:  ## open a root login shell on a host of the lab (HOST=n1)
	@molecule/lab/podman exec -it -w /root $(LAB_PREFIX)$(HOST) bash -l

# What the tests hold ours against, on this machine: a real erl, a real nft, a linter that is no Python package.
.PHONY: oracles
oracles:
	@molecule/lab/controller_packages erlang-base erlang-ssl nftables openssl shellcheck

.PHONY: test
test: bootstrap oracles  ## run lint, sanity, unit and molecule, and count the results (under 40 minutes)
	@tests/run.py

.PHONY: lint sanity unit molecule
lint: bootstrap oracles  ## yamllint, ansible-lint, ruff, mypy, changelog, documentation, import by Galaxy
	@tests/run.py lint
sanity: bootstrap  ## ansible-test sanity
	@tests/run.py sanity
unit: bootstrap oracles  ## Python tests and project rules
	@tests/run.py other-pythons unit
molecule: bootstrap  ## the lab's scenarios
	@tests/run.py molecule

.PHONY: pages
pages: bootstrap  ## write the pages of docs/ that are generated from data
	@$(venv)/bin/python tests/regenerate.py

.PHONY: vulnerabilities
vulnerabilities: bootstrap  ## derive the table of known vulnerabilities from published records (FEEDS=folder, AS_OF=YYYY-MM-DD)
	@$(if $(FEEDS),,$(error FEEDS is not set: name a folder of records, see docs/vulnerabilities.md))
	@$(venv)/bin/python plugins/plugin_utils/derive_vulnerability_table.py $(FEEDS) --output roles/plan/files/vulnerabilities.json $(if $(AS_OF),--as-of $(AS_OF))

.PHONY: proof
proof: bootstrap  ## long tests: killed runs, restarts, other firewalls, scanners, a search for secrets, another controller (long)
	@tests/run.py proof

.PHONY: report-page
report-page: bootstrap  ## the report's page in headless Chromium: axe-core (BEAM_SCREENSHOTS=directory keeps screenshots)
	@molecule/lab/controller_packages chromium $$(command -v npm >/dev/null || echo npm)
	@npm install --silent --no-save --prefix $(cache)/axe axe-core@4.14.1
	@BEAM_AXE=$(cache)/axe/node_modules/axe-core/axe.min.js tests/run.py report-page

.PHONY: killed
killed: bootstrap  ## kill a run after each change, again and again: new cookie, new CA, first run over RabbitMQ (hours; KILL_AT=boundaries: at each task)
	@tests/run.py killed

.PHONY: daytwo
daytwo: bootstrap  ## certificates, CA, cookie, CRLs, ports, OTP: RabbitMQ, ejabberd and a release under a client (hours)
	@tests/run.py daytwo

.PHONY: faults
faults: bootstrap  ## break a hardened lab in every seeded way; verify must find and name each (hours; FAULTS=small, a name or a control selects)
	@tests/run.py faults

.PHONY: shapes
shapes: bootstrap  ## test all shapes on OTP 25, 27 and 29 with each firewall (very long; SHAPES=epmd,standalone selects some)
	@tests/run.py shapes

.PHONY: products
products: bootstrap  ## the scenarios of RabbitMQ, ejabberd and releases
	@tests/run.py products

.PHONY: matrix
matrix: bootstrap oracles  ## test the modules against real nodes of OTP 23 to 29 (long; continues an interrupted run), then the shapes
	@molecule/lab/controller_packages tshark
	@tests/matrix/run.py
	@tests/run.py shapes

.PHONY: fuzz
fuzz: bootstrap  ## fuzz every decoder, 700,000 inputs each, and the plan, 10,000 inventories
	@BEAM_PLAN_INVENTORIES=10000 $(venv)/bin/pytest -q tests/unit/plugins/module_utils/_plan/test_any_json.py
	@$(venv)/bin/pip install --quiet atheris
	@tests/fuzz/fuzz.py all -runs=700000

.PHONY: bench
bench: bootstrap oracles  ## measure the speed, compared with other programs and libraries
	@$(venv)/bin/pip install --quiet erlang-py
	@$(venv)/bin/pip install --quiet pyrlang-term || echo "==> pyrlang-term cannot be had here, and is not compared with"
	@for bench in tests/bench/*.py tests/bench/*/*.py; do [ ! -x "$$bench" ] || "$$bench"; done

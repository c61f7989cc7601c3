# make demo   set up, then run everything small on this machine
# make test   set up, then run all checks and tests
# make lock   renew envs/cpu.lock from envs/cpu.in and envs/cpu.overrides
# make profiles link the cluster profiles into Snakemake's folder of yours; make unlink-profiles undoes it
# make schema renew config/schema.yaml from the config's models

SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

# uv does not read pip's settings; what pip was told in the environment holds here too
ifneq ($(PIP_FIND_LINKS),)
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
endif
ifneq ($(PIP_INDEX_URL),)
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
ifneq ($(PIP_EXTRA_INDEX_URL),)
export UV_INDEX ?= $(PIP_EXTRA_INDEX_URL)
endif
# torch's CPU build: from a folder of wheels if one was named, else from where uv finds it
TORCH := $(if $(strip $(UV_FIND_LINKS)),,--torch-backend cpu)
CONFIG ?= config/demo.yaml
RESULTS = results/$(shell sed -n 's/^experiment: *//p' $(CONFIG))

.PHONY: demo test checks lock schema report profiles unlink-profiles

demo: .venv/installed
	snakemake --configfile $(CONFIG)
	@$(MAKE) --no-print-directory report

report: .venv/installed
	snakemake --configfile $(CONFIG) --report $(RESULTS)/report.html --quiet all
	@echo "report: $(RESULTS)/report.html"

test: .venv/installed checks
	pytest

checks: .venv/installed
	ruff check .
	ruff format --check .
	mypy
	snakefmt --check Snakefile rules
	snakemake --lint

USER_PROFILES = $(or $(XDG_CONFIG_HOME),$(HOME)/.config)/snakemake

# so that snakemake --profile slurm-mi300 finds them; a profile of yours of that name is left alone
profiles:
	@mkdir -p $(USER_PROFILES)
	@for name in slurm-mi300 slurm-cuda; do \
	    link=$(USER_PROFILES)/$$name; \
	    if [ -e $$link ] && [ ! -L $$link ]; then echo "error: $$link is yours, not a link; move it away"; exit 2; fi; \
	    ln -sfn $(CURDIR)/profiles/$$name $$link && echo "$$link -> profiles/$$name"; \
	done

unlink-profiles:
	@for name in slurm-mi300 slurm-cuda; do \
	    link=$(USER_PROFILES)/$$name; if [ -L $$link ]; then rm $$link && echo "removed $$link"; fi; \
	done

.venv/installed: envs/cpu.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	    { echo "error: $(PYTHON) is not Python 3.11; run: make PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv .venv || { echo "error: no venv module; on Debian: apt-get install python3-venv"; exit 2; }
	pip install --quiet "$$(grep -o '^uv==[^ ]*' $<)"
	uv pip install --no-deps $(TORCH) --compile-bytecode --requirement $<
	@touch $@

lock: .venv/installed
	uv pip compile envs/cpu.in --override envs/cpu.overrides --python-version 3.11 \
	    --no-header --output-file envs/cpu.lock --upgrade --quiet
	sed -i 's/^torch==\([0-9.]*\)+cpu/torch==\1/' envs/cpu.lock

schema: .venv/installed
	PYTHONPATH=scripts python -c 'from reasonlite.config import schema_yaml; print(schema_yaml(), end="")' > config/schema.yaml

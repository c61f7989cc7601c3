# make demo   set up, then run everything small on this machine
# make test   set up, then run all checks and tests
# make setup  only set up: the locked environment in .venv (ROLE=cuda for NVIDIA GPUs)
# make lock   renew the locks of all roles from envs/*.in and envs/*.overrides
# make release gather the experiment for others; make verify RELEASE=FILE checks such an archive
# make profiles link the cluster profiles into Snakemake's folder of yours; make unlink-profiles undoes it
# make docs   build the documentation as a site, in site/
# make schema renew config/schema.yaml from the config's models

SHELL := /bin/bash
PYTHON ?= python3
# what .venv holds: cpu, or cuda on a machine for NVIDIA GPUs (for AMD's: a container, see docs/clusters.md)
ROLE ?= cpu
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
TORCH := $(if $(filter cpu,$(ROLE)),$(if $(strip $(UV_FIND_LINKS)),,--torch-backend cpu))
INSTALLED := .venv/installed-$(ROLE)
CONFIG ?= config/demo.yaml
RESULTS = results/$(shell sed -n 's/^experiment: *//p' $(CONFIG))

.PHONY: setup demo test checks docs lock schema report release verify profiles unlink-profiles

setup: $(INSTALLED)

demo: $(INSTALLED)
	snakemake --configfile $(CONFIG)
	@$(MAKE) --no-print-directory report

report: $(INSTALLED)
	snakemake --configfile $(CONFIG) --report $(RESULTS)/report.html --quiet all
	@echo "report: $(RESULTS)/report.html"

# an archive of the experiment's manifest, tables, figures, cards and all that made them; and its check, anywhere
release: $(INSTALLED)
	python scripts/release.py build --config $(CONFIG)

verify: $(INSTALLED)
	python scripts/release.py verify $(RELEASE)

test: $(INSTALLED) checks
	pytest

checks: $(INSTALLED)
	ruff check .
	ruff format --check .
	mypy
	PYTHONPATH=scripts lint-imports --no-logo
	snakefmt --check Snakefile rules
	snakemake --lint
	NO_MKDOCS_2_WARNING=1 mkdocs build

docs: $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 mkdocs build
	@echo "documentation: site/index.html"

USER_PROFILES = $(or $(XDG_CONFIG_HOME),$(HOME)/.config)/snakemake

# so that snakemake --profile slurm-mi300 finds them; a profile of yours of that name is left alone
profiles:
	@mkdir -p "$(USER_PROFILES)"
	@for name in slurm-mi300 slurm-cuda; do \
	    link="$(USER_PROFILES)/$$name"; \
	    if [ -e "$$link" ] && ! readlink "$$link" | grep -q "/profiles/$$name$$"; then \
	        echo "error: $$link is yours, not a link of ours; move it away"; exit 2; fi; \
	    ln -sfn "$(CURDIR)/profiles/$$name" "$$link" && echo "$$link -> profiles/$$name"; \
	done

unlink-profiles:
	@for name in slurm-mi300 slurm-cuda; do \
	    link="$(USER_PROFILES)/$$name"; \
	    if readlink "$$link" | grep -q "/profiles/$$name$$"; then rm "$$link" && echo "removed $$link"; fi; \
	done

$(INSTALLED): envs/$(ROLE).lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	    { echo "error: $(PYTHON) is not Python 3.11; run: make PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv .venv || { echo "error: no venv module; on Debian: apt-get install python3-venv"; exit 2; }
	pip install --quiet "$$(grep -o '^uv==[^ ]*' envs/cpu.lock)"
	uv pip install --no-deps $(TORCH) --compile-bytecode --requirement $<
	@rm -f .venv/installed-* && touch $@

lock: $(INSTALLED)
	for role in cpu cuda rocm; do envs/lock.sh $$role --upgrade || exit 2; done

schema: $(INSTALLED)
	PYTHONPATH=scripts python -c 'from reasonlite.config.experiment import schema_yaml; print(schema_yaml(), end="")' > config/schema.yaml

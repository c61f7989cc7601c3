# Targets with two # are shown by make help.

SHELL := /bin/bash
PYTHON ?= $(or $(shell command -v python3.11),python3)
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
# an environment that was moved here, or whose Python is gone, counts as none
USABLE := $(shell [ "$$(cat $(INSTALLED) 2>/dev/null)" = "$$(pwd -P)" ] && .venv/bin/python -c 'print("yes")' 2>/dev/null)
CONFIG ?= config/demo.yaml
RESULTS = results/$(shell sed -n 's/^experiment: *//p' $(CONFIG))

.PHONY: help setup demo report browse release verify reproduce test test-all test-peers checks docs profiles unlink-profiles clean clean-all lock schema

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.* ## /\1\t/p' Makefile | expand -t 17

setup: $(INSTALLED) ## install the locked environment into .venv (ROLE=cuda for NVIDIA GPUs)

demo: $(INSTALLED) ## set up, then run the whole chain in its small form, and make its report
	@snakemake --configfile $(CONFIG)
	@$(MAKE) --no-print-directory report

report: $(INSTALLED) ## one page with the tables and figures of what was run (CONFIG=config/…)
	@snakemake --configfile $(CONFIG) --report $(RESULTS)/report.html --quiet all
	@echo "report: $(RESULTS)/report.html"

browse: $(INSTALLED) ## look at problems, answers and changes in a web browser, also while a run goes on
	@python scripts/browse.py $(RESULTS)

release: $(INSTALLED) ## an archive of the experiment's manifest, tables, figures, cards and what made them
	python scripts/release.py build --config $(CONFIG)

verify: $(INSTALLED) ## check such an archive: make verify RELEASE=FILE
	python scripts/release.py verify $(RELEASE)

reproduce: $(INSTALLED) ## run an archive again in a folder of its own, and compare: make reproduce RELEASE=FILE
	python scripts/reproduce.py $(RELEASE)

# tests run beside each other, those that share something dear one after the other, in the order of tests/conftest.py
PYTEST := pytest --dist loadgroup --no-loadscope-reorder

test: $(INSTALLED) checks ## the linters, the type check, and the tests that take ten minutes together
	$(PYTEST) -n 2 -m "not full"

test-all: test ## all tests: the above, then a cluster, every fault, every change, every training method, other libraries
	$(PYTEST) -n 4 -m full
	@$(MAKE) --no-print-directory test-peers

PEERS := .venv-peers/installed
test-peers: $(PEERS) ## our graders in other libraries, and their logs in our tables; they need an environment of their own
	@if [ -e $(PEERS) ]; then HF_HUB_OFFLINE=1 PYTHONPATH=scripts .venv-peers/bin/python -m pytest \
	    --confcutdir=tests/peers -p no:cacheprovider tests/peers/test_inspect_and_lighteval.py tests/peers/test_their_logs.py tests/peers/test_crate.py; fi

$(PEERS): tests/peers/requirements.txt | $(INSTALLED)
	@echo "installing the $$(grep -c '^[a-z0-9]' $<) packages of $< into .venv-peers"
	@{ uv venv --quiet --clear --python $(BIN)/python .venv-peers && \
	    uv pip install --quiet --python .venv-peers/bin/python --no-deps $(TORCH) --requirement $< && touch $@; } || \
	    { rm -rf .venv-peers; echo "skipped: Inspect, lighteval, lm-evaluation-harness and roc-validator could not be installed (see above)" >&2; }

checks: $(INSTALLED) ## the linters, the type check and the documentation's links
	ruff check .
	ruff format --check .
	mypy
	PYTHONPATH=scripts lint-imports --no-logo
	snakefmt --check Snakefile rules
	snakemake --lint
	NO_MKDOCS_2_WARNING=1 mkdocs build

docs: $(INSTALLED) ## the documentation as a site, in site/
	NO_MKDOCS_2_WARNING=1 mkdocs build
	@echo "documentation: site/index.html"

USER_PROFILES = $(or $(XDG_CONFIG_HOME),$(HOME)/.config)/snakemake

# so that snakemake --profile slurm-mi300 finds them; a profile of yours of that name is left alone
profiles: ## link the cluster profiles into your Snakemake folder
	@mkdir -p "$(USER_PROFILES)"
	@for name in slurm-mi300 slurm-cuda; do \
	    link="$(USER_PROFILES)/$$name"; \
	    if [ -e "$$link" ] && ! readlink "$$link" | grep -q "/profiles/$$name$$"; then \
	        echo "error: $$link is yours, not a link of ours; move it away"; exit 2; fi; \
	    ln -sfn "$(CURDIR)/profiles/$$name" "$$link" && echo "$$link -> profiles/$$name"; \
	done

unlink-profiles: ## remove these links
	@for name in slurm-mi300 slurm-cuda; do \
	    link="$(USER_PROFILES)/$$name"; \
	    if readlink "$$link" | grep -q "/profiles/$$name$$"; then rm "$$link" && echo "removed $$link"; fi; \
	done

CACHES := site build .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
REMOVE = for path in $(1); do if [ -e "$$path" ]; then echo "deleting $$path ($$(du -sh "$$path" | cut -f1))"; rm -rf "$$path"; fi; done

clean: ## delete caches and the built documentation
	@$(call REMOVE,$(CACHES))
	@find scripts tests -name __pycache__ -prune -exec rm -rf {} + && echo "deleting __pycache__ folders in scripts and tests"

clean-all: clean ## also delete the environments and results/demo; other results and .snakemake stay
	@$(call REMOVE,results/demo .venv .venv-peers)

$(INSTALLED): envs/$(ROLE).lock $(if $(USABLE),,again)
	@envs/setup.sh $(ROLE) "$(PYTHON)" $(TORCH)

again:

lock: $(INSTALLED) ## renew the locks of all roles from envs/*.in and envs/*.overrides
	for role in cpu cuda rocm; do envs/lock.sh $$role --upgrade || exit 2; done

schema: $(INSTALLED) ## renew config/schema.yaml from the config's models
	PYTHONPATH=scripts python -c 'from reasonlite.config.experiment import schema_yaml; print(schema_yaml(), end="")' > config/schema.yaml

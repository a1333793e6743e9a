# Front doors for people; every one of them builds or repairs .venv when needed. `make help` lists them.
#
#   make bench METHOD=ffclip DATASET=ffhq [TIER= PROTOCOL=census PROMPTS= N= SEED= RESULTS= ENGINE=ray RAY_ADDRESS=]

export PYTHONSAFEPATH := 1

VENV ?= .venv
export VENV
PYTHON ?=
export PYTHON

# Values given on make's command line reach the recipes through the environment, without any expansion on the way:
# `value` keeps make from reading them, the shell's double quotes keep the shell from it.
unexport TASK METHOD DATASET TIER SOURCE PROTOCOL PROMPTS N SEED RESULTS LOGGER ENGINE WORKERS DEVICE DEVICES NUM_NODES STRATEGY PRECISION UPGRADE PYTHONS TESTS
export TEB_TASK = $(value TASK)
export TEB_METHOD = $(value METHOD)
export TEB_DATASET = $(value DATASET)
export TEB_TIER = $(value TIER)
export TEB_SOURCE = $(value SOURCE)
export TEB_PROTOCOL = $(value PROTOCOL)
export TEB_PROMPTS = $(value PROMPTS)
export TEB_N = $(value N)
export TEB_SEED = $(value SEED)
export TEB_RESULTS = $(value RESULTS)
export TEB_EXPERIMENT = $(value EXPERIMENT)
export TEB_LOGGER = $(value LOGGER)
export TEB_ENGINE = $(value ENGINE)
export TEB_WORKERS = $(value WORKERS)
export TEB_DEVICE = $(value DEVICE)
export TEB_DEVICES = $(value DEVICES)
export TEB_NUM_NODES = $(value NUM_NODES)
export TEB_STRATEGY = $(value STRATEGY)
export TEB_PRECISION = $(value PRECISION)
export TEB_UPGRADE = $(value UPGRADE)
export TEB_PYTHONS = $(value PYTHONS)
export TEB_TESTS = $(value TESTS)

BIN = "$$VENV"/bin
SOURCES = textedit_bench methods datasets experiments workshop tests tools docs

.PHONY: help venv bench reproduce report train test test-slow test-lowest test-matrix lint lock worlds perf docs rehearsal clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 12

venv: ## build, update or repair the virtual environment
	@tools/venv.sh

bench: venv ## compare METHOD on DATASET (none given: all); TASK=generate TIER= PROTOCOL= PROMPTS= N= SEED= RESULTS= ENGINE= DEVICES=
	@$(BIN)/textedit-bench bench \
	  $${TEB_TASK:+--task "$$TEB_TASK"} \
	  $${TEB_METHOD:+--method "$$TEB_METHOD"} \
	  $${TEB_DATASET:+--dataset "$$TEB_DATASET"} \
	  $${TEB_TIER:+--tier "$$TEB_TIER"} \
	  $${TEB_SOURCE:+--source "$$TEB_SOURCE"} \
	  $${TEB_PROTOCOL:+--protocol "$$TEB_PROTOCOL"} \
	  $${TEB_PROMPTS:+--prompts "$$TEB_PROMPTS"} \
	  $${TEB_N:+--images "$$TEB_N"} \
	  $${TEB_SEED:+--seed "$$TEB_SEED"} \
	  $${TEB_LOGGER:+--logger "$$TEB_LOGGER"} \
	  $${TEB_DEVICE:+--device "$$TEB_DEVICE"} \
	  $${TEB_DEVICES:+--devices "$$TEB_DEVICES"} \
	  $${TEB_PRECISION:+--precision "$$TEB_PRECISION"} \
	  $${TEB_ENGINE:+--engine "$$TEB_ENGINE"} \
	  $${TEB_WORKERS:+--workers "$$TEB_WORKERS"} \
	  $${TEB_RESULTS:+--results "$$TEB_RESULTS"}

reproduce: venv ## measure a published table again, EXPERIMENT= (none given: list them; all); TIER= RESULTS=
	@$(BIN)/textedit-bench reproduce \
	  $${TEB_EXPERIMENT:+"$$TEB_EXPERIMENT"} \
	  $${TEB_TIER:+--tier "$$TEB_TIER"} \
	  $${TEB_RESULTS:+--results "$$TEB_RESULTS"}

report: venv ## write the picture report of the stored results; TIER= RESULTS=
	@$(BIN)/textedit-bench report \
	  $${TEB_TIER:+--tier "$$TEB_TIER"} \
	  $${TEB_RESULTS:+--results "$$TEB_RESULTS"}

train: venv ## train METHOD on DATASET; TIER= PROMPTS= SEED= LOGGER=wandb DEVICE=cuda DEVICES= STRATEGY= PRECISION=
	@$(BIN)/textedit-bench train \
	  $${TEB_METHOD:+--method "$$TEB_METHOD"} \
	  $${TEB_DATASET:+--dataset "$$TEB_DATASET"} \
	  $${TEB_TIER:+--tier "$$TEB_TIER"} \
	  $${TEB_PROMPTS:+--prompts "$$TEB_PROMPTS"} \
	  $${TEB_SEED:+--seed "$$TEB_SEED"} \
	  $${TEB_LOGGER:+--logger "$$TEB_LOGGER"} \
	  $${TEB_DEVICE:+--device "$$TEB_DEVICE"} \
	  $${TEB_DEVICES:+--devices "$$TEB_DEVICES"} \
	  $${TEB_NUM_NODES:+--num-nodes "$$TEB_NUM_NODES"} \
	  $${TEB_STRATEGY:+--strategy "$$TEB_STRATEGY"} \
	  $${TEB_PRECISION:+--precision "$$TEB_PRECISION"}

test: venv ## run the quick tests
	@$(BIN)/python -m pytest -m "not slow"

test-slow: venv ## run the tests that take longer
	@$(BIN)/python -m pytest -m slow

test-lowest: venv ## run the quick tests, and a small bench, with the oldest libraries allowed; TESTS= files
	@tools/lowest.sh

test-matrix: venv ## run the first command of this page from nothing on every Python that is found, or on PYTHONS=
	@$(BIN)/python -m textedit_workshop.pages.matrix $${TEB_PYTHONS:-}

lint: venv ## check formatting, style, import rules, requirements and types
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/lint-imports
	@$(BIN)/deptry textedit_bench methods datasets experiments
	@$(BIN)/mypy

lock: venv ## write constraints.txt for every supported Python; versions stay, but for the package UPGRADE=
	@tools/uv.sh pip compile -q --universal --all-extras --no-annotate --custom-compile-command "make lock" \
	  $${TEB_UPGRADE:+--upgrade-package "$$TEB_UPGRADE"} --output-file constraints.txt pyproject.toml

worlds: venv ## rebuild the networks of the mini tier (hours, resumable), then measure them; DATASET=
	@$(BIN)/textedit-bench worlds train --dataset "$${TEB_DATASET:-ffhq}"
	@$(BIN)/textedit-bench worlds train oracle second_oracle --dataset "$${TEB_DATASET:-ffhq}" \
	  --steps 700 --learning-rate 0.0008 --further
	@$(BIN)/textedit-bench worlds check --dataset "$${TEB_DATASET:-ffhq}"

perf: venv ## measure start-up, the backbones against a textbook form, FID, and cells per minute (local, Ray)
	@$(BIN)/python -m textedit_workshop.perf.startup
	@$(BIN)/python -m textedit_workshop.perf.models
	@$(BIN)/python -m textedit_workshop.perf.report_opening
	@$(BIN)/python -m textedit_workshop.perf.sources
	@$(BIN)/python -m textedit_workshop.perf.metrics
	@$(BIN)/python -m textedit_workshop.perf.engines

docs: venv ## test the examples, the tutorial and its notebook, build the pages into site/; warnings are errors
	@$(BIN)/python -c "import mkdocs, mkdocstrings_handlers.python" 2>/dev/null || \
	  $(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[docs]'
	@$(BIN)/python -m pytest -q tests/docs
	@$(BIN)/python -m mkdocs build --strict --quiet --config-file docs/mkdocs.yml

rehearsal: venv ## run the full tier on made-up files of real size, before anything is fetched; METHOD= DATASET=
	@$(BIN)/python -m textedit_workshop.rehearsal \
	  $${TEB_METHOD:+--methods "$$TEB_METHOD"} \
	  $${TEB_DATASET:+--datasets "$$TEB_DATASET"}

clean: ## remove caches and build products, keep .venv and results
	rm -rf build dist site *.egg-info workshop/build workshop/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find textedit_bench methods datasets experiments workshop tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

PYTHON ?= python3
BIN := .venv/bin
# Nothing here may ask the network for a model.
export HF_HUB_OFFLINE := 1
export TOKENIZERS_PARALLELISM := false

.PHONY: demo test lint clean

demo: .venv/.demo
	$(BIN)/python app.py

test: .venv/.dev lint
	$(BIN)/python -m pytest

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/bin/pip:
	$(PYTHON) -m venv .venv

# torch comes first and alone: with it in place nothing pulls in another build.
.venv/.demo: .venv/bin/pip pyproject.toml constraints.txt
	$(BIN)/pip install -q -c constraints.txt torch
	$(BIN)/pip install -q -c constraints.txt -e .
	touch $@

.venv/.dev: .venv/.demo
	$(BIN)/pip install -q -c constraints.txt -e '.[training,cluster,dev]'
	touch $@

clean:
	rm -rf .venv build *.egg-info

PYTHON ?= python3

.PHONY: install test lint types bench clean

install:
	$(PYTHON) -m pip install -e ".[dev]"

test:
	$(PYTHON) -m pytest -n 2 --dist loadgroup

lint:
	$(PYTHON) -m ruff check .

types:
	$(PYTHON) -m mypy

bench:
	for file in benchmarks/*.py; do $(PYTHON) $$file || exit 1; done

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find sqsim tests -name __pycache__ -type d -prune -exec rm -rf {} +

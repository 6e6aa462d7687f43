# make setup   everything into .venv/ and the web's pages; instant the second time
# make demo    the platform on http://127.0.0.1:8000 with three instruments whose files arrive
# make test    every test of Python and of the web's logic
# make oracles the readers beside other libraries, each in an environment of its own, on the same real files
# make check   lint and types
# make e2e     the pages in a real browser (needs Chromium)
# make docs    the documentation into site/
# make fuzz    the readers on bytes that atheris makes worse and worse, the same each time; two minutes (Linux)
# make bench   the benchmarks beside their peers

PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo test oracles check e2e docs fuzz bench lock

setup:
	@$(PYTHON) tools/setup.py

demo: setup
	@exec $(BIN)/zairyo demo

test: setup
	$(BIN)/pytest -n 2
	$(PYTHON) tools/setup.py npm test

oracles: setup
	$(BIN)/python tools/oracles.py
	$(BIN)/pytest -n 2 --dist loadfile tests/oracles

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(PYTHON) tools/setup.py npm run lint

e2e: setup
	$(PYTHON) tools/setup.py npm run e2e

docs: setup
	$(BIN)/mkdocs build --strict

fuzz: setup
	$(BIN)/python tools/fuzz.py

bench: setup
	$(BIN)/python benchmarks/folder.py

lock:
	$(PYTHON) tools/lock.py

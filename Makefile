# make app: install and open the app. make test: install and run all checks and tests.
PYTHON := $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin

.PHONY: help app test lint versions mutants faults bench results docs update audit licenses clean check-python

help:
	@echo "make app       install the app and open it in a browser"
	@echo "make test      install everything, then run lint and all tests"
	@echo "make lint      check style, docstrings and types"
	@echo "make docs      build the documentation (site/index.html)"
	@echo "make results   write the pages and figures of docs/results from the results files there"
	@echo "make bench     measure all benchmarks and write docs/benchmarks.md (hours; one: python -m bench NAME)"
	@echo "make faults    inject all faults: kills, full disks, damaged and hostile files, attacks"
	@echo "make versions  test with the oldest supported packages, on every Python version that is installed"
	@echo "make mutants   mutation testing of the core (docs/development/mutation_testing.md)"
	@echo "make update    install the newest version of every package and pin it"
	@echo "make audit     list known vulnerabilities of the pinned packages"
	@echo "make licenses  list the licenses of the pinned packages (licenses.csv)"
	@echo "make clean     remove everything these commands created here, except rendered faces and runs"

app: .venv/app
	$(BIN)/streamlit run app/main.py

# One process more than CPU cores, since some tests wait for a browser or another process.
test: .venv/test browser lint
	$(BIN)/python -m pytest -n $$(( $$($(BIN)/python -c "import os; print(os.cpu_count() or 1)") + 1 )) --dist worksteal

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# In .venv-oldest. With one version of torch and its dependencies: make versions TORCH=2.11.0
versions: check-python
	$(PYTHON) tests/versions.py $(TORCH)

# Files and tests are listed in pyproject.toml. One module: make mutants ONLY='clmle.margins*'
mutants: .venv/test
	OMP_NUM_THREADS=1 $(BIN)/python -m mutmut run $(if $(ONLY),'$(ONLY)')
	$(BIN)/python tests/mutants.py

# With a tenth of the kills of python -m tests.robustness.faults.
faults: .venv/test
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.robustness

# Each benchmark is stored when it ends; an interrupted run keeps the others unchanged.
bench: .venv/test browser
	$(BIN)/python -m bench

results: .venv/test browser
	$(BIN)/python -m tools.report
	$(BIN)/python docs/_ext/autogen.py

# A link or reference without a target is an error. The tests build it the same way.
docs: .venv/test
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -b html docs site
	@echo "site/index.html"

# Install the newest versions, then pin them. Commit the pins when make test passes.
update: .venv/test
	sed -E '/^-/d; s/ *(==|>=).*//' requirements.txt requirements-dev.txt > .venv/names.txt
	sed -E 's/ *(==|>=).*//' requirements-no-deps.txt > .venv/alone.txt
	$(BIN)/python -m pip install --quiet --upgrade -r .venv/names.txt
	$(BIN)/python -m pip install --quiet --upgrade --no-deps -r .venv/alone.txt
	$(BIN)/python pins.py
	$(BIN)/python licenses.py

# Every pinned package, dependencies included; fails if one cannot be looked up. sbom.json is a
# software bill of materials (CycloneDX).
AUDITED := --strict --no-deps --disable-pip -r requirements.txt -r requirements-dev.txt \
	-r requirements-no-deps.txt -r constraints.txt
audit: .venv/test
	$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/pip-audit $(AUDITED)
	$(BIN)/pip-audit $(AUDITED) --format cyclonedx-json --output sbom.json

licenses: .venv/test
	$(BIN)/python licenses.py

.venv/app: requirements.txt constraints.txt | check-python
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

.venv/test: requirements-dev.txt requirements-no-deps.txt requirements.txt constraints.txt | check-python
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps -r requirements-no-deps.txt
	touch $@ .venv/app

# Tests of the app and figures of the results need Chromium; it is installed where that is
# allowed.
.PHONY: browser
browser:
	@if command -v chromium chromium-browser google-chrome >/dev/null 2>&1; then true; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "Installing Chromium for tests of the app and figures."; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else echo "No Chromium here: tests that need one are skipped and no figures drawn; install it for them."; fi

check-python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; install it and try again."; exit 1; }

clean:
	rm -rf .venv .venv-oldest site mutants .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

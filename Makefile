# 团员组织关系转接系统
#
#   make demo [PORT=8000]   准备环境并启动演示系统，Ctrl-C 全部停止
#   make test               准备环境并运行测试；ALL=1 全部测试在两种数据库上各运行一遍，SLOWEST=1 更新 docs/testing.md
#   make test-quick         只运行不需要数据库和浏览器的测试，数秒完成
#   make check              代码检查；make rules 列出规则与测试的对应；make setup 只准备环境
#   make drawings           按代码重新画出 docs/ 里的图；make advice 按政策层重新写出 docs/advice.md

PORT ?= 8000
# Who may reach the demonstration: this machine alone, unless told otherwise (0.0.0.0).
BIND ?= 127.0.0.1
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test test-quick check rules pictures drawings advice lock system-run system-test

help:
	@sed -n 's/^#   /  /p' Makefile

# What the system must offer comes first, then an environment that works; only then are the stamps worth a look.
setup: system-run
	@$(MAKE) --silent --no-print-directory $(VENV)/.installed

setup-dev: system-test
	@$(MAKE) --silent --no-print-directory $(VENV)/.installed-dev tests/browser/node_modules/.installed

system-run system-test:
	@if $(BIN)/python -c 'import pip' 2>/dev/null; then \
		$(BIN)/python zhtj/serve/packages.py $(@:system-%=%); \
	else \
		for p in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
			$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; p=; \
		done; \
		[ -n "$$p" ] || { echo '需要 Python 3.11 或更高版本。' >&2; exit 1; }; \
		$$p zhtj/serve/packages.py $(@:system-%=%) && echo '正在建立 Python 环境……' && $$p -m venv --clear $(VENV); \
	fi

$(VENV)/.installed: requirements.txt
	@echo '正在安装依赖（首次约一分钟）……'
	@$(PIP) -qq install --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt
	@echo '正在安装依赖和开发工具（首次约一分钟）……'
	@$(PIP) -qq install --require-hashes -r requirements-dev.txt
	@touch $(VENV)/.installed $@

tests/browser/node_modules/.installed: tests/browser/package-lock.json
	@echo '正在安装浏览器测试所用的脚本……'
	@cd tests/browser && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >/dev/null
	@touch $@

demo: setup
	@exec $(BIN)/python -m zhtj.serve --host $(BIND) --port $(PORT) --with-parent

# What was needed first is told apart from what the tests took.
test:
	@begun=$$(date +%s); $(MAKE) --silent --no-print-directory setup-dev && \
	SETUP_SECONDS=$$(($$(date +%s) - begun)) $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup \
		$(if $(ALL),,--brief) $(if $(SLOWEST),--slowest=docs/testing.md) $(TESTS)

test-quick: setup-dev
	@$(BIN)/python -m pytest --quick $(TESTS)

check: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/djlint --quiet --lint templates

rules: setup-dev
	@$(BIN)/python -m zhtj.policy.rulebook

pictures: setup-dev
	@$(BIN)/python -m tests.browser.pictures

drawings: setup-dev
	@$(BIN)/python -m tests.docs.drawings

advice: setup-dev
	@$(BIN)/python -m tests.docs.advice

# Pins everything pyproject.toml needs, directly or not. Run it after a change there and commit the result.
UV := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links
lock: setup
	@$(BIN)/uv --version >/dev/null 2>&1 || $(PIP) -qq install uv
	@$(UV) --output-file requirements.txt
	@$(UV) --extra dev --output-file requirements-dev.txt

#!/usr/bin/env bash
# Everything a change must satisfy before it lands, apart from the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
step() { printf '\n== %s\n' "$*"; "$@"; }
step ruff format --check .
step ruff check .
step mypy
step lint-imports

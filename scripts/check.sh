#!/usr/bin/env bash
# Everything a change must satisfy before it lands, apart from the tests. Stops at the first step that fails.
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
  printf '\n== %s\n' "$1"
  shift
  "$@"
}

# Files of the tree, known to git or about to be; what the checkout makes for itself is ignored.
tracked() { git ls-files --cached --others --exclude-standard -- "$@"; }

# Fails when the pattern occurs in one of the files, and shows where.
absent() {
  local pattern=$1
  shift
  if grep -IsnE -- "$pattern" "$@" /dev/null; then
    return 1
  fi
}

locks_name_no_address() { absent '://' locks/*.txt; }

# A path of somebody's machine works nowhere else.
no_machine_path() {
  local files
  mapfile -t files < <(tracked ':!scripts/check.sh' ':!locks')
  absent '(^|[^A-Za-z0-9._-])/(home/[a-z]|Users/[A-Za-z]|work/[a-z])' "${files[@]}"
}

shell_scripts_parse() {
  local file
  while IFS= read -r file; do
    bash -n "$file" || return 1
  done < <(tracked '*.sh' .ci/run)
}

step "format" ruff format --check .
step "lint" ruff check .
step "types" mypy
step "types as the middleware's users see them" pyright
step "import rules" lint-imports
step "reference pages" python scripts/reference.py --check
step "migrations" python scripts/check_migrations.py
step "locks name no address" locks_name_no_address
step "no path of one machine" no_machine_path
step "shell scripts parse" shell_scripts_parse
printf '\nall checks passed\n'

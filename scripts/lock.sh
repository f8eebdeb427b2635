#!/usr/bin/env bash
# Write the hash-pinned locks anew. UPGRADE=1 takes newer versions; without it the pinned ones stay where they fit.
set -euo pipefail
cd "$(dirname "$0")/.."
UV=${UV:-.tools/uv/bin/uv}
flags=(--universal --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet --python-version 3.11
       --no-emit-package watchword --no-emit-package watchword-asgi)
[ -n "${UPGRADE:-}" ] && flags+=(--upgrade)
"$UV" pip compile "${flags[@]}" pyproject.toml --group demo -o locks/run.txt
"$UV" pip compile "${flags[@]}" pyproject.toml --group demo --group dev -c locks/run.txt -o locks/dev.txt
echo "uv" | "$UV" pip compile "${flags[@]}" - -o locks/uv.txt
if grep -nE '://' locks/*.txt; then echo "a lock names an address" >&2; exit 1; fi

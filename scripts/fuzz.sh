#!/usr/bin/env bash
# Run every fuzz target of the module, one after the other, for a time each (default 20s).
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-20s}
git ls-files '*_test.go' | xargs grep -lE '^func Fuzz' | xargs -n1 dirname | sort -u | while read -r dir; do
  grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | sed 's/^func //' | sort -u | while read -r target; do
    echo "== $dir $target"
    go test "./$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$time"
  done
done

#!/usr/bin/env bash
# Gets what the tests of the pages need: Chromium, from Debian when this user may install it, and axe-core, from
# npm into .cache/browser. Prints where both are, one a line; what cannot be had is said on stderr.
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
dir=$root/.cache/browser
mkdir -p "$dir"

find_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

if ! find_chromium >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium; } >"$dir/apt.log" 2>&1
fi
find_chromium || echo "browser: no Chromium; install the package chromium" >&2

axe=$dir/node_modules/axe-core/axe.min.js
if ! cmp -s "$root/e2e/testdata/browser/package-lock.json" "$dir/package-lock.json" || [ ! -f "$axe" ]; then
	cp "$root"/e2e/testdata/browser/package*.json "$root"/e2e/testdata/browser/.npmrc "$dir"/
	(cd "$dir" && npm ci --silent >"$dir/npm.log" 2>&1)
fi
if [ -f "$axe" ]; then echo "$axe"; else echo "browser: axe-core could not be fetched, see $dir/npm.log" >&2; fi

#!/usr/bin/env bash
# Builds build/outage-words-typescript.wasm: a component with QuickJS in it. The toolchain comes from npm, as package.json has it.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p build
[ -x node_modules/.bin/tsc ] || npm install --no-audit --no-fund --silent
npx --no-install tsc
npx --no-install esbuild plugin.ts --bundle --format=esm --log-level=warning '--external:signalbox:*' --outfile=build/plugin.js
# `--sync`: the host has no component-model async. `--stub-wasi`: it has no WASI either.
npx --no-install componentize-qjs --wit ../../../wit --js build/plugin.js -n pure-rule --sync --stub-wasi -o build/outage-words-typescript.wasm

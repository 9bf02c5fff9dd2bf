#!/usr/bin/env bash
# Builds build/outage-words-assemblyscript.wasm: a WASI command. The toolchain comes from npm, as package.json has it.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p build
[ -x node_modules/.bin/asc ] || npm install --no-audit --no-fund --silent
# `--exportStart`: top-level code would run before there is a stdin to read.
npx --no-install asc command.ts --config node_modules/@assemblyscript/wasi-shim/asconfig.json --transform json-as -O3z \
  --exportStart _start -o build/outage-words-assemblyscript.wasm

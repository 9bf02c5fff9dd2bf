#!/usr/bin/env bash
# Builds build/outage-words-c.wasm: a core module, which the host makes a component of itself.
# Takes clang 19 with wasi-libc (Debian: clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32), or CC="python3 -m ziglang cc" from
# PyPI. The bindings in gen/ were made by `wit-bindgen c` 0.63.0 from the contract, and change only with it.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p build
${CC:-$(command -v clang-19 || echo clang)} -target wasm32-wasi -Oz -Wl,--strip-debug -mexec-model=reactor -Wall -Igen plugin.c gen/pure_rule.c -o build/outage-words-c.wasm

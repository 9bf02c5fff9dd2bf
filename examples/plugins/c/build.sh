#!/usr/bin/env bash
# Builds build/outage-words-c.wasm: a core module, which the host makes a component of itself.
# Takes clang 19 with wasi-libc (Debian: clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32), or CC="python3 -m ziglang cc" from
# PyPI. wit-bindgen 0.63.0 is built by cargo when it is not on PATH (minutes).
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p build/gen
export PATH="$PWD/build/tools/bin:$PATH"
if ! wit-bindgen --version 2>/dev/null | grep -q ' 0\.63\.'; then
  cargo install wit-bindgen-cli --version 0.63.0 --locked --no-default-features --features c --root build/tools
fi
wit-bindgen c ../../../wit --world pure-rule --out-dir build/gen
${CC:-clang-19} -target wasm32-wasi -Oz -Wl,--strip-debug -mexec-model=reactor -Wall -Ibuild/gen plugin.c build/gen/pure_rule.c \
  build/gen/pure_rule_component_type.o -o build/outage-words-c.wasm

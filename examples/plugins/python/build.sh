#!/usr/bin/env bash
# Builds build/outage-words-python.wasm: a component. componentize-py 0.25.1 is installed from PyPI when it is not there.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p build
export PATH="$PWD/build/venv/bin:$PATH"
if ! componentize-py --version 2>/dev/null | grep -q ' 0\.25\.'; then
  python3 -m venv build/venv
  build/venv/bin/pip install --quiet -r requirements.txt
fi
# `-s`: without it the component asks for all of WASI, and the host refuses it.
componentize-py -d ../../../wit -w pure-rule componentize app -s -o build/outage-words-python.wasm
rm -rf __pycache__ # componentize-py leaves it beside the sources

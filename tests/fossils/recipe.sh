#!/usr/bin/env bash
# Makes this folder's plugins and the decisions that are recorded of them, at a release of the contract; never run to get green.
# Takes the toolchains of examples/plugins (rust, c, assemblyscript, typescript), `wasm-tools` (cargo install wasm-tools), and the
# preview1 command adapter of wasmtime's release as ADAPTER. `SIGNALBOX` is the host [default: signalbox].
set -euo pipefail
cd "$(dirname "$0")"
host=${SIGNALBOX:-signalbox} examples=../../examples/plugins
# No path of the machine that builds ends up in a plugin.
export RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo --remap-path-prefix=$(cd ../.. && pwd)=signalbox"
for lang in rust c assemblyscript typescript; do
  "$examples/$lang/build.sh" >/dev/null
done
built() { echo "$examples/$1/build/outage-words-$1.wasm"; }
cp "$(built rust)" module-rust.wasm
cp "$(built c)" module-c.wasm
cp "$(built assemblyscript)" command-assemblyscript.wasm
wasm-tools component new module-rust.wasm -o component-rust.wasm
wasm-tools component new command-assemblyscript.wasm --adapt "wasi_snapshot_preview1=$ADAPTER" -o program-assemblyscript.wasm
# Smaller than the template builds it: all of this folder has 2 MB.
(cd "$examples/typescript" && npx --no-install componentize-qjs --wit ../../../wit --js build/plugin.js -n pure-rule --sync --stub-wasi \
  --opt-size --minify -o build/small.wasm >/dev/null)
mv "$examples/typescript/build/small.wasm" component-typescript.wasm
printf '[[steps]]\nname = "fossil"\nfile = "%s"\n' "$PWD/module-rust.wasm" >"${TMPDIR:-/tmp}/fossil.toml"
"$host" run --json --config "${TMPDIR:-/tmp}/fossil.toml" event-1.json event-2.json event-3.json >decisions.json
ls -l -- *.wasm

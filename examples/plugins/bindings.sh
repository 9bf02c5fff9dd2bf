#!/usr/bin/env bash
# Makes the bindings that the C, Go and TypeScript templates bring along anew, from the contract in wit/. Needed only when that
# changes: takes `wit-bindgen` 0.63.0 (`cargo install wit-bindgen-cli --version 0.63.0 --locked --no-default-features --features c,go`),
# gofmt of Go 1.27, and Node.
set -euo pipefail
cd "$(dirname "$0")"
wit-bindgen --version | grep -q ' 0\.63\.' || { echo "wit-bindgen 0.63 is not on PATH" >&2; exit 1; }

# C: without the object that says which world it is. The host finds that out by the exports, and a project is text.
wit-bindgen c ../../wit --world pure-rule --out-dir c/gen
rm c/gen/pure_rule_component_type.o
sed -i '/^\/\/ Ensure that the .*_component_type.o object is linked in/,$d' c/gen/pure_rule.c

# Go: the generator writes a go.mod of its own, and 0.63.0 renames the getter of the effect `tag` and forgets to call it so.
cp go/go.mod go/go.mod.kept
(cd go && wit-bindgen go ../../../wit --world pure-rule --out-dir .)
mv go/go.mod.kept go/go.mod
sed -i '/case signalbox_rules_types.Effect_Tag:/{n;s/\.Tag()/.Tag_()/}' go/wit_exports.go
gofmt -w go/wit_exports.go go/signalbox_rules_*/*.go

# TypeScript: types alone.
npx --yes @bytecodealliance/jco@1.32.1 guest-types ../../wit -n pure-rule -o typescript/types

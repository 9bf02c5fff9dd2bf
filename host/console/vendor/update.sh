#!/usr/bin/env bash
# Fetches what the console uses of others, in the versions of README.md. Needs npm; run it only to change a version.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent preact@11.2.0 htm@3.1.1 uplot@1.6.32 >/dev/null
for archive in *.tgz; do mkdir "${archive%%-*}" && tar xzf "$archive" -C "${archive%%-*}" --strip-components 1; done
plain() { grep -v '^//# sourceMappingURL' "$1"; }
plain preact/dist/preact.mjs > "$here/preact.js"
plain preact/hooks/dist/hooks.mjs | sed 's#from"preact"#from"./preact.js"#' > "$here/hooks.js"
plain htm/dist/htm.module.js > "$here/htm.js"
{ plain uplot/dist/uPlot.iife.min.js; printf '\nexport default uPlot;\n'; } > "$here/uplot.js"
cp uplot/dist/uPlot.min.css "$here/uplot.css"
for name in preact htm uplot; do cp "$name/LICENSE" "$here/$name.LICENSE"; done

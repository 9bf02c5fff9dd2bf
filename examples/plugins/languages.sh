#!/usr/bin/env bash
# Builds the example rule in every language (or in those that are named), runs the cases of `cases.toml` through each, and compares
# the decisions: they must be equal. With `BENCH=1` it prints a table of sizes and costs as well. A language whose toolchain cannot be had here is named and left out. `SIGNALBOX` is the host [default: signalbox].
set -uo pipefail
cd "$(dirname "$0")"
host=${SIGNALBOX:-signalbox}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
event() { printf '{"id": "%s", "text": "%s"}' "$1" "$2" >"$scratch/event-$1.json"; }
event 1 'The VPN is DOWN again. Total outage!'
event 2 'Thanks, all good.'
event 3 'Größe 🚒🚒: müßig, Down—down, OFFLINE; unreachable und outage, sundown.'
event 4 "$(printf 'down %.0s' {1..40})"
event 5 ''
event 6 'İstanbul ofﬂine DOWN\u0000down \ud83d\ude92down'
built=()
for lang in ${*:-rust c assemblyscript javascript typescript python go go-command}; do
  wasm=build/outage-words-$lang.wasm
  if ! (cd "$lang" && ./build.sh >"$scratch/log" 2>&1); then
    echo "left out: $lang does not build here: $(tail -n 1 "$scratch/log")"
    continue
  fi
  printf '[[steps]]\nfile = "%s"\n' "$PWD/$lang/$wasm" >"$scratch/$lang.toml"
  if ! "$host" run --json --config "$scratch/$lang.toml" "$scratch"/event-*.json >"$scratch/$lang.json" 2>"$scratch/log"; then
    echo "FAIL  $lang: $(tail -n 1 "$scratch/log")"
    exit 1
  fi
  if ! "$host" plugin test "$lang/$wasm" cases.toml >"$scratch/log" 2>&1; then
    cat "$scratch/log"
    exit 1
  fi
  built+=("$lang")
done
if [ -n "${BENCH:-}" ]; then
  for lang in "${built[@]}"; do
    "$host" plugin bench "$lang/build/outage-words-$lang.wasm" --seconds 5 --json >"$scratch/$lang.bench.json" 2>/dev/null
    python3 - "$lang" "$scratch/$lang.bench.json" <<'PYTHON'
import json, sys

got = json.load(open(sys.argv[2]))
fresh, reused = got["fresh"], got["reused"]
times = f'{fresh["p50_us"]} / {reused["p50_us"] if reused else "-"}'
print(f'| {sys.argv[1]} | {got["bytes"] / 1000:.0f} KB | {got["activation_ms"] / 1000:.1f} s | {fresh["memory_max_bytes"] / 2**20:.1f} MiB | {times} | {fresh["fuel_p50"]} |')
PYTHON
  done
fi
python3 - "$scratch" "${built[@]}" <<'PYTHON'
import json, pathlib, sys

def decisions(lang):
    """What was decided and why, without what the machine did for it."""
    said = []
    for one in json.loads(pathlib.Path(sys.argv[1], f"{lang}.json").read_text()):
        step = one["decision"]["trace"][0]
        keys = ("category", "sentiment", "urgency", "confidence", "evidence", "reasons")
        said.append([step["outcome"], step.get("set"), step.get("dropped")] + [one["decision"].get(key) for key in keys])
    return said

first, *others = sys.argv[2:] or [None]
failed = 0
for lang in others:
    same = decisions(lang) == decisions(first)
    failed += not same
    print(f"{'ok   ' if same else 'FAIL '} {lang} decides as {first} does")
    if not same:
        print(*[pair for pair in zip(decisions(first), decisions(lang)) if pair[0] != pair[1]][0], sep="\n  ")
print(f"{len(others) - failed} passed, {failed} failed")
sys.exit(bool(failed or not others))
PYTHON

# Short names for what CI and developers run; every recipe is plain cargo underneath.

# Everything that decides whether a change lands
ci:
    .ci/run

# The service, with the demo source
serve *ARGS:
    cargo run --release -- serve {{ ARGS }}

# What the admin API's own document promises, held against a host that runs with an empty data directory (needs schemathesis)
schemathesis URL="http://127.0.0.1:8641" TOKEN_FILE="signalbox-data/admin.token":
    schemathesis --config-file tests/schemathesis.toml run {{ URL }}/openapi.json --header "Authorization: Bearer $(cat {{ TOKEN_FILE }})" --exclude-path /v1/decisions/stream --max-examples 50 --continue-on-failure

# Known advisories against the lock file (needs the advisory database)
advisories:
    cargo deny check advisories

# Builds the example rule in every language that this machine can have, compares their decisions, and measures them (BENCH=1)
languages *LANGS:
    cargo build --release
    SIGNALBOX="$PWD/target/release/signalbox" examples/plugins/languages.sh {{ LANGS }}

# The same from what `plugin new` writes, in the test suite: all of them must build
templates:
    SIGNALBOX_LANGUAGES="ts js python go go-command c assemblyscript" cargo test --locked -p signalbox --test it languages -- --nocapture

# The guides of every language typed as they stand, downloads included
guides:
    SIGNALBOX_GUIDES="ts python js go c assemblyscript" cargo test --locked -p signalbox --test it guides

# The console in a real browser, against a real host; keeps the screenshots of the docs (needs Node.js with npm, and Chromium: `apt-get install nodejs npm chromium`)
browser *FILES:
    SCREENSHOTS="$PWD/docs/screenshots" tests/browser/run {{ FILES }}

# What it withstands, some ten minutes: the lines of the table in docs/reliability.md (strace: `apt-get install strace`; the full disk needs the right to mount)
reliability *TESTS:
    cargo test --locked -p signalbox --test soak -- --nocapture --test-threads=1 {{ TESTS }} 2>&1 | grep -oE '\| .* \|$|^test result.*|panicked.*'

# Fuzzes everything that reads foreign bytes, so many seconds a target (needs `cargo install cargo-fuzz`)
fuzz SECONDS="20" *TARGETS:
    fuzz/run {{ SECONDS }} {{ TARGETS }}

# What the binary is made of, as CycloneDX: signalbox.cdx.json beside host/Cargo.toml (needs `cargo install cargo-cyclonedx`)
sbom:
    cargo cyclonedx --manifest-path host/Cargo.toml --format json --target-in-filename --no-build-deps

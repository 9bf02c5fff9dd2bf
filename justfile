# Short names for what CI and developers run; every recipe is plain cargo underneath.

# Everything that decides whether a change lands
ci:
    .ci/run

# The service, with the demo source
serve *ARGS:
    cargo run --release -- serve {{ ARGS }}

# Known advisories against the lock file (needs the advisory database)
advisories:
    cargo deny check advisories

# Builds the example rule in every language that this machine can have, and compares their decisions
languages *LANGS:
    cargo build --release
    SIGNALBOX="$PWD/target/release/signalbox" examples/plugins/languages.sh {{ LANGS }}

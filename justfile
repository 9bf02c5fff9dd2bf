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

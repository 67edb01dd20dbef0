#!/bin/sh
# Writes the lock files anew from the .in files: every version pinned, every artefact hashed, for all platforms and
# Python 3.11 to 3.13. Run by `make lock` after an .in file was changed.
set -eu
uv=${1:-uv}
cd "$(dirname "$0")"
for name in layer runtime dev prove sam audit; do
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
        --no-emit-index-url "$name.in" -o "$name.lock"
    echo "requirements/$name.lock: $(grep -c '==' "$name.lock") packages"
done

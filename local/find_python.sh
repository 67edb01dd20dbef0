#!/bin/sh
# Prints the Python that Tunedrop runs on here: 3.13 where it is there (it is what is deployed), else the oldest
# supported one. A candidate counts only when it really starts: a version manager's shim may be on PATH for a version
# that is not there. Versions may be named: `find_python.sh 3.13` prints that one or fails.
versions=${*:-3.13 3.11 3.12}
for version in $versions; do
    for candidate in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python "/opt/homebrew/bin/python$version" python3; do
        path=$(command -v "$candidate" 2>/dev/null) || continue
        found=$("$path" -c 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        if [ "$found" = "$version" ]; then
            echo "$path"
            exit 0
        fi
    done
done
echo "Tunedrop needs Python with venv, one of $versions; none was found on this machine." >&2
exit 1

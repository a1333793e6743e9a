#!/bin/sh
# Build, update or repair the virtual environment that the Makefile uses; does nothing when it is complete.
#
# The stamp is written last and names what the environment was built from, so an interrupted or outdated one is
# recognised. An environment of somebody else's making is completed in place instead of being thrown away.
#
#   VENV    folder of the environment (.venv)
#   PYTHON  interpreter to build with; otherwise the first of a list that is new enough
set -eu
cd "$(dirname "$0")/.."

venv=${VENV:-.venv}
stamp=$venv/.textedit-bench-complete
building=$venv/.textedit-bench-building
key="$(cat pyproject.toml constraints.txt | cksum) $(pwd)"

fail() {
    printf 'textedit_bench: %s\n' "$*" >&2
    exit 2
}

works() {
    "$venv/bin/python" -m pip --version >/dev/null 2>&1
}

complete() {
    [ -f "$stamp" ] && [ ! -e "$building" ] && [ "$(cat "$stamp")" = "$key" ] &&
        [ -x "$venv/bin/python" ] && "$venv/bin/textedit-bench" --version >/dev/null 2>&1
}

# Prints the interpreter to build with, or explains what is wrong with every one that was found.
find_python() {
    tried=""
    for candidate in ${PYTHON:+"$PYTHON"} ${PYTHON:-python3 python3.11 python3.12 python3.13 python3.14 python}; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        if ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            tried="$tried $candidate is Python $version;"
        elif ! "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
            tried="$tried $candidate lacks venv or ensurepip (Debian and Ubuntu: apt install python$version-venv);"
        else
            printf '%s\n' "$candidate"
            return
        fi
    done
    fail "needs Python 3.11 or newer with venv;${tried:-" none was found;"} name one with: make PYTHON=/path/to/python"
}

complete && exit 0

if builder=$(cat "$building" 2>/dev/null) && [ -n "$builder" ] && kill -0 "$builder" 2>/dev/null; then
    fail "$venv is being built by process $builder; wait for it to end (or stop it), then repeat the command"
fi
if [ -e "$venv" ] && { [ -e "$building" ] || ! works; }; then
    if [ ! -e "$building" ] && [ ! -e "$venv/pyvenv.cfg" ] && [ -n "$(ls -A "$venv")" ]; then
        fail "$venv exists and is no virtual environment; move it away, or choose another with: make VENV=folder"
    fi
    echo "textedit_bench: $venv is unfinished or broken; building it anew"
    rm -rf "$venv"
fi

if [ ! -e "$venv" ]; then
    python=$(find_python) || exit 2
    echo "textedit_bench: building $venv with $python; the packages are a download of several gigabytes"
    mkdir -p "$venv"
    echo $$ >"$building"
    "$python" -m venv "$venv"
else
    echo "textedit_bench: bringing $venv up to date"
    echo $$ >"$building"
fi

"$venv/bin/python" -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]' ||
    fail "the packages could not be installed (see above); the same command starts over"
printf '%s\n' "$key" >"$stamp.new"
mv "$stamp.new" "$stamp"
rm -f "$building"

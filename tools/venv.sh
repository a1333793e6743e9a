#!/bin/sh
# Build, update or repair the virtual environment that the Makefile uses; does nothing when it is complete.
#
# The stamp is written last and names what the environment was built from, so an interrupted or outdated one is
# recognised. Only an environment that this script created is ever removed; any other is completed in place.
#
#   VENV    folder of the environment (.venv)
#   PYTHON  interpreter to build with; otherwise the first of a list that is new enough
set -eu
cd "$(dirname "$0")/.."

venv=${VENV:-.venv}
stamp=$venv/.textedit-bench-complete
building=$venv/.textedit-bench-building
created=$venv/.textedit-bench-created
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

# Whether the process in the marker of an unfinished build still builds. Its number alone proves nothing: numbers are
# used again, in containers within seconds.
being_built() {
    builder=$(cat "$building" 2>/dev/null) && [ -n "$builder" ] && [ "$builder" != $$ ] || return 1
    if [ -d /proc/self ]; then
        grep -q 'venv\.sh' "/proc/$builder/cmdline" 2>/dev/null
    else
        ps -o args= -p "$builder" 2>/dev/null | grep -q 'venv\.sh'
    fi
}

complete && exit 0

if being_built; then
    fail "$venv is being built by process $builder; wait for it to end (or stop it), then repeat the command"
fi
if [ -e "$venv" ] && { [ -e "$building" ] || ! works; }; then
    if [ -e "$created" ]; then
        echo "textedit_bench: $venv is unfinished or broken; building it anew"
        rm -rf "$venv"
    elif ! works && [ -n "$(ls -A "$venv")" ]; then
        what="is no virtual environment"
        [ ! -e "$venv/pyvenv.cfg" ] || what="is broken and was not made by this command"
        fail "$venv $what; move it away, or choose another with: make VENV=folder"
    fi
fi

if ! works; then
    python=$(find_python) || exit 2
    echo "textedit_bench: building $venv with $python; the packages are a download of several gigabytes"
    mkdir -p "$venv"
    touch "$created"
    echo $$ >"$building"
    "$python" -m venv "$venv"
else
    echo "textedit_bench: bringing $venv up to date"
    echo $$ >"$building"
fi

# The environment variables reach the isolated build of the package too, which `-c` does not; pip splits them at blanks,
# so the path stays relative. Newer versions of pip read the second one for builds.
export PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt
rm -f "$stamp"
if ! "$venv/bin/python" -m pip install --disable-pip-version-check -e '.[dev]'; then
    rm -f "$building" # what is there still works, so it is continued and not built anew
    fail "the packages could not be installed (see above); the same command goes on from here"
fi
printf '%s\n' "$key" >"$stamp.new"
mv "$stamp.new" "$stamp"
rm -f "$building"

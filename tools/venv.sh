#!/bin/sh
# Build, update or repair the virtual environment that the Makefile uses; does nothing when it is complete.
#
# The stamp is written last and names what the environment was built from, so an interrupted or outdated one is
# recognised. Only an environment that this script created is ever removed; any other is completed in place.
#
#   VENV    folder of the environment (.venv)
#   PYTHON  interpreter to build with; otherwise the first of a list that is new enough
#
# Packages are installed by uv, which comes from the same index as they do; by pip if it is not available. uv respects
# its own variables: UV_TORCH_BACKEND=cpu asks PyTorch's own index for the build without CUDA, 0.2 GB
# instead of 2.8 GB.
set -eu
cd "$(dirname "$0")/.."

export VENV="${VENV:-.venv}"
venv=$VENV
stamp=$venv/.textedit-bench-complete
building=$venv/.textedit-bench-building
created=$venv/.textedit-bench-created
key="$(cat pyproject.toml workshop/pyproject.toml constraints.txt | cksum) $(pwd)"

fail() {
    printf 'textedit_bench: %s\n' "$*" >&2
    exit 2
}

elsewhere="make room, or choose another place with: make VENV=folder; then repeat the command"

# Runs a command; what it says is shown as it comes, and kept in $said.
run() {
    said=$({ "$@" 2>&1 || echo "exit status $?"; } | while IFS= read -r line; do
        printf '%s\n' "$line" >&2
        printf '%s\n' "$line"
    done)
    case $said in *"exit status "[1-9]*) return 1 ;; esac
}

# Says "full" where next to nothing is free: ensurepip keeps to itself why it failed.
is_full() {
    df -Pk "$venv" 2>/dev/null | while read -r _ _ _ free _; do
        case $free in *[!0-9]* | "") ;; *) [ "$free" -ge 51200 ] || printf full ;; esac
    done
}

# What the kept words of a failed command mean for the user; nothing where they mean nothing known.
cause() {
    case $(is_full)$said in
    full* | *"o space left"* | *"os error 28"* | *"quota exceeded"*)
        echo "the disk is full; $elsewhere: what was downloaded is kept" ;;
    *onnection* | *"dns error"* | *"sending request"* | *"imed out"* | *"imeout"* | *[Pp]roxy* | *"tunnel"* | \
        *"unreachable"* | *"Failed to fetch"* | *"decoding response"* | *"IncompleteRead"* | \
        *"DO NOT MATCH THE HASHES"* | *"invalid"*) # the last two: files that were cut, in words of pip and of uv
        echo "the package index cannot be reached, or the connection broke; check the network (and HTTPS_PROXY, if" \
            "one is needed), then repeat the command: it goes on from here" ;;
    esac
}

# Ends an installation; the environment still works, so it is continued and not rebuilt.
give_up() {
    rm -f "$building"
    fail "$*"
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
    echo "textedit_bench: building $venv with $python; the packages are a download of three gigabytes"
    { mkdir -p "$venv" && touch "$created" && echo $$ >"$building"; } 2>/dev/null ||
        fail "$venv cannot be written (disk full, or not yours): $elsewhere"
    run "$python" -m venv "$venv" || { known=$(cause) && fail "${known:-"$venv could not be made (see above)"}"; }
else
    echo "textedit_bench: bringing $venv up to date"
    echo $$ >"$building"
fi

rm -f "$stamp"
if [ ! -x "$venv/bin/uv" ]; then
    if ! run "$venv/bin/python" -m pip install --disable-pip-version-check -q -c constraints.txt uv; then
        known=$(cause)
        [ -z "$known" ] || give_up "$known" # else: uv is not available here, and pip does the same more slowly
    fi
fi
if [ -x "$venv/bin/uv" ]; then
    # Both reach the isolated build of the package too, which options for the installation do not.
    export UV_CONSTRAINT=constraints.txt UV_BUILD_CONSTRAINT=constraints.txt
    # The demo by uv alone: pip knows no override, and finds no Gradio that declares the Pillow of constraints.txt.
    set -- tools/uv.sh pip install --python "$venv/bin/python" -e '.[dev,demo]' -e ./workshop
else
    # pip splits these at blanks, so the path stays relative; newer versions read the second one for builds.
    export PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt
    set -- "$venv/bin/python" -m pip install --disable-pip-version-check -e '.[dev]' -e ./workshop
fi
if ! run "$@"; then
    known=$(cause)
    give_up "${known:-"the packages could not be installed (see above); the same command goes on from here"}"
fi
{ printf '%s\n' "$key" >"$stamp.new" && mv "$stamp.new" "$stamp"; } 2>/dev/null ||
    fail "$venv cannot be written (disk full, or not yours): $elsewhere"
rm -f "$building"

#!/bin/sh
# Run the quick tests in an environment with the oldest versions that pyproject.toml allows; then install the wheel into
# an environment that holds such versions already, as a colleague's does, and run a small bench there.
#
#   LOWEST  folder of the first environment (.venv-lowest), which is kept and updated
#   PYTHON  a Python 3.11 (python3.11, or python3 where that is one): the oldest libraries have no wheels for newer ones
#   TEB_TESTS   files and options for pytest (all quick tests)
set -eu
cd "$(dirname "$0")/.."

uv=tools/uv.sh
lowest=${LOWEST:-.venv-lowest}
python=${PYTHON:-$(command -v python3.11 || echo python3)}
"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || {
    echo "textedit_bench: $python is no Python 3.11; name one with: make test-lowest PYTHON=/path/to/python3.11" >&2
    exit 2
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$uv" venv -q --seed --allow-existing --python "$python" "$lowest"
"$lowest/bin/python" tools/lowest.py >"$scratch/lowest.txt"
"$uv" pip install -q --python "$lowest/bin/python" --constraint "$scratch/lowest.txt" -e '.[dev]' -e ./workshop
echo "textedit_bench: quick tests with $(tr '\n' ' ' <"$scratch/lowest.txt")"
# shellcheck disable=SC2086 # several words
"$lowest/bin/python" -m pytest -m "not slow" --ignore=tests/demo ${TEB_TESTS:-}

beside=$scratch/beside
held="torch==2.5.1 torchvision==0.20.1 numpy==2.0.2 pandas==2.2.3"
echo "textedit_bench: the wheel beside $held"
"$uv" venv -q --seed --python "$python" "$beside"
# shellcheck disable=SC2086 # one word for each
"$uv" pip install -q --python "$beside/bin/python" $held
"$beside/bin/python" -m pip wheel -q --disable-pip-version-check --no-deps --wheel-dir "$scratch" .
"$beside/bin/python" -m pip install -q --disable-pip-version-check "$scratch"/textedit_bench-*.whl
"$beside/bin/python" -m pip check --disable-pip-version-check
now=$("$beside/bin/python" -m pip freeze --disable-pip-version-check)
for package in $held; do
    case $now in *"$package"*) ;; *) echo "textedit_bench: $package was replaced" >&2; exit 1 ;; esac
done
cd "$scratch"
"$beside/bin/textedit-bench" bench --method ffclip --dataset ffhq --tier mini --prompts blond-hair --images 4
echo "textedit_bench: the oldest versions pass, and the wheel works beside $held"

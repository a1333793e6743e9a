#!/bin/sh
# Run the environment's uv with pip's settings: an internal mirror, files on disk, certificates. uv's own variables
# take precedence.
#
#   VENV    folder of the environment (.venv)
set -eu

venv=${VENV:-.venv}
settings=$("$venv/bin/python" -m pip config list 2>/dev/null) || settings=""

# The value of a setting of pip; its variables are listed first and win over its files.
told() {
    printf '%s\n' "$settings" | sed -nE "s/^(:env:|global)\.$1='(.*)'\$/\2/p" | sed -e 's/\\n/ /g' -e q
}

export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$(told index-url)}"
export UV_INDEX="${UV_INDEX:-$(told extra-index-url)}"
export UV_FIND_LINKS="${UV_FIND_LINKS:-$(told find-links | sed 's/ /,/g')}"
export UV_INSECURE_HOST="${UV_INSECURE_HOST:-$(told trusted-host)}"
export UV_INDEX_STRATEGY="${UV_INDEX_STRATEGY:-unsafe-best-match}" # of all indexes, as pip does
certificates=${SSL_CERT_FILE:-$(told cert)}
[ -z "$certificates" ] || export SSL_CERT_FILE="$certificates"
exec "$venv/bin/uv" "$@"

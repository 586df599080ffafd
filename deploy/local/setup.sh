#!/bin/sh
# Makes the virtual environment .venv of this checkout and installs the packages of a lock file into it.
# usage: deploy/local/setup.sh requirements.txt
set -eu
cd "$(dirname "$0")/../.."
lock=$1

fail() {
    echo "kawal: $1" >&2
    exit 2
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null 2>&1 && new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed: apt-get install python3 python3-venv, or set PYTHON=/path/to/python3"
}

make_venv() {
    python=$1
    rm -rf .venv
    if "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        "$python" -m venv .venv
    elif "$python" -m virtualenv --version >/dev/null 2>&1; then
        "$python" -m virtualenv --quiet .venv
    elif uv --version >/dev/null 2>&1; then
        uv venv --quiet --seed --python "$python" .venv
    else
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        fail "$python has no venv module: apt-get install python$version-venv (or install virtualenv or uv)"
    fi
}

if ! { [ -x .venv/bin/python ] && new_enough .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; }; then
    python=$(find_python)
    echo "set-up: a virtual environment in .venv ($("$python" --version))"
    make_venv "$python"
fi
echo "set-up: the packages of $lock, by hash"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --only-binary :all: \
    --require-hashes --requirement "$lock" || fail "the packages of $lock could not be installed (see above)"
cp deploy/local/kawal .venv/bin/kawal
chmod 755 .venv/bin/kawal

#!/bin/sh
# Makes .venv with every pinned package; what Debian and Ubuntu lack for that is installed if we may.
# Used by the Makefile; run again only when a requirements file has changed.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

install() { # install PACKAGE WHY
    if [ "$(id -u)" = 0 ]; then as=; elif sudo -n true 2>/dev/null; then as=sudo; else
        echo "assent: $2 is missing, and installing it needs root: run 'sudo apt-get install $1' and try again." >&2
        exit 1
    fi
    $as apt-get update -qq && $as env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "$1" >/dev/null || {
        echo "assent: $2 is missing, and 'apt-get install $1' failed (its words are above)." >&2
        exit 1
    }
}

if [ "${1:-}" = browser ]; then
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null ||
        command -v google-chrome >/dev/null || install chromium "a browser for the tests (Chromium)"
    exit 0
fi

command -v "$python" >/dev/null || install python3 "Python 3.11 or newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "assent: $("$python" --version) is too old, 3.11 or newer is needed: 'make PYTHON=python3.12 ...' names another." >&2
    exit 1
}
"$python" -c 'import ensurepip, venv' 2>/dev/null || install python3-venv "Python's venv module"
echo "assent: installing what is pinned in requirements-dev.txt into .venv; this takes a minute, once."
"$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt || {
    echo "assent: the packages of requirements-dev.txt could not be installed (pip's words are above); is there a network?" >&2
    exit 1
}
cat requirements.txt requirements-dev.txt tools/setup.sh | sha256sum >.venv/ready

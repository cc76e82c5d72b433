#!/bin/sh
# Usage: tools/setup.sh [curl] [browser]
# Makes .venv with every pinned package, and installs what the machine lacks: Python's venv module, and
# the programs named as arguments. Where it may not install, it stops and names all of it in one sentence.
# The Makefile calls it before each command. It does nothing where nothing is missing.
set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin # Debian keeps ldconfig there, which most people's PATH leaves out
python=${PYTHON:-python3}
missing= # Debian's packages
because= # the same in words

fail() { # fail SENTENCE
    echo "assent: $1" >&2
    exit 1
}

lacks() { # lacks PACKAGE WHAT
    missing="$missing $1"
    because="${because:+$because, }$2"
}

words() { # words LOG: print what a program said went wrong
    { grep -E '^(E:|ERROR)' "$1" || cat "$1"; } | tail -n 3 >&2
}

install_missing() {
    command -v apt-get >/dev/null ||
        fail "this needs $because; install it and try again (there is no apt-get here to do it)."
    if [ "$(id -u)" = 0 ]; then
        as=
    elif sudo -n true 2>/dev/null; then
        as=sudo
    elif command -v sudo >/dev/null; then
        fail "this needs $because; run 'sudo apt-get install$missing' and try again."
    else
        fail "this needs $because; run 'apt-get install$missing' as root and try again."
    fi
    echo "assent: installing$missing ($because)."
    # A list that can't be fetched may be one that nothing here needs, so apt-get install has the last word.
    $as apt-get update -qq >"$log" 2>&1 || true
    # shellcheck disable=SC2086 # one word for each package
    $as env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get install -qq -y $missing >"$log" 2>&1 || {
        words "$log"
        fail "this needs $because, and 'apt-get install$missing' failed as above; is there a network?"
    }
}

check_version() {
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "$("$python" --version) is too old, 3.11 or newer is needed: 'make PYTHON=python3.12 ...' names another."
}

install() { # install PIP'S ARGUMENTS
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@" >"$log" 2>&1 || {
        words "$log"
        fail "the packages of requirements-dev.txt could not be installed, see above; is there a network?"
    }
}

make_venv() {
    check_version
    echo "assent: installing what is pinned in requirements-dev.txt into .venv; this takes a minute, once."
    "$python" -m venv .venv
    install -r requirements-dev.txt
    # The command assent, of client/; all that it needs is pinned above.
    install --no-deps --no-build-isolation --editable ./client
    echo "$pinned" >.venv/ready
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
pinned=$(cat requirements-dev.txt client/pyproject.toml tools/setup.sh | cksum)
is_ready() { [ "$(cat .venv/ready 2>/dev/null)" = "$pinned" ]; }

if ! is_ready; then
    if command -v "$python" >/dev/null; then
        check_version
        "$python" -c 'import ensurepip, venv' 2>/dev/null || lacks "$python-venv" "Python's venv module"
    elif [ "$python" = python3 ]; then
        lacks "python3 python3-venv" "Python 3.11 or newer"
    else
        fail "there is no $python here."
    fi
fi
for program; do
    case $program in
    curl) command -v curl >/dev/null || lacks curl "curl" ;;
    browser)
        command -v chromium >/dev/null || command -v chromium-browser >/dev/null ||
            command -v google-chrome >/dev/null || lacks chromium "Chromium"
        # Playwright's driver is a Node.js that is linked with it.
        ! command -v ldconfig >/dev/null || ldconfig -p | grep -q 'libatomic\.so\.1' ||
            lacks libatomic1 "the library libatomic"
        ;;
    *) fail "tools/setup.sh knows curl and browser, not '$program'." ;;
    esac
done
[ -z "$missing" ] || install_missing
is_ready || make_venv

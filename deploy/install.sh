#!/bin/sh
# Install Paperround from this tree into a folder of its own: deploy/install.sh [STEP] FOLDER
#
#   packages  a fresh virtual environment in FOLDER with the locked packages, each by its hash
#   project   the wheel of this tree on top of them, and the list of parts in FOLDER/sbom.json
#   (none)    both
#
# What builds the wheel comes from the development lock, by hash as well, and is thrown away. FOLDER
# itself holds no pip: nothing that runs from it can install anything. Run it again to upgrade; what
# is in FOLDER is made anew. PYTHON names the interpreter, if it is not python3.
set -eu
umask 022

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

step=both
case ${1:-} in
packages | project)
    step=$1
    shift
    ;;
esac
if [ $# -ne 1 ]; then
    echo "usage: deploy/install.sh [packages|project] FOLDER" >&2
    exit 2
fi
case $1 in
/*) target=$1 ;;
*) target=$PWD/$1 ;;
esac
if [ -e "$target" ] && [ ! -e "$target/pyvenv.cfg" ]; then
    echo "$target is in the way: it is no Python environment. Name another folder." >&2
    exit 1
fi
cd "$root"

"${PYTHON:-python3}" -c 'import sys
found = sys.version_info[:2]
(3, 11) <= found <= (3, 13) or sys.exit(
    "Paperround needs Python 3.11, 3.12 or 3.13: %d.%d is untested. PYTHON names another." % found)'
"${PYTHON:-python3}" -m venv "$work/tools"

pip_into() { # FOLDER ARGUMENTS ...: the tools' pip, working on another environment
    folder=$1
    shift
    "$work/tools/bin/python" -m pip --disable-pip-version-check --no-cache-dir \
        --python "$folder/bin/python" "$@"
}

packages() {
    "${PYTHON:-python3}" -m venv --clear --without-pip "$target"
    pip_into "$target" install --quiet --require-hashes -r requirements.txt
}

project() {
    names='hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers'
    awk -v names="^($names)==" '/^[^ ]/ { keep = $1 ~ names } keep' \
        requirements-dev.txt >"$work/build.txt"
    pip_into "$work/tools" install --quiet --require-hashes -r "$work/build.txt"
    pip_into "$work/tools" wheel --quiet --no-deps --no-build-isolation -w "$work/wheel" .
    pip_into "$target" install --quiet --no-deps --no-index --force-reinstall "$work"/wheel/*.whl
    "$target/bin/python" deploy/sbom.py requirements.txt "$target/sbom.json"
}

case $step in
packages) packages ;;
project) project ;;
both) packages && project ;;
esac

#!/bin/sh
# Writes the locked requirements into the folder $1. Pins that stand there are kept where they fit, unless UPGRADE is set.
set -eu
cd "$(dirname "$0")/.."
into=${1:-requirements}

compile() {
    file=$1
    shift
    uv pip compile --system-certs --quiet ${UPGRADE:+--upgrade} --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links --output-file "$into/$file" "$@" >/dev/null
    { echo '# Made by `make lock`; not to be edited by hand.'; cat "$into/$file"; } >"$into/$file.new"
    mv "$into/$file.new" "$into/$file"
}

compile runtime.txt pyproject.toml
compile test.txt --override requirements/override.in --constraint "$into/runtime.txt" pyproject.toml requirements/test.in
compile dev.txt --override requirements/override.in --constraint "$into/test.txt" pyproject.toml requirements/test.in requirements/dev.in
compile node.txt requirements/node.in

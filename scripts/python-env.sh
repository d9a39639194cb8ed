#!/usr/bin/env bash
# Makes .venv with the Python engines that the tests compare with. Does nothing if it is there and up to date.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! cmp -s bench/requirements.txt .venv/installed.txt; then
  python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
  cp bench/requirements.txt .venv/installed.txt
fi

#!/usr/bin/env bash
# Installs the servers that tests run against into node_modules/.cache/servers (or SLUICE_SERVERS): versitygw, which
# speaks S3. Needs Go; the first time takes a minute or two. What is there already is left as it is.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${SLUICE_SERVERS:-$PWD/node_modules/.cache/servers}

if [ ! -x "$folder/versitygw" ]; then
  command -v go >/dev/null || { echo "needs Go to build versitygw: https://go.dev/dl" >&2; exit 1; }
  mkdir -p "$folder"
  GOBIN=$(cd "$folder" && pwd) CGO_ENABLED=0 go install -trimpath -ldflags='-s -w' \
    github.com/versity/versitygw/cmd/versitygw@v1.8.0
fi
echo "$folder/versitygw"

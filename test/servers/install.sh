#!/usr/bin/env bash
# Installs the servers that tests run against into node_modules/.cache/servers (or SLUICE_SERVERS): versitygw (speaks
# S3) and fake-gcs-server (Google Cloud Storage), which need Go, and Azurite (Azure Blob Storage), which needs npm.
# nginx (HTTP) comes from Debian's packages, which takes root. What is there already is left as it is.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${SLUICE_SERVERS:-$PWD/node_modules/.cache/servers}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

go_install() {
  [ -x "$folder/$1" ] && return
  command -v go >/dev/null || { echo "needs Go to build $1: https://go.dev/dl" >&2; exit 1; }
  GOBIN=$folder CGO_ENABLED=0 go install -trimpath -ldflags='-s -w' "$2"
}

go_install versitygw github.com/versity/versitygw/cmd/versitygw@v1.8.0
go_install fake-gcs-server github.com/fsouza/fake-gcs-server@v1.56.1
[ -x "$folder/node_modules/.bin/azurite-blob" ] ||
  npm install --silent --no-save --no-package-lock --prefix "$folder" azurite@3.36.0

if ! PATH=$PATH:/usr/sbin command -v nginx >/dev/null; then
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
    { echo "needs nginx: https://nginx.org/en/download.html, or your system's package" >&2; exit 1; }
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light >&2
fi
ls "$folder"

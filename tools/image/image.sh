#!/usr/bin/env bash
# Builds the image of the harness from Dockerfile and bin/. Where the base image is not
# there and cannot be pulled, it is made from what this machine has.
# usage: image.sh TAG VERSION [BASE_IMAGE [FOLDER with the programs]]
set -euo pipefail
tag=$1 version=$2 base=${3:-debian:bookworm-slim} programs=${4:-bin}

if ! docker image inspect "$base" >/dev/null 2>&1 && ! docker pull -q "$base" >/dev/null 2>&1; then
	echo "image: $base cannot be had: making a base from this machine" >&2
	base=reapcheck-image-base:made
	go run ./tools/image | docker import - "$base" >/dev/null
fi
docker build --quiet --file Dockerfile --tag "$tag" \
	--build-arg "BASE_IMAGE=$base" --build-arg "VERSION=$version" "$programs"
echo "image: $tag"

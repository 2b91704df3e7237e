# The harness in a container: the command and the daemons. bin/ is the context, which
# `make build` fills; `make image` does both. docs/container.md says with which rights it
# runs.
ARG BASE_IMAGE=debian:bookworm-slim
FROM ${BASE_IMAGE}

ARG VERSION=unknown
LABEL org.opencontainers.image.title=reapcheck \
      org.opencontainers.image.source=https://github.com/reapcheck/reapcheck \
      org.opencontainers.image.licenses=Apache-2.0 \
      org.opencontainers.image.version=${VERSION}

# Whoever the container runs as can leave results.
RUN mkdir -m 1777 /work
COPY . /usr/local/bin/
WORKDIR /work
ENTRYPOINT ["/usr/local/bin/reapcheck"]

# syntax=docker/dockerfile:1
# Two stages: the first builds a virtual environment from locked, hashed packages and the wheel of
# this tree; the second is a bare Python with that environment and nothing to build with.
#
#   docker build -t paperround .
#
# The base image moves inside one Python and one Debian release, for their security fixes. For an
# image that never moves, name a digest: --build-arg PYTHON_IMAGE=python@sha256:...
# The driver for PostgreSQL is among the locked packages.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
# A package mirror, where the network has one.
ARG PIP_INDEX_URL
ENV PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
# Packages change less often than the code: they are a layer of their own.
COPY deploy/install.sh deploy/
COPY requirements.txt ./
RUN sh deploy/install.sh packages /opt/paperround
COPY requirements-dev.txt pyproject.toml README.md LICENSE alembic.ini ./
COPY src src
COPY templates templates
COPY translations translations
COPY migrations migrations
COPY deploy/sbom.py deploy/
RUN sh deploy/install.sh project /opt/paperround


FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Paperround" \
      org.opencontainers.image.description="Trending papers in your inbox once a day" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/paperround /opt/paperround
RUN ["install", "-d", "-o", "10001", "-g", "10001", "-m", "0700", "/data"]

# Everything that is written is written under /data: the database, the generated secret, the local
# outbox, and the .env file of `paperround init`. The root file system may be read-only.
ENV PATH=/opt/paperround/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/data \
    PAPERROUND_DATA_DIR=/data
WORKDIR /data
VOLUME /data
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM

# Straight to the port, past any proxy the environment names; any other status than 2xx fails.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:8000/healthz', timeout=3)"]

# All addresses of the container; compose.yaml publishes it to this machine only.
CMD ["paperround", "serve", "--host", "0.0.0.0", "--port", "8000"]

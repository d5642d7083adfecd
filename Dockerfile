# The server in a container: `docker build -t jsonrpc-backend .`; docs/running.md says how to run it.
#
# Everything that comes from elsewhere is pinned by its hash: the base image (of all platforms) and each package.
ARG PYTHON=python:3.13.16-slim-bookworm@sha256:a1165e272e578941b84abc79e4ab38a0305cd12803a5c4247979ac7655f4d641
FROM ${PYTHON} AS build

WORKDIR /source
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements requirements
RUN python -m venv /build \
    && /build/bin/pip install --require-hashes -r requirements/build.txt \
    && /build/bin/pip wheel --no-build-isolation --require-hashes -r requirements/server.txt -w /wheels
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY examples examples
COPY jsonrpc_backend jsonrpc_backend
RUN /build/bin/pip wheel --no-build-isolation --no-deps -w /wheels . \
    && python -m venv /opt/jsonrpc-backend \
    && /opt/jsonrpc-backend/bin/pip install --no-index --no-deps /wheels/*.whl

FROM ${PYTHON}

# A number of its own, so that the owner of the volume stays the same when the image changes.
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin jsonrpc-backend \
    && install --directory --owner 10001 --group 10001 --mode 700 /data
COPY --from=build /opt/jsonrpc-backend /opt/jsonrpc-backend

# The environment and not flags, so that `docker exec … jsonrpc-backend user list` finds the same data.
ENV PATH=/opt/jsonrpc-backend/bin:$PATH PYTHONUNBUFFERED=1 \
    JSONRPC_BACKEND_SERVER_HOST=0.0.0.0 JSONRPC_BACKEND_SERVER_DATA_DIR=/data

# A config.toml in the working folder is used by itself.
WORKDIR /data
VOLUME /data
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["jsonrpc-backend"]
CMD ["serve"]

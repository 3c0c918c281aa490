# Two stages: the first has pip and a build tool, the second only runs what came of it.
# Tags, not digests: a tag gets the distribution's security fixes when it is built anew (docs/install.md).
FROM python:3.13-slim-trixie AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_CACHE_DIR=/var/cache/pip
WORKDIR /src
# The lock alone first: this layer is made anew only when a dependency changes. Every file is checked by hash.
COPY deploy/install-into deploy/
COPY requirements.lock ./
RUN --mount=type=cache,target=/var/cache/pip deploy/install-into /opt/allowance dependencies
COPY pyproject.toml README.md LICENSE ./
COPY proxy_addon proxy_addon
COPY db db
RUN deploy/install-into /opt/allowance program


FROM python:3.13-slim-trixie

# One number everywhere, so that files on the host can be given to it.
RUN groupadd --gid 10001 allowance \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/allowance --shell /usr/sbin/nologin allowance \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/allowance /var/lib/allowance/ca
COPY --from=build /opt/allowance /opt/allowance
COPY deploy/allowance.toml /etc/allowance/
COPY rules /etc/allowance/rules

ENV PATH=/opt/allowance/bin:/usr/local/bin:/usr/bin:/bin ALLOWANCE_CONFIG=/etc/allowance/allowance.toml \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /var/lib/allowance
# All that is ever written, apart from /tmp: the root may be read-only.
VOLUME /var/lib/allowance
EXPOSE 8080 8081

# Alive: an event loop turns. Whoever acts on this ends the container and starts another, which helps against nothing else: not
# while it drains, nor against a database that is away. Without curl, and past any proxy variable.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:8081/livez', timeout=4)"]

# Direct, without a shell: SIGTERM reaches the proxy, which then drains.
CMD ["allowance", "run"]

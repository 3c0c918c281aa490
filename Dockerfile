# Two stages: the first has pip and builds the wheel, the second only runs what came of it.
FROM python:3.13-slim AS build

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/allowance
# The lock alone first: this layer is made anew only when a dependency changes. Every file is checked by hash.
COPY requirements.lock ./
RUN /opt/allowance/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY proxy_addon proxy_addon
COPY db db
# setuptools comes from the lock too, so nothing unlocked is fetched.
RUN /opt/allowance/bin/pip install --no-deps --no-build-isolation .


FROM python:3.13-slim

# One number everywhere, so that files on the host can be given to it.
RUN groupadd --gid 10001 allowance \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /srv/allowance --shell /usr/sbin/nologin allowance \
 && install -d -o 10001 -g 10001 -m 0755 /srv/allowance \
 && install -d -o 10001 -g 10001 -m 0700 /srv/allowance/var
COPY --from=build /opt/allowance /opt/allowance
COPY rules /srv/allowance/rules

ENV PATH=/opt/allowance/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /srv/allowance
# The CA's key, the password file and a SQLite ledger: what must outlive the container.
VOLUME /srv/allowance/var
EXPOSE 8080 8081

# The web port listens on loopback unless told otherwise; inside the container that is enough for this.
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:8081/healthz', timeout=4)"]

# Direct, without a shell: SIGTERM reaches the proxy, which then drains.
CMD ["allowance", "run"]

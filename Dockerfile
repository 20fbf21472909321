# The package with the torch for CPUs, as a user without rights:
#   docker build -t barkhausen .
#   docker run --rm -v "$PWD/runs:/work" barkhausen train mnist-in-situ --set dataset.name=digits --out first
# The folder that is mounted at /work must be writable for the user 1000, or add: --user "$(id -u):$(id -g)"
FROM python:3.12-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY pyproject.toml setup.py MANIFEST.in README.md LICENSE ./
COPY src src
# docker build --build-arg COMMIT=$(git describe --always --dirty) records the commit in summaries.
ARG COMMIT=""
RUN GITHUB_SHA="$COMMIT" pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim-bookworm
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu /wheels/*.whl && rm -rf /wheels
RUN useradd --create-home --uid 1000 researcher && install -d -o researcher /work
USER researcher
WORKDIR /work
# A --user without a home has a place for its caches.
ENV HOME=/home/researcher MPLCONFIGDIR=/tmp/matplotlib XDG_CACHE_HOME=/tmp/cache
ENTRYPOINT ["barkhausen"]
CMD ["--help"]

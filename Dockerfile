# syntax=docker/dockerfile:1
# newsbeam as a worker of Flink or Dataflow, and (target `local`) on one machine:
#
#   docker build --tag newsbeam-worker .
#   docker build --tag newsbeam --target local . && docker run --rm --volume newsbeam:/data newsbeam ingest
#
# Python's minor version and Beam's version must be those of the machine that submits.
FROM apache/beam_python3.11_sdk:2.77.0 AS base

# Everything at the versions of the lock, by hash, the language model among it.
COPY requirements/runtime.txt /tmp/runtime.txt
RUN pip install --no-cache-dir --require-hashes --requirement /tmp/runtime.txt && rm /tmp/runtime.txt

COPY setup.py pyproject.toml README.md LICENSE /src/
COPY newsbeam /src/newsbeam
COPY transforms /src/transforms
COPY pipelines /src/pipelines
COPY config /src/config
RUN pip install --no-cache-dir --no-deps --no-build-isolation /src && rm -rf /src && pip check

RUN useradd --create-home --uid 1000 newsbeam && install --directory --owner=newsbeam --group=newsbeam /data
USER 1000
WORKDIR /data


FROM base AS local

VOLUME /data
ENTRYPOINT ["newsbeam"]
CMD ["--help"]


FROM base AS worker

# The package is in the image already: without this, boot makes an environment of its own at each start.
ENV RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1
ENTRYPOINT ["/opt/apache/beam/boot"]

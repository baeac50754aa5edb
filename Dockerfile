# docker build --target cpu -t concept-atlas .        (or --target cuda for a machine with an NVIDIA card)
# docker run --read-only --tmpfs /tmp -v atlas:/data -p 8501:8501 concept-atlas
# compose.yaml keeps the pages and the training apart. Behind a mirror, say where Python, packages and torch come from:
# docker build --build-arg PYTHON_IMAGE=… --build-arg PIP_INDEX_URL=… --build-arg TORCH_INDEX=… …
ARG PYTHON_IMAGE=python:3.11-slim
FROM ${PYTHON_IMAGE} AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    ATLAS_HOME=/data HOME=/tmp
WORKDIR /srv/atlas
RUN useradd --uid 10001 --no-create-home --home-dir /tmp atlas && install -d -o atlas -g atlas -m 700 /data
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=15s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/healthz', timeout=12)"]
CMD ["streamlit", "run", "app/Home.py", "--server.port", "8501"]

# What is large comes before the code, so that a change of the code builds quickly.
FROM base AS cpu-packages
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --index-url "$TORCH_INDEX" "torch>=2.14,<2.15" "torchvision>=0.29,<0.30"

FROM base AS cuda-packages
ARG PIP_INDEX_URL=https://pypi.org/simple
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
RUN pip install "torch>=2.14,<2.15" "torchvision>=0.29,<0.30"

FROM cuda-packages AS cuda
ARG PIP_INDEX_URL=https://pypi.org/simple
COPY . .
RUN pip install -e ".[onnx]"
ENV TORCH_HOME=/data/downloads/torch
USER atlas

FROM cpu-packages AS cpu
ARG PIP_INDEX_URL=https://pypi.org/simple
COPY . .
RUN pip install -e ".[onnx]"
ENV TORCH_HOME=/data/downloads/torch
USER atlas

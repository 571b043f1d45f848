# IterIT Studio in a container; docs/deploy.md says how to run it.
#   docker build -t iterit-studio .
#   docker run -p 127.0.0.1:7860:7860 -e ITERIT_READ_ONLY=1 iterit-studio
FROM python:3.12-slim

# torch for CPUs is a tenth of the other; for GPUs: --build-arg TORCH_INDEX=https://pypi.org/simple
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

RUN useradd --create-home --uid 1000 studio && mkdir /runs && chown studio /runs
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --index-url "$TORCH_INDEX" "$(grep '^torch==' requirements.txt)" \
 && pip install --no-cache-dir -r requirements.txt
COPY app.py LICENSE README.md ./
COPY assets assets
COPY backend backend
COPY iterit iterit
COPY iterit_ui iterit_ui

# kernels that numba compiles are kept beside the code, or here where that cannot be written to
ENV ITERIT_RUNS_DIR=/runs \
    NUMBA_CACHE_DIR=/home/studio/.cache/numba \
    PYTHONUNBUFFERED=1
USER studio
VOLUME /runs
EXPOSE 7860
HEALTHCHECK --start-period=60s --timeout=10s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/robots.txt', timeout=8)"]
# visitors come from outside the container, so the app asks for passwords (ITERIT_AUTH) or for ITERIT_READ_ONLY=1 before it starts
ENTRYPOINT ["python", "app.py", "--host", "0.0.0.0", "--port", "7860", "--no-browser"]

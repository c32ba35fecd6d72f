# Builds versions, and serves models that have no plan: the runtime with scikit-learn.
# The folder it is built from: python manifests/containers/context.py builder FOLDER
ARG BASE=docker.io/library/python:3.11-slim-bookworm
FROM ${BASE} AS whole
COPY site /opt/kubeserve/site
COPY app /opt/kubeserve/app
COPY closure.py /
# Not PYTHONPATH: what runs a tenant's code is started with `python3 -I`, which does not look at it.
RUN python3 /closure.py /out /opt/kubeserve --zones --isolated --wheels

# Python, its libraries and ours: no shell, no package manager, nothing of the base besides.
FROM scratch
COPY --from=whole /out /
ENV PATH=/usr/local/bin:/usr/bin \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONNOUSERSITE=1 \
    HOME=/tmp
WORKDIR /opt/kubeserve/app
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["python3", "-m", "controlplane.builder.remote"]

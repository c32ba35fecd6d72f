# Builds versions, and serves models that have no plan: the runtime with scikit-learn.
# The folder it is built from: python manifests/containers/context.py builder FOLDER
ARG BASE=docker.io/library/python:3.11-slim-bookworm
FROM ${BASE} AS compiled
COPY site /opt/kubeserve/site
COPY app /opt/kubeserve/app
# Never compared with a source's time: the root file system is read-only, and a start reads no more
# than it must.
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/kubeserve

FROM ${BASE}
COPY --from=compiled /opt/kubeserve /opt/kubeserve
# Not PYTHONPATH: what runs a tenant's code is started with `python3 -I`, which does not look at it.
RUN python3 -c "import os, sysconfig; \
    place = sysconfig.get_path('purelib'); os.makedirs(place, exist_ok=True); \
    open(place + '/kubeserve.pth', 'w').write('/opt/kubeserve/app\n/opt/kubeserve/site\n')"
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONNOUSERSITE=1 \
    HOME=/tmp
WORKDIR /opt/kubeserve/app
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["python3", "-m", "controlplane.builder.remote"]

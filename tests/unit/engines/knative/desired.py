"""Desired endpoints to render."""

from dataclasses import replace

from controlplane.engines.engine import (
    BackendKind,
    DesiredEndpoint,
    DesiredRevision,
    EndpointId,
    Scaling,
)
from controlplane.engines.knative.install import Install, ObjectStore

ID = EndpointId("6f1c1d1e-0000-4000-8000-000000000001")
STORE = ObjectStore("http://minio.minio.svc:9000", "kubeserve", namespace="minio")
INSTALL = Install("https://kube.example", "registry/runtime@sha256:1", "registry/builder@sha256:2")
WITH_STORE = replace(INSTALL, store=STORE)


def revision(number=1, *, size=1000, backend=BackendKind.PLAN, percent=100, tag=None):
    sha = f"{number:064x}"
    return DesiredRevision(
        f"iris-{number:05}", "iris", number, backend, sha, size, {"columns": []}, percent, tag
    )


def endpoint(*revisions, generation=1, **changes):
    return DesiredEndpoint(
        id=ID,
        tenant="acme",
        name="iris",
        generation=generation,
        audience=f"https://kube.example/endpoints/{ID}",
        revisions=revisions or (revision(),),
        **{"scaling": Scaling(), **changes},
    )

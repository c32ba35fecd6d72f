"""From a pod of a load test to its Job: locked down as a build's, once and never again. Pure."""

import uuid
from typing import Final

from controlplane.engines.jobs import LoadJob
from controlplane.engines.knative import names
from controlplane.engines.knative.build_job import locked_pod, once
from controlplane.engines.knative.install import Install, Loads
from controlplane.engines.knative.names import Document
from controlplane.engines.knative.render import RESTRICTED

NUMBER: Final = "kubeserve.dev/loadtest-pod"
CONTAINER: Final = "loadtest"
KEPT_S: Final = 3600  # after its end, if nobody removes it before
TMP_MIB: Final = 256
# Importing takes more than sending; a generator that is throttled sends late.
MOST_CPU: Final = "2"


def name(test: uuid.UUID, number: int) -> str:
    """Give the name of a Job: the same pod has the same."""
    return f"loadtest-{test.hex}-{number}"


def render(job: LoadJob, loads: Loads, install: Install) -> Document:
    """Render the Job of one pod."""
    labels = {names.LOADTEST: str(job.test), NUMBER: str(job.number)}
    metadata = {
        "name": name(job.test, job.number),
        "namespace": names.namespace(install.namespace_prefix, job.tenant),
        "labels": {**names.tenant_labels(job.tenant, install.instance), **labels},
    }
    tmp = {"name": "tmp", "emptyDir": {"sizeLimit": f"{TMP_MIB}Mi"}}
    # Half a load proves nothing, so there is no other try, after a disruption neither.
    return once(metadata, locked_pod(_container(job, loads), tmp), job.deadline_s, KEPT_S)


def _container(job: LoadJob, loads: Loads) -> Document:
    environment = {"PYTHONDONTWRITEBYTECODE": "1", "HOME": "/tmp", **job.environment}  # noqa: S108
    asked = {"cpu": f"{loads.cpu_millis}m", "memory": f"{loads.memory_mib}Mi"}
    return {
        "name": CONTAINER,
        "image": loads.image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(job.command),
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "securityContext": RESTRICTED,
        "resources": {"requests": asked, "limits": {**asked, "cpu": MOST_CPU}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
    }

import pytest

from controlplane.engines.knative import cluster as kube


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (kube.SERVICE.path("tenant", "iris"), "services"),
        (kube.SERVICE.path(), "services"),
        (kube.POD.path("tenant", "iris-1") + "/log", "pods"),
        (kube.NAMESPACE.path(None, "tenant"), "namespaces"),
        (kube.NAMESPACE.path(), "namespaces"),
        ("/version", "version"),
        ("/api/v1", "api"),
    ],
)
def test_an_address_tells_its_kind(path: str, kind: str) -> None:
    assert kube.plural(path) == kind

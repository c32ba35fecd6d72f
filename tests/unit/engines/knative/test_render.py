"""Rendering: what is asked of Knative, and what a name promises."""

import base64
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.engines.engine import BackendKind, DesiredPayloadLog, Scaling
from controlplane.engines.knative import names, render, render_tenant
from runtime import handed
from runtime.archive import Archive, Part
from runtime.fetch import source_from
from runtime.launch import from_env
from runtime.payload_log import read_log
from runtime.problems import Conflict
from tests.unit.engines.knative.desired import INSTALL, WITH_STORE, endpoint, revision

# Knative's flags that are off by default, as the fields they would allow (KNATIVE.md 2.3).
FLAGGED = {"securityContext", "initContainers", "nodeSelector", "tolerations", "affinity",
           "priorityClassName", "runtimeClassName", "topologySpreadConstraints", "dnsPolicy",
           "hostAliases", "schedulerName", "shareProcessNamespace"}  # fmt: skip
LARGE = 512 * 1024 + 1


def pod(desired, install=INSTALL):
    (rendered,) = render.revisions(desired, install)
    return rendered.template["spec"]


def environment(spec):
    return {one["name"]: one.get("value") for one in spec["containers"][0]["env"]}


def test_the_runtime_reads_its_launch_back():
    (rendered,) = render.revisions(endpoint(container_concurrency=8, timeout_s=20), INSTALL)
    env = environment(rendered.template["spec"])
    launch = from_env({**env, "PORT": "8080"})
    (served,) = launch.revisions
    assert served.name == rendered.name
    assert served.artifact == f"/kubeserve/artifact/{served.sha256}"
    assert (launch.container_concurrency, launch.timeout_s) == (8, 20)
    assert launch.audience.startswith(launch.issuer)


def test_no_flag_that_is_off_by_default_is_needed():
    for backend in BackendKind:
        for size in (1000, LARGE):
            spec = pod(endpoint(revision(size=size, backend=backend)), WITH_STORE)
            assert not FLAGGED & set(spec)
            kinds = {
                kind for volume in spec.get("volumes", []) for kind in volume if kind != "name"
            }
            assert kinds <= {"configMap", "secret", "emptyDir"}


def test_pods_are_restricted_and_hold_no_token_of_the_cluster():
    spec = pod(endpoint())
    security = spec["containers"][0]["securityContext"]
    assert security["runAsNonRoot"]
    assert security["readOnlyRootFilesystem"]
    assert not security["allowPrivilegeEscalation"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert spec["automountServiceAccountToken"] is False
    assert spec["containers"][0]["readinessProbe"]["periodSeconds"] == 1


def test_a_small_artifact_travels_in_a_secret_and_a_large_one_does_not():
    assert "KUBESERVE_FETCH" not in environment(pod(endpoint(revision(size=512 * 1024))))
    spec = pod(endpoint(revision(size=LARGE)), WITH_STORE)
    where = json.loads(environment(spec)["KUBESERVE_FETCH"])
    assert where["prefix"] == "tenants/acme/"
    assert not any("secret" in volume for volume in spec["volumes"])
    with pytest.raises(Conflict, match="KUBESERVE_STORE"):
        pod(endpoint(revision(size=LARGE)))


def test_a_bundle_is_an_artifact_as_another():
    fallback = revision(backend=BackendKind.FALLBACK)
    (launch,) = from_env(environment(pod(endpoint(fallback)))).revisions
    assert launch.artifact.endswith(fallback.artifact_sha256)
    assert launch.packages is None
    assert launch.interpreter is None


PYTHON = Part("the environment of scikit-learn 1.3.2", Archive("a" * 64, 90 << 20, 250 << 20), True)
PACKAGES = Part("the packages of the model", Archive("b" * 64, 1000, 4000), False)


def test_an_environment_is_fetched_unpacked_and_used():
    wanted = endpoint(replace(revision(backend=BackendKind.FALLBACK), sklearn_version="1.3.2"))
    parts = {"iris-00001": (PYTHON, PACKAGES)}
    (rendered,) = render.revisions(wanted, WITH_STORE, parts)
    spec = rendered.template["spec"]
    told = environment(spec)
    (launch,) = from_env(told).revisions
    assert launch.interpreter == "/kubeserve/environment/python/bin/python"
    assert launch.packages == "/kubeserve/environment/packages"
    keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
    source = source_from({**told, **keys})
    assert source.parts == (PYTHON, PACKAGES)
    assert [str(part.folder(source.beside)) for part in source.parts] == [
        "/kubeserve/environment/python",
        launch.packages,
    ]
    (container,) = spec["containers"]
    places = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    assert places["environment"] == "/kubeserve/environment"
    (volume,) = (one for one in spec["volumes"] if one["name"] == "environment")
    limit = int(volume["emptyDir"]["sizeLimit"].removesuffix("Mi"))
    assert 340 < limit < 500
    # It goes to a node that has the disk; memory stays what it was.
    assert container["resources"]["requests"]["ephemeral-storage"] == f"{limit}Mi"
    (plain,) = render.revisions(wanted, WITH_STORE)
    without = plain.template["spec"]["containers"][0]["resources"]
    assert container["resources"]["limits"] == without["limits"]
    assert "KUBESERVE_FETCH" not in environment(plain.template["spec"])
    assert plain.name != rendered.name
    with pytest.raises(Conflict, match="KUBESERVE_STORE"):
        render.revisions(wanted, INSTALL, parts)


def test_the_secret_holds_the_bytes_under_their_digest():
    wanted = endpoint(revision(backend=BackendKind.FALLBACK))
    secret = render.artifact_secret(wanted, wanted.revisions[0], b"bytes", INSTALL)
    assert secret["immutable"]
    assert base64.b64decode(secret["data"][wanted.revisions[0].artifact_sha256]) == b"bytes"
    assert json.loads(base64.b64decode(secret["data"]["signature.json"])) == {"columns": []}


def test_a_large_fallback_still_has_its_signature():
    large = revision(backend=BackendKind.FALLBACK, size=LARGE)
    wanted = endpoint(large)
    secret = render.artifact_secret(wanted, large, b"", WITH_STORE)
    assert list(secret["data"]) == ["signature.json"]
    assert any("secret" in volume for volume in pod(wanted, WITH_STORE)["volumes"])


def test_traffic_is_by_name_and_never_to_the_latest():
    old, new = revision(1, percent=90), revision(2, percent=10, tag="next")
    rendered = render.revisions(endpoint(old, new), INSTALL)
    present = frozenset(one.name for one in rendered)
    service = render.service(endpoint(old, new, generation=7), rendered, present, (), INSTALL)
    assert service["spec"]["traffic"] == [
        {"revisionName": rendered[0].name, "latestRevision": False, "percent": 90},
        {"revisionName": rendered[1].name, "latestRevision": False, "percent": 10, "tag": "next"},
    ]
    assert service["spec"]["template"]["metadata"]["name"] == rendered[1].name
    assert service["metadata"]["annotations"][names.GENERATION] == "7"


def test_a_missing_older_revision_is_made_first_and_traffic_waits_for_it():
    wanted = endpoint(revision(1, percent=50), revision(2, percent=50))
    first, second = render.revisions(wanted, INSTALL)
    routed = ({"revisionName": second.name, "latestRevision": False, "percent": 100},)
    service = render.service(wanted, (first, second), frozenset([second.name]), routed, INSTALL)
    assert service["spec"]["template"]["metadata"]["name"] == first.name
    assert service["spec"]["traffic"] == [*routed]
    assert service["metadata"]["annotations"][names.GENERATION] == "0"
    fresh = render.service(wanted, (first, second), frozenset(), (), INSTALL)
    assert fresh["spec"]["traffic"] == [{**first.target, "percent": 100}]


scalings = st.builds(
    Scaling,
    min_scale=st.integers(0, 3),
    max_scale=st.integers(3, 9),
    metric=st.sampled_from(["concurrency", "rps"]),
    target=st.none() | st.floats(0.01, 1000),
    window_s=st.floats(6, 3600),
)


@given(scalings, scalings, st.integers(0, 1000))
def test_another_template_is_another_name_and_the_same_is_the_same(one, other, concurrency):
    def template(scaling):
        wanted = endpoint(scaling=scaling, container_concurrency=concurrency)
        (rendered,) = render.revisions(wanted, INSTALL)
        return rendered.name, rendered.template

    (first, made), (second, changed) = template(one), template(other)
    assert (first == second) == (made == changed)
    assert template(one) == (first, made)
    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])", first)


@given(scalings)
def test_every_annotation_is_text_and_windows_are_whole_seconds(scaling):
    (rendered,) = render.revisions(endpoint(scaling=scaling), INSTALL)
    annotations = rendered.template["metadata"]["annotations"]
    assert all(isinstance(value, str) for value in annotations.values())
    assert re.fullmatch(r"\d+s", annotations["autoscaling.knative.dev/window"])


def test_an_unrouted_revision_keeps_nothing_warm():
    tagged = revision(2, percent=0, tag="preview")
    rendered = render.revisions(
        endpoint(revision(1), tagged, scaling=Scaling(min_scale=2)), INSTALL
    )
    key = "autoscaling.knative.dev/min-scale"
    assert [one.template["metadata"]["annotations"][key] for one in rendered] == ["2", "0"]


def test_a_tenant_is_closed_but_for_what_it_needs():
    objects = render_tenant.tenant("acme", b"{}", WITH_STORE)
    by_name = {(one["kind"], one["metadata"]["name"]): one for one in objects}
    assert objects[0]["kind"] == "Namespace"
    labels = objects[0]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    denied = by_name["NetworkPolicy", "deny-by-default"]["spec"]
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    (egress,) = by_name["NetworkPolicy", "object-store"]["spec"]["egress"]
    assert egress["ports"] == [{"protocol": "TCP", "port": 9000}]
    assert all(names.is_ours(one, "kubeserve") for one in objects)


def test_a_store_outside_the_cluster_opens_no_private_address():
    outside = replace(WITH_STORE.store, namespace=None, url="https://s3.example")
    objects = render_tenant.tenant("acme", b"{}", replace(INSTALL, store=outside))
    (policy,) = [one for one in objects if one["metadata"]["name"] == "object-store"]
    (rule,) = policy["spec"]["egress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 443}]
    assert "169.254.0.0/16" in rule["to"][0]["ipBlock"]["except"]


def test_a_pod_of_a_small_plan_needs_no_volume_where_there_is_a_store():
    wanted = endpoint(revision(size=200_000))
    spec = pod(wanted, WITH_STORE)
    assert "volumes" not in spec
    assert "volumeMounts" not in spec["containers"][0]
    given = {one["name"]: one for one in spec["containers"][0]["env"]}
    refs = {name: one["valueFrom"] for name, one in given.items() if "valueFrom" in one}
    secret = render.secret_name(wanted, wanted.revisions[0], WITH_STORE)
    assert refs["KUBESERVE_KEYS"]["configMapKeyRef"] == {"name": names.KEYS, "key": "keys.json"}
    for number in range(3):
        wants = {"name": secret, "key": str(number)}
        assert refs[f"KUBESERVE_ARTIFACT_{number}"]["secretKeyRef"] == wants
    assert "KUBESERVE_ARTIFACT_3" not in given
    assert refs["AWS_ACCESS_KEY_ID"]["secretKeyRef"]["optional"]
    launch = from_env(environment(spec))
    assert launch.revisions[0].artifact == handed.ARTIFACT_FILE
    assert launch.keys_file == handed.KEYS_FILE
    assert json.loads(launch.keys_from)["prefix"] == "tenants/acme/"
    content = b"x" * 200_000
    data = render.artifact_secret(wanted, wanted.revisions[0], content, WITH_STORE)["data"]
    variables = {
        f"{handed.PIECES}{key}": base64.b64decode(value).decode() for key, value in data.items()
    }
    assert tuple(variables.values()) == handed.pieces(content)


@pytest.mark.parametrize(
    ("one", "install"),
    [
        (revision(), INSTALL),
        (revision(backend=BackendKind.FALLBACK), WITH_STORE),
        (revision(size=600_000), WITH_STORE),
    ],
)
def test_others_read_their_keys_from_a_volume(one, install):
    spec = pod(endpoint(one), install)
    assert "keys" in {volume["name"] for volume in spec["volumes"]}
    assert from_env(environment(spec)).keys_file == "/kubeserve/keys/keys.json"


def test_a_pod_is_told_what_to_log_where_it_reaches_a_store_alone():
    log = DesiredPayloadLog(0.25, ("ssn",), ("email",), "ab" * 32)
    desired = endpoint(revision(), payload_log=log)
    told = read_log(environment(pod(desired, WITH_STORE))["KUBESERVE_PAYLOADS"])
    assert (told.endpoint, told.sample, told.redact, told.folder) == (
        desired.id,
        0.25,
        ("ssn",),
        "",
    )
    assert "KUBESERVE_PAYLOADS" not in environment(pod(desired))
    assert "KUBESERVE_PAYLOADS" not in environment(pod(endpoint(revision()), WITH_STORE))

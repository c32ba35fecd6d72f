"""What Envoy is told of endpoints: read back by Envoy's rules, and by Envoy itself."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from controlplane.engines.embedded import gateway
from controlplane.engines.embedded.envoy import program
from controlplane.engines.embedded.gateway import UPSTREAM, Front, Route
from runtime.launch import Launch
from runtime.problems import NotFound

HOST = "kube.example.com"
name = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
route = st.builds(
    Route, name, name, st.integers(1024, 65535), st.floats(0.001, 3600, allow_nan=False)
)
installed = st.lists(
    route, max_size=12, unique_by=(lambda one: (one.tenant, one.name), lambda one: one.port)
)


def fits(asked, path=None, prefix=None, safe_regex=None):
    if safe_regex is not None:
        return re.fullmatch(safe_regex["regex"], asked) is not None
    return asked == path if prefix is None else asked.startswith(prefix)


def led(document, host, path):
    """Read routes as Envoy does: the host that fits exactly, else any; in it the first route."""
    hosts = {domain: one for one in document["virtual_hosts"] for domain in one["domains"]}
    for found in hosts.get(host, hosts["*"])["routes"]:
        match = found["match"]
        if not fits(path, **match):
            continue
        if "direct_response" in found:
            return found["direct_response"]["status"], None
        wanted = match.get("path") or match["prefix"]
        rewrite = found["route"].get("prefix_rewrite", wanted)
        headers = {
            added["header"]["key"]: added["header"]["value"]
            for added in found["request_headers_to_add"]
        }
        return int(headers[UPSTREAM].rpartition(":")[2]), rewrite + path.removeprefix(wanted)
    raise AssertionError("no route fits")


@given(installed, name, name)
@example([Route("a", "b", 1024), Route("a", "b-c", 1025), Route("a-b", "c", 1026)], "a", "c")
@settings(max_examples=60, deadline=None)
def test_every_endpoint_is_led_to_and_nothing_else(routes, tenant, other):
    document = gateway.routes(routes, HOST)
    for one in routes:
        own = f"/{one.tenant}/{one.name}"
        assert led(document, HOST, f"{own}/v1/models/m:predict") == (
            one.port,
            "/v1/models/m:predict",
        )
        assert led(document, HOST, f"{own}/") == (one.port, "/")
        assert led(document, HOST, own) == (404, None)
        assert led(document, HOST, f"{own}/metrics") == (404, None)
        assert led(document, f"{one.name}.{one.tenant}.{HOST}", "/metrics") == (404, None)
        assert led(document, f"{one.name}.{one.tenant}.{HOST}", "/predict") == (
            one.port,
            "/predict",
        )
    if (tenant, other) not in {(one.tenant, one.name) for one in routes}:
        for path in (f"/{tenant}/{other}/predict", f"/{tenant}/{other}", f"/{tenant}", "/"):
            assert led(document, HOST, path) == (404, None)
        assert led(document, f"{other}.{tenant}.{HOST}", "/predict") == (404, None)
    assert led(document, HOST, gateway.HEALTH) == (200, None)


@given(installed)
@settings(max_examples=60, deadline=None)
def test_no_route_gives_up_before_its_endpoint(routes):
    document = gateway.routes(routes, HOST)
    timeouts = {one.port: one.timeout_s for one in routes}
    for host in document["virtual_hosts"]:
        for one in host["routes"]:
            if "route" not in one:
                continue
            port = int(one["request_headers_to_add"][0]["header"]["value"].rpartition(":")[2])
            within = float(one["route"]["timeout"].removesuffix("s"))
            idle = float(one["route"]["idle_timeout"].removesuffix("s"))
            assert idle >= within
            assert within > timeouts[port]


def test_of_an_endpoint_made_again_the_later_one_is_led_to():
    document = gateway.routes([Route("t", "e", 2000), Route("t", "e", 1999)], HOST)
    assert led(document, HOST, "/t/e/predict") == (1999, "/predict")
    domains = [domain for host in document["virtual_hosts"] for domain in host["domains"]]
    assert len(domains) == len(set(domains))


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_envoy_takes_it(tmp_path: Path, tls: bool, address: str) -> None:
    many = [
        Route(f"t{n % 7}", f"e-{n}", 2000 + n, timeout)
        for n, timeout in enumerate([0.001, 1, 59.9999, 60, 3600] * 20)
    ]
    document = gateway.bootstrap(Front(address, 8081, HOST, tls=tls), tmp_path)
    # Validation reads no file that is watched, so the routes are put where it does look.
    chain = document["static_resources"]["listeners"][0]["filter_chains"][0]
    manager = chain["filters"][0]["typed_config"]
    del manager["rds"]
    manager["route_config"] = {**gateway.routes(many, HOST), "validate_clusters": True}
    del manager["route_config"]["@type"]
    if tls:
        secret = gateway.discovery(gateway.certificate("chain", "key"))
        (tmp_path / "certificate.json").write_text(json.dumps(secret))
    file = tmp_path / "bootstrap.json"
    file.write_text(json.dumps(document))
    command = [program(), "--mode", "validate", "--log-level", "error", "--config-path", str(file)]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_the_gateway_says_problems_as_the_runtime_does():
    manager = gateway.bootstrap(Front("127.0.0.1", 1, HOST), Path("/"))["static_resources"][
        "listeners"
    ][0]["filter_chains"][0]["filters"][0]["typed_config"]
    nothing = manager["local_reply_config"]["mappers"][0]["body_format_override"]
    assert nothing["content_type"] == "application/problem+json"
    assert set(NotFound("x").body()) | {"error", "request_id"} == set(nothing["json_format"])
    assert "kubeserve endpoints" in nothing["json_format"]["detail"]


def test_no_body_is_refused_that_the_runtime_would_take():
    taken = Launch._field_defaults["max_body_bytes"]
    assert taken == gateway.LARGEST_BODY

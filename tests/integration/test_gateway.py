"""The gateway as a process: a real Envoy before a real supervisor, its workers, real tokens."""

import asyncio
import contextlib
import datetime
import io
import ipaddress
import json
import os
import signal
import socket
import ssl
import subprocess
import sys

import httpx
import joblib
import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.engines.engine import (
    BackendKind,
    DesiredEndpoint,
    DesiredRevision,
    EndpointId,
    Scaling,
)
from loadtests.benchmarks.installation import installation
from tests.integration.runtime_rig import AUDIENCE, ROW, Keys, free_port, linear_plan
from tests.integration.test_embedded_engine import RealRig
from tests.integration.test_embedded_supervisor import FAST, at_zero, until

OTHER = EndpointId("6f1c1d1e-0000-4000-8000-000000000002")
BY_NAME = {"host": "iris.acme.localhost"}


class Rig(RealRig):
    """The engine's rig with a gateway before it."""

    gateway = None

    async def start_gateway(self, **settings):
        self.port = free_port()
        self.log = self.home / "gateway.log"
        with self.log.open("wb") as log:
            self.gateway = subprocess.Popen(  # noqa: ASYNC220  # signalled and waited for by pid
                [sys.executable, "-m", "controlplane", "gateway"],
                env={
                    **os.environ,
                    "KUBESERVE_HOME": str(self.home),
                    "KUBESERVE_GATEWAY_LISTEN": f"127.0.0.1:{self.port}",
                    **settings,
                },
                stdout=log,
                stderr=log,
            )
        await until(self.listens)

    async def listens(self):
        assert self.gateway.poll() is None, self.log.read_text()
        with contextlib.suppress(FileNotFoundError):
            told = json.loads((self.home / "gateway" / "address.json").read_text())
            return told["pid"] == self.gateway.pid  # a killed one left its own

    @property
    def authorization(self):
        return {"authorization": f"Bearer {self.keys.token()}"}

    def client(self, **options):
        scheme = "https" if "verify" in options else "http"
        return httpx.AsyncClient(
            base_url=f"{scheme}://127.0.0.1:{self.port}",
            headers=self.authorization,
            timeout=15,
            **options,
        )

    async def deploy_other(self, name):
        sha = next(iter(self.store.blobs))
        revision = DesiredRevision(f"{name}-00001", "iris", 1, BackendKind.PLAN, sha, 1, {})
        await self.engine.apply(DesiredEndpoint(OTHER, "acme", name, 1, AUDIENCE, (revision,)))


@pytest.fixture
async def rig(tmp_path):
    rig = Rig(tmp_path / "home")
    rig.home.mkdir()
    await rig.start()
    folder = tmp_path / "client"
    folder.mkdir()
    await rig.publish(Keys(folder))
    yield rig
    family = rig.family()
    if rig.gateway is not None:
        family += psutil.Process(rig.gateway.pid).children(recursive=True)
        rig.gateway.terminate()
        assert await asyncio.to_thread(rig.gateway.wait, 10) == 0
    rig.process.terminate()
    await asyncio.to_thread(rig.process.wait, 10)
    _, alive = await asyncio.to_thread(psutil.wait_procs, family, 10)
    assert not alive, "something was left behind"


async def deploy_iris(rig, tmp_path, scaling, generation=1):
    await rig.release(linear_plan(tmp_path / "one.plan").read_bytes(), generation, scaling)


async def test_paths_and_names_lead_to_an_endpoint_that_sleeps_and_wakes(rig, tmp_path):
    await rig.start_gateway()
    await deploy_iris(rig, tmp_path, FAST)
    async with rig.client() as client:

        async def appears():
            return (await client.get("/acme/iris/readyz")).status_code == 200

        await until(appears)
        by_path = await client.post("/acme/iris/predict?x=1", json=[ROW])
        by_name = await client.post("/v2/models/iris/infer", headers=BY_NAME, content=b"{}")
        again = await client.post("/predict", headers=BY_NAME | {"x-request-id": "r-1"}, json=[ROW])
        assert (by_path.status_code, by_name.status_code, again.status_code) == (200, 422, 200)
        assert by_path.json() == again.json()
        assert again.headers["x-request-id"] == "r-1"
        assert by_path.headers["k-revision"] == "iris-00001"
        # The token is the endpoint's, and it is the endpoint that looks at it.
        foreign = {"authorization": f"Bearer {rig.keys.token(aud=AUDIENCE + '0')}"}
        refused = await client.post("/acme/iris/predict", json=[ROW], headers=foreign)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Bearer")

        assert await under_deploys(rig, client, tmp_path) == {200}
        await at_zero(rig)
        awake = await client.post("/acme/iris/predict", json=[ROW])
        assert awake.status_code == 200, awake.text
        assert awake.json()["predictions"] == by_path.json()["predictions"]


async def under_deploys(rig, client, tmp_path):
    """Ask without pause while three releases follow each other; gives the statuses seen."""
    done, seen = asyncio.Event(), set()

    async def ask():
        while not done.is_set():
            seen.add((await client.post("/acme/iris/predict", json=[ROW])).status_code)

    asking = [asyncio.create_task(ask()) for _ in range(4)]
    for generation in (2, 3, 4):
        await deploy_iris(rig, tmp_path, FAST, generation)

        async def follows(wanted=f"iris-{generation:05}"):
            answer = await client.post("/acme/iris/predict", json=[ROW])
            return answer.headers["k-revision"] == wanted

        await until(follows)
    done.set()
    await asyncio.gather(*asking)
    return seen


def raw_status(port, target, host="gateway"):
    """Ask for a target as it is written: httpx would put it in order first."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(f"GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        return int(sock.makefile("rb").readline().split()[1])


def too_large(rig):
    """Send more than is taken; httpx's asynchronous client reads no answer before its body left."""
    url = f"http://127.0.0.1:{rig.port}/acme/two/predict"
    big = b"[" + b" " * (9 << 20) + b"]"
    answer = httpx.post(url, content=big, headers=rig.authorization)
    return answer.status_code, answer.json()["type"]


async def test_what_is_not_there_is_a_problem_and_what_is_deployed_is_there(rig, tmp_path):
    await rig.start_gateway()
    async with rig.client() as client:
        nothing = await client.post("/acme/iris/predict", json=[ROW])
        assert nothing.status_code == 404
        assert nothing.headers["content-type"] == "application/problem+json"
        told = nothing.json()
        assert told["type"] == "/problems/not-found"
        assert told["status"] == 404
        assert told["detail"] == told["error"]
        assert "/acme/iris/predict" in told["detail"]
        assert told["request_id"] == nothing.headers["x-request-id"]
        # Of no endpoint, and never a way to a port of the client's choice.
        chosen = {"x-kubeserve-upstream": f"127.0.0.1:{rig.port}", "x-envoy-original-dst-host": "x"}
        assert (await client.get("/healthz", headers=chosen)).text == "ok\n"
        assert (await client.get("/acme/iris/readyz", headers=chosen)).status_code == 404

        await deploy_iris(rig, tmp_path, Scaling())
        await rig.deploy_other("two")

        async def both():
            paths = ("/acme/iris/readyz", "/acme/two/readyz")
            return [(await client.get(p, headers=chosen)).status_code for p in paths] == [200, 200]

        await until(both)
        wrong = await client.post("/acme/two/v1/models/iris:predict", json={"instances": [ROW]})
        assert wrong.status_code == 404
        assert "/v1/models/two:predict" in wrong.json()["detail"], "the runtime's own words"
        assert await asyncio.to_thread(too_large, rig) == (413, "/problems/too-large")

        hidden = ("metrics", "metrics?x", "./metrics", "a/../metrics", "%6Detrics", "%2e/metrics")
        for way in (*hidden, "/metrics", "metrics/", "metrics%20", "Metrics", "..%2ftwo/metrics"):
            assert raw_status(rig.port, f"/acme/two/{way}") in (400, 401, 404), way
        assert raw_status(rig.port, "/metrics", "two.acme.localhost") == 404

        await rig.engine.delete(OTHER)

        async def gone():
            return (await client.get("/acme/two/readyz")).status_code == 404

        await until(gone)
        assert (await client.post("/acme/iris/predict", json=[ROW])).status_code == 200


async def test_a_new_supervisor_and_a_new_gateway_take_over(rig, tmp_path):
    await rig.start_gateway()
    await deploy_iris(rig, tmp_path, Scaling())
    async with rig.client() as client:

        async def serves():
            return (await client.post("/acme/iris/predict", json=[ROW])).status_code == 200

        await until(serves)
        rig.process.kill()
        await asyncio.to_thread(rig.process.wait, 10)
        started = asyncio.create_task(rig.start())
        # Its port refuses connections, or it hangs up: sent again, as the SDK does a 503.
        await until(serves)
        await started
        await rig.deploy_other("two")

        async def follows():
            return (await client.get("/acme/two/readyz")).status_code == 200

        await until(follows)

    (envoy,) = psutil.Process(rig.gateway.pid).children()
    rig.gateway.kill()
    await asyncio.to_thread(rig.gateway.wait, 10)
    _, alive = await asyncio.to_thread(psutil.wait_procs, [envoy], 10)
    assert not alive, "Envoy outlived what started it"
    await rig.start_gateway()
    async with rig.client() as client:
        assert (await client.post("/acme/two/predict", json=[ROW])).status_code == 200


def certify(folder, serial):
    """Write a certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway.test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), serial)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for name, content in (
        ("key.pem", key.private_bytes(pem, *plain)),
        ("chain.pem", made.public_bytes(pem)),
    ):
        (folder / f".{name}").write_bytes(content)
        (folder / f".{name}").replace(folder / name)


async def test_tls_speaks_http_2_and_takes_over_a_renewed_certificate(rig, tmp_path):
    certify(tmp_path, 17)
    pair = {"CERTIFICATE": tmp_path / "chain.pem", "KEY": tmp_path / "key.pem"}
    await rig.start_gateway(**{f"KUBESERVE_GATEWAY_{k}": str(v) for k, v in pair.items()})
    await deploy_iris(rig, tmp_path, Scaling())
    told = json.loads((rig.home / "gateway" / "address.json").read_text())
    assert told["url"] == f"https://127.0.0.1:{rig.port}"
    trust = ssl.create_default_context(cafile=str(tmp_path / "chain.pem"))
    async with (
        rig.client(verify=trust, http2=True) as new,
        rig.client(verify=trust) as old,
    ):

        async def appears():
            return (await new.get("/acme/iris/readyz")).status_code == 200

        await until(appears)
        for client, version in ((new, "HTTP/2"), (old, "HTTP/1.1")):
            answer = await client.post("/acme/iris/predict", json=[ROW])
            assert (answer.status_code, answer.http_version) == (200, version)
        # An answer that overtakes the end of its request would be lost to some of these.
        for _ in range(4):
            at_once = [new.post("/acme/iris/predict", json=[ROW]) for _ in range(50)]
            assert {a.status_code for a in await asyncio.gather(*at_once)} == {200}

    def serial():
        seen = ssl.get_server_certificate(("127.0.0.1", rig.port), timeout=10)
        return x509.load_pem_x509_certificate(seen.encode()).serial_number

    assert await asyncio.to_thread(serial) == 17
    (tmp_path / "key.pem").write_text("half of a key")

    async def refused():
        return "was not renewed" in rig.log.read_text()

    await until(refused)
    assert await asyncio.to_thread(serial) == 17
    certify(tmp_path, 18)

    async def renewed():
        return await asyncio.to_thread(serial) == 18

    await until(renewed)


def test_all_of_it_for_a_user_and_nothing_left_after_a_kill(tmp_path):
    port = free_port()
    with installation(gateway="true", gateway_listen=f"127.0.0.1:{port}") as (client, home):
        plan = tmp_path / "iris.joblib"
        plan.write_bytes(a_model())
        client.push(plan, "iris")
        deployed = client.deploy("iris")
        assert deployed.url == f"http://127.0.0.1:{port}/default/iris"
        assert client.predict("iris", [ROW]) == [0]
        keeper = psutil.Process(int((home / "keeper.pid").read_text().split()[0]))
        family = keeper.children(recursive=True)
        assert "envoy" in {process.name() for process in family}
        keeper.send_signal(signal.SIGKILL)
        _, alive = psutil.wait_procs(family, 20)
        assert not alive


def a_model():
    written = io.BytesIO()
    joblib.dump(LogisticRegression(max_iter=1000).fit(*load_iris(return_X_y=True)), written)
    return written.getvalue()


def test_a_port_of_somebody_else_ends_the_start(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        for role in ("keeper", "gateway"):
            ended = subprocess.run(
                [sys.executable, "-m", "controlplane", role],
                env={
                    **os.environ,
                    "KUBESERVE_HOME": str(tmp_path),
                    "KUBESERVE_GATEWAY": "true",
                    "KUBESERVE_GATEWAY_LISTEN": f"127.0.0.1:{port}",
                },
                capture_output=True,
                text=True,
                timeout=30,
            )
            assert ended.returncode == 69, ended.stderr
            assert "KUBESERVE_GATEWAY_LISTEN" in ended.stderr
            assert f"127.0.0.1:{port}" in ended.stderr

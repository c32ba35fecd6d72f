"""Canaries: secrets that a real run sees, looked for wherever it writes or answers."""

import asyncio
import base64
import contextlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import asyncpg
import httpx
import joblib
import psutil
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane import postgres
from controlplane.client import Client
from loadtests.benchmarks.installation import COMMAND, free_port, installation
from tests import waiting
from tests.integration.collector import Collector, collector
from tests.integration.receiver import Receiver, receiver

WITHIN_S = 60.0
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
until = partial(waiting.until, within_s=WITHIN_S)
# What may hold secrets, and nothing beside it: files for the owner alone.
KEPT = ("credentials.json", "secrets")


def canary(what: str) -> str:
    return f"canary-{what}-{secrets.token_hex(12)}"


@dataclass
class Watch:
    """Secrets by name, and every text in which none of them may be."""

    secrets: dict[str, str] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)

    def plant(self, what: str) -> str:
        self.secrets[what] = canary(what)
        return self.secrets[what]

    def heard(self, what: str, answer: httpx.Response) -> httpx.Response:
        head = json.dumps(dict(answer.headers)).encode()
        self.texts[f"answer to {what}"] = head + answer.content
        return answer

    def read(self, folder: Path, but: tuple[str, ...] = ()) -> None:
        for path in folder.rglob("*"):
            inside = path.relative_to(folder).parts
            if path.is_file() and inside[0] not in but:
                self.texts[str(path)] = path.read_bytes()

    def found(self) -> list[str]:
        return [
            f"{name} in {where}"
            for where, text in self.texts.items()
            for name, secret in self.secrets.items()
            if secret.encode() in text
        ]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    """Run a Postgres of our own; gives its home."""
    process = postgres.start(tmp_path, tmp_path / "postgres.log")
    try:
        until(lambda: postgres.is_ready(tmp_path, process.pid))
        yield tmp_path
    finally:
        process.terminate()
        process.wait()


def with_password(home: Path, password: str) -> str:
    plain = postgres.url(home).replace("asyncpg://", "postgresql://")
    scheme, _, rest = plain.partition("://")
    user, _, where = rest.partition("@")
    return f"{scheme}://{user.partition(':')[0]}:{password}@{where}"


def run(home: Path, *commands: str) -> list[asyncpg.Record]:
    """Run SQL past the API."""
    return asyncio.run(_run(home, commands))


async def _run(home: Path, commands: tuple[str, ...]) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(postgres.url(home).replace("asyncpg://", "postgresql://"))
    try:
        return [row for command in commands for row in await connection.fetch(command)]
    finally:
        await connection.close()


def trained(folder: Path) -> Path:
    path = folder / "iris.joblib"
    joblib.dump(LogisticRegression(max_iter=500).fit(*load_iris(return_X_y=True)), path)
    return path


def made_client(watch: Watch, http: httpx.Client) -> tuple[str, str]:
    """Make a client twice with one key, so that its secret is sealed and unsealed."""
    for _ in range(2):
        made = http.post("/v1/clients", json={"name": "x"}, headers={"idempotency-key": "k"})
    client = made.raise_for_status().json()
    watch.secrets["client secret"] = client["secret"]
    return client["id"], client["secret"]


def misuse(watch: Watch, url: str, client: tuple[str, str], token: str) -> None:
    """Send secrets where they are refused, and where they do not belong."""
    form = {"grant_type": "client_credentials"}
    with httpx.Client(base_url=url) as http:
        wrong = (client[0], watch.plant("wrong secret"))
        watch.heard("a wrong secret", http.post("/oauth2/token", data=form, auth=wrong))
        query = {"client_secret": client[1], "access_token": token}
        watch.heard("secrets in an address", http.post("/oauth2/token", params=query, data=form))
        watch.heard("a token in an address", http.get("/v1/models", params=query))
        forged = {"authorization": f"Bearer {watch.plant('forged token')}"}
        watch.heard("a forged token", http.get("/v1/models", headers=forged))
        cookie = {"cookie": f"__Host-ks={watch.plant('cookie')}"}
        watch.heard("a cookie", http.get("/v1/models", headers=cookie))
        good = {"authorization": f"Bearer {token}"}
        watch.heard("a scope too few", http.get("/v1/tenants/default", headers=good))
        body = {"name": {"password": watch.plant("password")}}
        watch.heard("a wrong body", http.post("/v1/models", json=body, headers=good))
        watch.heard("no JSON", http.post("/v1/models", content=f"{token}", headers=good))
        for path in ("/metrics", "/readyz", "/v1/info", "/openapi.json"):
            watch.heard(path, http.get(path))


def fail(watch: Watch, url: str, home: Path, client: tuple[str, str], token: str) -> None:
    """Take tables away, so that requests with secrets in them fail on our side."""
    good = {"authorization": f"Bearer {token}"}
    form = {"grant_type": "client_credentials"}
    run(home, "ALTER TABLE models RENAME TO models_away")
    with httpx.Client(base_url=url, headers=good) as http:
        broken = watch.heard("a failure", http.get("/v1/models"))
        assert broken.status_code == 500
        assert set(broken.json()) == {"type", "title", "status", "detail", "request_id"}
        assert broken.headers["x-request-id"] == broken.json()["request_id"]
        run(
            home,
            "ALTER TABLE models_away RENAME TO models",
            "ALTER TABLE oauth_clients RENAME TO clients_away",
        )
        asked = http.post("/oauth2/token", data=form, auth=client)
        assert watch.heard("a failing token request", asked).status_code == 500
        run(home, "ALTER TABLE clients_away RENAME TO oauth_clients")


def told(watch: Watch, client: Client, hook: Receiver) -> None:
    """Have a webhook told, before and after its secret was replaced."""
    made = client.create_webhook(hook.url())
    watch.secrets["webhook's secret"] = (made.secret or "").removeprefix("whsec_")
    rotated = client.rotate_webhook_secret(made.id)
    watch.secrets["webhook's new secret"] = (rotated.secret or "").removeprefix("whsec_")
    client.test_webhook(made.id)
    until(lambda: client.webhook_deliveries(made.id)[0].state == "delivered")
    watch.texts["webhooks"] = json.dumps(
        [one.raw for one in (*client.webhooks(), *client.webhook_deliveries(made.id))]
    ).encode()
    watch.texts["what the webhook got"] = json.dumps(
        [[one.headers, one.body.decode()] for one in hook.came]
    ).encode()


def serve(watch: Watch, client: Client, folder: Path) -> None:
    client.push(trained(folder), "iris")
    client.deploy("iris")
    endpoint = client.endpoint("iris")
    traced = {"authorization": f"Bearer {client.token('iris')}", "traceparent": PARENT}
    watch.secrets["token of an endpoint"] = traced["authorization"].removeprefix("Bearer ")
    rows = {"instances": [[5.1, 3.5, 1.4, 0.2]]}
    httpx.post(f"{endpoint.url}/predict", json=rows, headers=traced).raise_for_status()
    # The worker says which request it answered first, and of which trace.
    until(lambda: TRACE in {line.members.get("trace_id") for line in client.logs("iris")})
    lines = [line.members for line in client.logs("iris")]
    assert all(one["endpoint"] == "iris" for one in lines if one.get("logger"))
    client.predict("iris", [[5.1, 3.5, 1.4, 0.2]])
    forged = {"authorization": f"Bearer {watch.plant('forged token of an endpoint')}"}
    for what, body in (("a forged prediction", rows), ("a wrong prediction", {"instances": "x"})):
        answer = httpx.post(f"{endpoint.url}/predict", json=body, headers=forged)
        assert watch.heard(what, answer).status_code == 401
    watch.heard("metrics of an endpoint", httpx.get(f"{endpoint.url}/metrics"))


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collector() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        yield found


def test_no_secret_is_written_or_answered(
    database: Path, tmp_path: Path, collected: Collector
) -> None:
    watch = Watch()
    raw = secrets.token_bytes(32)
    watch.secrets["signing secret"] = base64.b64encode(raw).decode()
    url = with_password(database, watch.plant("database password"))
    settings = {
        "database_url": url,
        "signing_secret": watch.secrets["signing secret"],
        "webhook_networks": "127.0.0.0/8",
        "access_log": "true",
    }
    with installation(**settings) as (sdk, home), receiver() as hook:
        kept = json.loads((home / "credentials.json").read_text())
        watch.secrets["administrator's secret"] = kept["client_secret"]
        auth = (kept["client_id"], kept["client_secret"])
        form = {"grant_type": "client_credentials"}
        given = httpx.post(f"{kept['url']}/oauth2/token", data=form, auth=auth)
        token = given.raise_for_status().json()["access_token"]
        good = {"authorization": f"Bearer {token}"}
        watch.secrets["token"] = token
        with httpx.Client(base_url=kept["url"], headers=good) as http:
            made = made_client(watch, http)
            told(watch, sdk, hook)
            serve(watch, sdk, tmp_path)
            misuse(watch, kept["url"], made, token)
            for path in ("why", "logs", "releases", ""):
                watch.heard(path, http.get(f"/v1/endpoints/iris/{path}".rstrip("/")))
            watch.heard("clients", http.get("/v1/clients"))
            watch.heard("preflight", http.get("/v1/admin/preflight"))
        fail(watch, kept["url"], database, made, token)
        kept_answers = "SELECT answer->>'secret' AS sealed FROM idempotency_keys"
        rows = run(database, f"{kept_answers} WHERE answer ? 'secret'")
        sealed = {f"sealed secret {at}": row["sealed"] for at, row in enumerate(rows)}
        assert sealed
        keeper = psutil.Process(int((home / "keeper.pid").read_text().split()[0]))
        for process in (keeper, *keeper.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                watch.texts[f"arguments of {process.pid}"] = " ".join(process.cmdline()).encode()
        logs = (home / "logs" / "api.log").read_text()
        assert logs.count("unexpected error") == 2  # it was there where secrets could be, too
        assert '"message": "request"' in logs
        until(lambda: any(one.failed for one in collected.spans))
        watch.read(home, but=KEPT)
    assert {"build", "reconcile", "webhook.deliver"} <= {one.name for one in collected.spans}
    watch.texts["traces"] = b"".join(collected.raw)
    stored = Watch(watch.secrets, {})
    stored.read(database, but=("iris.joblib",))
    assert stored.found() == []
    watch.secrets |= sealed  # the database alone is to hold these
    assert len(watch.secrets) >= 10
    assert len(watch.texts) >= 25
    assert watch.found() == []


@pytest.mark.parametrize("broken", ["store", "database"])
def test_parts_that_cannot_be_reached_are_told_without_their_keys(
    broken: str, database: Path, tmp_path: Path
) -> None:
    watch = Watch()
    password, key, secret = (watch.plant(what) for what in ("password", "key", "key's secret"))
    dead = f"127.0.0.1:{free_port()}"
    settings = {
        "store": {
            "KUBESERVE_DATABASE_URL": with_password(database, password),
            "KUBESERVE_STORE": f"s3://{key}:{secret}@{dead}/bucket?insecure",
        },
        "database": {"KUBESERVE_DATABASE_URL": f"postgresql://kube:{password}@{dead}/kube"},
    }[broken]
    home = tmp_path / "home"
    home.mkdir()
    env = {
        **{name: value for name, value in os.environ.items() if "KUBESERVE_" not in name},
        "KUBESERVE_HOME": str(home),
        "KUBESERVE_LISTEN": f"127.0.0.1:{free_port()}",
        **settings,
    }
    ended = subprocess.run(
        [sys.executable, "-m", "controlplane", "api"], env=env, capture_output=True, timeout=300
    )
    assert ended.returncode != 0
    watch.texts["what it says"] = ended.stdout + ended.stderr
    watch.read(tmp_path, but=("postgres",))
    assert len(ended.stderr) > 100
    assert watch.found() == []


def test_the_command_that_starts_it_says_no_secret(tmp_path: Path) -> None:
    password = canary("password")
    env = {
        **{name: value for name, value in os.environ.items() if "KUBESERVE_" not in name},
        "KUBESERVE_HOME": str(tmp_path),
        "KUBESERVE_DATABASE_URL": f"mysql://kube:{password}@host/kube",
        "KUBESERVE_STORE": f"https://key:{password}@host/bucket",
        "KUBESERVE_SIGNING_SECRET": password,
        "KUBESERVE_ADMIN_CLIENT_SECRET": password[:20],
    }
    ended = subprocess.run([*COMMAND, "up"], env=env, capture_output=True, text=True)
    assert ended.returncode != 0
    assert "KUBESERVE_DATABASE_URL" in ended.stdout + ended.stderr
    assert password[:20] not in ended.stdout + ended.stderr

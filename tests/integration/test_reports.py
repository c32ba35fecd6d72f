"""Reports of usage through the real store: what the form lets pods write, what is read of it."""

import asyncio
import json
import os
import uuid
from pathlib import Path
from typing import Any

import pytest

from controlplane.artifacts import s3_reports
from controlplane.artifacts.credentials import Keys as StoreKeys
from controlplane.artifacts.credentials import MinioReaders
from controlplane.artifacts.reports import MOST_BYTES, Counted
from controlplane.artifacts.s3 import open_client
from controlplane.artifacts.s3_reports import S3Reports
from controlplane.artifacts.store import StoreUnavailable
from controlplane.engines.knative.telling import measured
from controlplane.reconciler.pod_forms import EXPIRES_S, RENEW_S, PodForms
from runtime.fetch import Source, source_from
from runtime.telling import FORM, Form, Refused, Telling, read_form, send
from runtime.usage import Answered as AnsweredByPod
from runtime.usage import Counted as CountedByPod
from tests.integration.minio_server import MinioServer
from tests.integration.runtime_rig import ROW, Keys, free_port, launch_of, served
from tests.integration.test_exchange import Rig, minio_server, rig  # noqa: F401  (fixtures)

ENDPOINT = "6f1c1d1e-0000-4000-8000-000000000001"
PROCESS = "a" * 32


@pytest.fixture
def reports(rig: Rig) -> S3Reports:  # noqa: F811
    outside, _ = open_client(rig.url, address=rig.server.address, region="us-east-1")
    return S3Reports(rig.client, outside, rig.bucket)


def environment(rig: Rig, keys: StoreKeys, tenant: str = "acme") -> dict[str, str]:  # noqa: F811
    """Give what a pod is told of the store."""
    place = {
        "url": rig.server.address,
        "bucket": rig.bucket,
        "prefix": f"tenants/{tenant}/",
        "region": "us-east-1",
    }
    return {
        "KUBESERVE_KEYS_FROM": json.dumps(place),
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
    }


def source(rig: Rig) -> Source:  # noqa: F811
    return source_from(environment(rig, StoreKeys("k", "s")), "KUBESERVE_KEYS_FROM")


async def form(reports: S3Reports, expires_s: float = 60) -> Form:
    return read_form(await reports.sign_form("acme", expires_s))


def content(requests: int) -> bytes:
    return json.dumps({"requests": requests, "rows": requests, "busy_s": 0.5}).encode()


async def test_a_form_writes_small_objects_of_its_tenant_and_nothing_else(
    rig: Rig, reports: S3Reports  # noqa: F811
) -> None:
    signed, to = await form(reports), source(rig)
    name = f"{ENDPOINT}/pod-1/{PROCESS}"
    for requests in (1, 2):
        await asyncio.to_thread(send, to, signed, name, content(requests))
    (found,) = await reports.read_all()
    assert (found.tenant, found.endpoint, found.host) == ("acme", ENDPOINT, "pod-1")
    assert (found.process, found.counted) == (PROCESS, Counted(2, 2, 0.5))
    for prefix in ("usage/rival/", "tenants/acme/", "builds/", ""):
        with pytest.raises(Refused, match="403"):
            await asyncio.to_thread(send, to, signed._replace(prefix=prefix), name, content(3))
    with pytest.raises(Refused, match="400"):
        await asyncio.to_thread(send, to, signed, name, b" " * (MOST_BYTES + 1))
    over = await form(reports, -1)
    with pytest.raises(Refused, match="403"):
        await asyncio.to_thread(send, to, over, name, content(3))
    (found,) = await reports.read_all()
    assert found.counted == Counted(2, 2, 0.5)
    await reports.remove([found.name, found.name])
    assert await reports.read_all() == ()


async def test_what_is_no_report_is_removed_and_what_cannot_be_read_is_said_to_be(
    rig: Rig, reports: S3Reports  # noqa: F811
) -> None:
    signed, to = await form(reports), source(rig)
    names = [f"{ENDPOINT}/pod-1/short", "x", f"{ENDPOINT}/POD/{PROCESS}", f"{ENDPOINT}/p/{PROCESS}"]
    for name in names:
        await asyncio.to_thread(send, to, signed, name, b"no counts")
    (found,) = await reports.read_all()
    assert (found.host, found.counted) == ("p", None)
    assert [one.object_name for one in rig.client.list_objects(rig.bucket, recursive=True)] == [
        found.name
    ]


async def test_a_tenant_with_far_too_many_keeps_nobody_from_the_others(
    rig: Rig, reports: S3Reports, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    monkeypatch.setattr(s3_reports, "MOST_OF_TENANT", 3)
    monkeypatch.setattr(s3_reports, "PAGE", 2)
    to = source(rig)
    for tenant, many in (("acme", 9), ("acme-2", 1), ("acme0", 2), ("zoo", 1)):
        signed = read_form(await reports.sign_form(tenant, 60))
        for _ in range(many):
            name = f"{ENDPOINT}/pod-1/{uuid.uuid4().hex}"
            await asyncio.to_thread(send, to, signed, name, content(1))
    found = [one.tenant for one in await reports.read_all()]
    assert sorted(found) == ["acme"] * 3 + ["acme-2", "acme0", "acme0", "zoo"]
    left = [*rig.client.list_objects(rig.bucket, "usage/acme/", recursive=True)]
    assert len(left) == 7  # two of the surplus at a time


async def test_a_store_that_lets_us_read_nothing_is_named(rig: Rig) -> None:  # noqa: F811
    theirs = rig.as_tenant(await MinioReaders.from_url(rig.url).reader("acme"))
    with pytest.raises(StoreUnavailable, match=r"refuses this installation \(AccessDenied\)"):
        await S3Reports(theirs, theirs, rig.bucket).read_all()


async def test_forms_are_handed_out_once_and_again_before_they_expire(
    rig: Rig, reports: S3Reports, tmp_path: Path  # noqa: F811
) -> None:
    now = [0.0]
    forms = PodForms(rig.exchange, reports, lambda: now[0])
    keys = await MinioReaders.from_url(rig.url).reader("acme")
    theirs, etags = rig.as_tenant(keys), []
    for at in (0.0, RENEW_S - 1, RENEW_S):
        now[0] = at
        await forms.hand(["acme", "rival"])
        etags.append(theirs.stat_object(rig.bucket, f"tenants/acme/{FORM}").etag)
    assert etags[0] == etags[1]
    assert RENEW_S < EXPIRES_S / 2
    answered = {"iris-00001-0123abcd": AnsweredByPod(1, 2, {"12": 4})}
    counted = CountedByPod(7, 21, 1.5, answered)
    await asyncio.to_thread(Telling(environment(rig, keys), ENDPOINT, lambda: counted).tell)
    (found,) = await reports.read_all()
    assert found.counted == Counted(7, 21, 1.5)
    assert await reports.read_of("acme", ENDPOINT) == (found,)
    assert await reports.read_of("rival", ENDPOINT) == ()
    (told,) = measured([found])
    answers = told.revisions["iris-00001"]
    assert (answers.errors, answers.refusals, answers.count, answers.latency[12]) == (1, 2, 4, 4)


@pytest.mark.parametrize("ends", ["in peace", "killed"])
async def test_a_worker_tells_what_it_was_asked(
    rig: Rig, reports: S3Reports, tmp_path: Path, ends: str  # noqa: F811
) -> None:
    await PodForms(rig.exchange, reports).hand(["acme"])
    keys = await MinioReaders.from_url(rig.url).reader("acme")
    env = environment(rig, keys)
    audience = f"http://issuer.test/endpoints/{ENDPOINT}"
    signing = Keys(tmp_path)
    launch = launch_of(
        tmp_path,
        signing,
        port=free_port(),
        audience=audience,
        keys_from=env["KUBESERVE_KEYS_FROM"],
    )
    token = f"Bearer {signing.token(aud=audience)}"

    def ask(worker: Any) -> None:
        for _ in range(5):
            assert worker.ask(body=[ROW, ROW], authorization=token)[0] == 200

    async def told() -> list[Counted | None]:
        return [one.counted for one in await reports.read_all()]

    with served(launch, signing, tmp_path / "log", env={**os.environ, **env}) as worker:
        await asyncio.to_thread(ask, worker)
        if ends == "in peace":
            assert await asyncio.to_thread(worker.stop) == 0
        else:  # what it told before stays
            async with asyncio.timeout(30):
                while not await told():
                    await asyncio.sleep(0.1)
    (found,) = await told()
    assert found is not None
    assert (found.requests, found.rows) == (5, 10)
    assert 0 < found.busy_s < 5
    (report,) = await reports.read_of("acme", ENDPOINT)
    (answered,) = report.answered.values()
    assert (answered.errors, answered.refusals, sum(answered.latency)) == (0, 0, 5)
    assert "usage cannot be told" not in (tmp_path / "log").read_text()


async def test_a_worker_without_a_store_ends_in_time_and_says_what_it_lost(
    tmp_path: Path, minio_server: MinioServer  # noqa: F811
) -> None:
    signing = Keys(tmp_path)
    place = {"url": "http://127.0.0.1:9", "bucket": "b", "prefix": "p/", "region": "us-east-1"}
    env = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
    launch = launch_of(tmp_path, signing, port=free_port(), keys_from=json.dumps(place))
    with served(launch, signing, tmp_path / "log", env=env) as worker:
        assert (await asyncio.to_thread(worker.ask, body=[ROW]))[0] == 200
        assert await asyncio.to_thread(worker.stop) == 0
    said = (tmp_path / "log").read_text()
    assert "took no last word" in said
    assert "usage cannot be told: ConnectionRefusedError" in said

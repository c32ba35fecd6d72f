"""What pods log, by way of a real object store: a worker, its form, and who takes its batches."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from controlplane.artifacts.credentials import MinioReaders
from controlplane.artifacts.s3 import open_client
from controlplane.artifacts.s3_inbox import S3Inbox
from controlplane.artifacts.s3_objects import S3Objects
from controlplane.payloads import arrow
from controlplane.reconciler.pod_forms import PodForms
from runtime import payload_forms
from runtime.payload_batches import MOST_BATCH_BYTES
from runtime.payload_log import PayloadLog
from runtime.telling import Refused, read_form, send
from tests.integration.runtime_rig import ROW, Keys, free_port, launch_of, served
from tests.integration.test_exchange import Rig, minio_server, rig  # noqa: F401  (fixtures)
from tests.integration.test_reports import ENDPOINT, environment, source

PLACE = f"acme/{ENDPOINT}"
NAMES = ("sepal_l", "sepal_w", "petal_l", "petal_w")
REVISION = {
    "model": "iris",
    "version": 3,
    "columns": NAMES,
    "outputs": [],
}


@pytest.fixture
def inbox(rig: Rig) -> S3Inbox:  # noqa: F811
    outside, _ = open_client(rig.url, address=rig.server.address, region="us-east-1")
    return S3Inbox(rig.client, outside, rig.bucket)


async def test_what_a_worker_logs_is_in_a_file(
    rig: Rig, inbox: S3Inbox, tmp_path: Path  # noqa: F811
) -> None:
    await PodForms(rig.exchange, inbox, name=payload_forms.FORM).hand(["acme"])
    env = environment(rig, await MinioReaders.from_url(rig.url).reader("acme"))
    audience, signing = f"http://issuer.test/endpoints/{ENDPOINT}", Keys(tmp_path)
    launch = launch_of(
        tmp_path,
        signing,
        port=free_port(),
        audience=audience,
        keys_from=env["KUBESERVE_KEYS_FROM"],
        payloads=PayloadLog(ENDPOINT, 1.0, ("petal_w",)).write(),
    )
    launch = launch._replace(
        revisions=(launch.revisions[0]._replace(name="iris-00001-0123abcd"),)  # as on Knative
    )
    token = f"Bearer {signing.token(aud=audience)}"

    def ask(worker: Any) -> int:
        for _ in range(5):
            assert worker.ask(body=[ROW, ROW], authorization=token)[0] == 200
        return int(worker.stop())

    with served(launch, signing, tmp_path / "log", env={**os.environ, **env}) as worker:
        assert await asyncio.to_thread(ask, worker) == 0
    assert await inbox.endpoints() == [PLACE]
    names = [name for name, _, _ in await inbox.batches(PLACE)]
    paths = await inbox.fetch(PLACE, names, tmp_path)
    job = {
        "do": "write",
        "batches": [*map(str, paths)],
        "into": str(tmp_path),
        "redact": [],
        "hashed": [],
        "predictions": True,
        "revisions": {"iris-00001": REVISION},
        "bins": {},
    }
    told = await arrow.ask(job)
    (file,) = told["files"]
    assert (file["revision"], file["requests"], file["rows"]) == ("iris-00001", 5, 10)
    objects = S3Objects(rig.client, rig.bucket)
    await objects.put("payloads/acme/x.parquet", Path(file["path"]))
    stored = b"".join([chunk async for chunk in objects.read("payloads/acme/x.parquet")])
    assert stored == await asyncio.to_thread(Path(file["path"]).read_bytes)
    assert b"petal_w" not in stored
    assert await objects.older_than("payloads/", -60) == ["payloads/acme/x.parquet"]
    await objects.remove(["payloads/acme/x.parquet"])
    assert await objects.older_than("payloads/", -60) == []
    await inbox.remove(PLACE, names)
    assert await inbox.endpoints() == []


async def test_a_form_writes_batches_of_its_tenant_and_nothing_else(
    rig: Rig, inbox: S3Inbox, tmp_path: Path  # noqa: F811
) -> None:
    form = read_form(await inbox.sign_form("acme", 60))
    place = source(rig)
    for prefix in ("payload-batches/rival/", "payloads/acme/", "usage/acme/"):
        with pytest.raises(Refused):
            await asyncio.to_thread(send, place, form._replace(prefix=prefix), "x", b"x")
    with pytest.raises(OSError):  # noqa: PT011  (refused, or cut)
        await asyncio.to_thread(send, place, form, "x", b"x" * (MOST_BATCH_BYTES + 1))
    await asyncio.to_thread(send, place, form, f"{ENDPOINT}/no-name-of-ours", b"x")
    await asyncio.to_thread(send, place, form, "stranger", b"x")
    name = f"{'a' * 32}-00000001"
    await asyncio.to_thread(send, place, form, f"{ENDPOINT}/{name}", b"x")
    assert await inbox.endpoints() == [PLACE]
    assert [found for found, _, _ in await inbox.batches(PLACE)] == [name]
    # Neither of the other two is there any more, and who is gone leaves nothing.
    await inbox.discard(PLACE)
    left = rig.client.list_objects(rig.bucket, "payload-batches/", recursive=True)
    assert [one.object_name for one in left] == []

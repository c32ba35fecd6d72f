"""The exchange between control plane and pods, on the real MinIO."""

import asyncio
import hashlib
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import joblib
import pytest
from minio import Minio
from minio.error import S3Error
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.artifacts.credentials import Keys, MinioReaders
from controlplane.artifacts.exchange import Differs
from controlplane.artifacts.s3 import S3Store, open_client
from controlplane.artifacts.s3_exchange import S3Exchange, placed
from controlplane.artifacts.store import StoreUnavailable
from controlplane.builder.instructions import VARIABLE, Form, Instructions
from controlplane.builder.remote_report import decode, with_plan
from controlplane.builder.report import GIB, Outcome
from controlplane.builder.transfer import NotThere, TransferError, send
from tests.integration.minio_server import MinioServer, running


@pytest.fixture(scope="module")
def minio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MinioServer]:
    with running(tmp_path_factory.mktemp("minio")) as server:
        yield server


class Rig:
    def __init__(self, server: MinioServer, scratch: Path) -> None:
        self.bucket = f"b{uuid.uuid4().hex[:20]}"
        self.url = server.url(self.bucket)
        self.server = server
        self.store = S3Store.from_url(self.url, scratch)
        self.client, _ = open_client(self.url)
        outside, _ = open_client(self.url, address=server.address, region="us-east-1")
        self.exchange = S3Exchange(self.client, outside, self.bucket, server.address)

    def as_tenant(self, keys: Keys) -> Minio:
        host = self.server.address.removeprefix("http://")
        return Minio(host, *keys, secure=False, region="us-east-1")

    async def stored(self, raw: bytes) -> str:
        async def chunks() -> AsyncIterator[bytes]:
            yield raw

        return (await self.store.put(chunks(), max_bytes=len(raw))).sha256

    async def sent(self, name: str, raw: bytes) -> None:
        await send(await self.form(name), raw)

    async def form(self, name: str, most_bytes: int = GIB) -> Form:
        return Form(*await self.exchange.sign_form(name, most_bytes, 60))


@pytest.fixture
def rig(minio_server: MinioServer, tmp_path: Path) -> Rig:
    return Rig(minio_server, tmp_path / "scratch")


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


async def test_what_a_pod_is_told_it_reads_from_its_own_address(rig: Rig) -> None:
    address = await rig.exchange.presign_read("standby/a", 60)
    async with httpx.AsyncClient() as http:
        assert (await http.get(address)).status_code == 404
        await rig.exchange.write("standby/a", b"build this")
        assert (await http.get(address)).content == b"build this"
        assert (await http.get(address.replace("standby/a", "standby/b"))).status_code == 403
    assert await rig.exchange.clear("standby/a") == 1


async def test_a_signed_address_reads_one_blob_and_nothing_else(rig: Rig) -> None:
    one, other = await rig.stored(b"one"), await rig.stored(b"other")
    url = await rig.exchange.presign_get(one, 60)
    async with httpx.AsyncClient() as http:
        assert (await http.get(url)).content == b"one"
        assert (await http.put(url, content=b"changed")).status_code == 403
        elsewhere = url.replace(f"{one[:2]}/{one}", f"{other[:2]}/{other}")
        assert (await http.get(elsewhere)).status_code == 403


async def test_what_a_pod_sent_becomes_a_blob_only_as_it_was_announced(
    rig: Rig, tmp_path: Path
) -> None:
    raw, path = os.urandom(3_000_000), tmp_path / "plan"
    await rig.sent("v/1/plan", raw)
    with pytest.raises(Differs, match="not the one announced"):
        await rig.exchange.take("v/1/plan", path, digest(b"other"), len(raw))
    with pytest.raises(Differs, match="larger"):
        await rig.exchange.take("v/1/plan", path, digest(raw), len(raw) - 1)
    with pytest.raises(Differs, match="is not there"):
        await rig.exchange.take("v/2/plan", path, digest(raw), len(raw))
    taken = await rig.exchange.take("v/1/plan", path, digest(raw), len(raw))
    assert path.read_bytes() == raw
    blob = await rig.exchange.adopt(taken)
    assert (blob.sha256, blob.size_bytes, blob.created) == (digest(raw), len(raw), True)
    assert not (await rig.exchange.adopt(taken)).created
    copy = tmp_path / "copy"
    await rig.store.fetch_to(blob.sha256, copy)
    assert copy.read_bytes() == raw


async def test_what_was_changed_after_it_was_read_is_not_adopted(rig: Rig, tmp_path: Path) -> None:
    raw = b"good" * 100
    await rig.sent("v/1/plan", raw)
    taken = await rig.exchange.take("v/1/plan", tmp_path / "plan", digest(raw), len(raw))
    await rig.sent("v/1/plan", b"evil" * 100)
    with pytest.raises(Differs, match="changed after"):
        await rig.exchange.adopt(taken)
    with pytest.raises(FileNotFoundError):
        await rig.store.fetch_to(digest(raw), tmp_path / "copy")


async def test_a_form_writes_one_object_up_to_its_size_and_nothing_else(
    rig: Rig, tmp_path: Path
) -> None:
    form, file = await rig.form("v/1/plan", 3_000_000), tmp_path / "plan"
    file.write_bytes(os.urandom(3_000_000))
    await send(form, file)
    assert await rig.exchange.read("v/1/plan", 3_000_000) == file.read_bytes()
    with pytest.raises(TransferError, match="400 EntityTooLarge for POST"):
        await send(form, bytes(3_000_001))
    for key in ("builds/v/1/report", "builds/v/2/plan", "tenants/acme/x"):
        with pytest.raises(NotThere, match="403 AccessDenied"):
            await send(Form(form.url, {**form.fields, "key": key}), b"x")
    over = Form(*await rig.exchange.sign_form("v/1/plan", 10, -1))
    with pytest.raises(NotThere, match="403 AccessDenied"):
        await send(over, b"x")
    assert await rig.exchange.read("v/1/plan", 3_000_000) == file.read_bytes()


async def test_a_report_is_read_within_its_bound(rig: Rig) -> None:
    assert await rig.exchange.read("v/1/report", 10) is None
    await rig.sent("v/1/report", b"0123456789")
    assert await rig.exchange.read("v/1/report", 10) == b"0123456789"
    with pytest.raises(Differs, match="larger than 9"):
        await rig.exchange.read("v/1/report", 9)


async def test_clearing_takes_one_build_and_the_sweep_of_blobs_no_other_place(rig: Rig) -> None:
    kept = await rig.stored(b"kept")
    await rig.exchange.place(kept, "acme")
    for name in ("v/1/plan", "v/1/report", "w/1/report"):
        await rig.sent(name, b"x")
    assert sorted(await rig.exchange.builds_older_than(-60)) == [
        "v/1/plan",
        "v/1/report",
        "w/1/report",
    ]
    assert await rig.exchange.builds_older_than(60) == []
    assert await rig.exchange.clear("v/") == 2
    assert await rig.exchange.builds_older_than(-60) == ["w/1/report"]
    assert await rig.exchange.placed_older_than(-60) == [("acme", kept)]
    assert await rig.store.older_than(-60) == [kept]


async def test_a_tenants_keys_read_its_own_place_and_nothing_else(rig: Rig) -> None:
    sha256 = await rig.stored(b"a plan")
    for tenant in ("acme", "rival"):
        await rig.exchange.place(sha256, tenant)
    await rig.exchange.place(sha256, "acme")
    readers = MinioReaders.from_url(rig.url)
    keys = await readers.reader("acme")
    assert await readers.reader("acme") == keys
    assert await readers.reader("rival") != keys
    assert keys.secret_key not in repr(keys)
    theirs = rig.as_tenant(keys)

    def read(name: str) -> bytes:
        answer = theirs.get_object(rig.bucket, name)
        try:
            return answer.read()
        finally:
            answer.close()

    assert await asyncio.to_thread(read, placed("acme", sha256)) == b"a plan"
    for name in (placed("rival", sha256), f"{sha256[:2]}/{sha256}", "builds/v/1/report"):
        with pytest.raises(S3Error, match="AccessDenied"):
            await asyncio.to_thread(read, name)
    with pytest.raises(S3Error, match="AccessDenied"):
        await asyncio.to_thread(theirs.remove_object, rig.bucket, placed("acme", sha256))
    with pytest.raises(S3Error, match="AccessDenied"):
        await asyncio.to_thread(lambda: list(theirs.list_objects(rig.bucket, recursive=True)))

    await rig.exchange.unplace(sha256, "acme")
    await rig.exchange.unplace(sha256, "acme")
    assert await rig.exchange.placed_older_than(-60) == [("rival", sha256)]
    await readers.revoke("acme")
    await readers.revoke("acme")
    with pytest.raises(S3Error, match="InvalidAccessKeyId"):
        await asyncio.to_thread(read, placed("acme", sha256))


async def test_keys_whose_policy_somebody_widened_are_narrowed_again(rig: Rig) -> None:
    readers = MinioReaders.from_url(rig.url)
    keys = await readers.reader("acme")
    everything = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}],
    }
    await asyncio.to_thread(
        readers._admin.update_service_account, access_key=keys.access_key, policy=everything
    )
    await readers.reader("acme")
    with pytest.raises(S3Error, match="AccessDenied"):
        await asyncio.to_thread(lambda: list(rig.as_tenant(keys).list_objects(rig.bucket)))


async def test_what_is_not_stored_cannot_be_placed(rig: Rig) -> None:
    with pytest.raises(FileNotFoundError):
        await rig.exchange.place("ab" * 32, "acme")


async def test_a_store_that_is_gone_is_said_to_be(rig: Rig) -> None:
    url = "s3://k:secret@127.0.0.1:9/bucket?insecure"
    client, bucket = open_client(url, region="us-east-1")
    exchange = S3Exchange(client, client, bucket, "http://127.0.0.1:9")
    with pytest.raises(StoreUnavailable, match="does not answer"):
        await exchange.read("v/1/report", 10)
    with pytest.raises(StoreUnavailable, match="no keys"):
        await MinioReaders.from_url(url).reader("acme")


async def test_a_build_of_a_pod_goes_through_the_real_store(rig: Rig, tmp_path: Path) -> None:
    path, work = tmp_path / "iris.joblib", tmp_path / "work"
    work.mkdir()
    joblib.dump(LogisticRegression(max_iter=300).fit(*load_iris(return_X_y=True)), path)
    sha256 = await rig.stored(path.read_bytes())
    instructions = Instructions(
        source=await rig.exchange.presign_get(sha256, 60),
        plan=await rig.form("v/1/plan"),
        report=await rig.form("v/1/report"),
        answer=await rig.exchange.presign_read("v/1/answer", 60),
        answer_s=5,
        sha256=sha256,
        size_bytes=path.stat().st_size,
        work=str(work),
        deadline_s=60,
        memory_bytes=GIB,
        cpu_s=30,
        wall_s=30,
        decompressed_bytes=GIB,
        work_bytes=GIB,
        file_bytes=GIB,
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "controlplane.builder.remote"),
        env={**os.environ, VARIABLE: instructions.write()},
        stdout=subprocess.DEVNULL,
    )
    assert await process.wait() == 0
    raw = await rig.exchange.read("v/1/report", GIB)
    assert raw is not None
    sent = decode(raw, most_plan_bytes=GIB)
    assert sent.plan_sha256 is not None
    plan = tmp_path / "plan"
    taken = await rig.exchange.take("v/1/plan", plan, sent.plan_sha256, sent.plan_size_bytes)
    assert with_plan(sent, plan).outcome is Outcome.PLAN
    assert (await rig.exchange.adopt(taken)).sha256 == sent.plan_sha256

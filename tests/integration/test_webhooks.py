"""Webhooks, sent to a real receiver: what is told, how it is tried again, where it may not go."""

import asyncio
import json
import socket
import ssl
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError
from tortoise import connections

from controlplane.loadtests import service as loadtests
from controlplane.models import service as models
from controlplane.reconciler.webhooks import Deliveries
from controlplane.webhooks import service
from controlplane.webhooks.addresses import networks
from controlplane.webhooks.retrying import GIVEN_UP_AFTER, Outcome
from controlplane.webhooks.sending import KEPT_BYTES, Sender
from controlplane.webhooks.service import KEPT, Message
from controlplane.webhooks.signing import spelled
from tests.cluster.pki import Authority
from tests.integration.api import Api, running_api
from tests.integration.quick_builds import QuickBuilder
from tests.integration.receiver import Receiver, receiver
from tests.integration.test_api_registry import OCTETS, until_built
from tests.integration.test_builds_crash import Process, database  # noqa: F401  (a fixture)

PICKLE = b"\x80\x04N."
HERE = "127.0.0.0/8"
OWN = networks(HERE)
PATH = "/v1/webhooks"
SECRET = spelled(b"k" * 32)


@pytest.fixture
async def api(
    postgres_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Api]:
    async def nothing(_: int) -> list[Any]:
        return []

    monkeypatch.setattr(loadtests, "take_waiting", nothing)
    given = {"webhook_networks": HERE, "tenant_webhooks": 3}
    async with running_api(postgres_server, tmp_path, QuickBuilder(), **given) as running:
        yield running


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)


async def must(api: Api, method: str, path: str, body: Any = None, status: int = 0) -> Any:
    sent = {"json": body} if body is not None else {}
    answer = await api.http.request(method, path, **sent)
    assert answer.status_code == status or (not status and answer.is_success), answer.text
    return answer.json() if answer.content else None


async def added(api: Api, hook: Receiver, *events: str) -> dict[str, Any]:
    body = {"url": hook.url()} | ({"events": list(events)} if events else {})
    return dict(await must(api, "POST", PATH, body, 201))


async def last(api: Api, made: dict[str, Any]) -> dict[str, Any]:
    return dict((await must(api, "GET", f"{PATH}/{made['id']}/deliveries"))["items"][0])


async def settled(api: Api, made: dict[str, Any], state: str, tries: int = 1) -> dict[str, Any]:
    """Wait until the newest delivery is in a state and was tried so often."""
    async with asyncio.timeout(20):
        while True:
            found = await last(api, made)
            if found["state"] == state and len(found["tries"]) >= tries:
                return found
            await asyncio.sleep(0.02)


async def due_now(api: Api) -> None:
    """Let the clock of retries run to what is due next."""
    await api.execute("UPDATE webhook_deliveries SET next_at = now() WHERE state = 'pending'")
    api.app.state.parts._heard("webhooks", "")


async def push(api: Api, content: bytes = PICKLE) -> None:
    await api.http.post("/v1/models/iris/versions", content=content, headers=OCTETS)


async def test_what_happens_is_told_signed_and_kept_as_told(api: Api, hook: Receiver) -> None:
    made = await added(api, hook)
    some = await added(api, hook, "release.*")
    await push(api)
    await until_built(api, "iris", 1)
    await must(api, "POST", "/v1/endpoints/iris/releases", {"model": "iris"}, 201)
    await must(api, "POST", "/v1/endpoints/iris/releases", {"model": "iris"}, 201)
    await must(api, "POST", "/v1/endpoints/iris/rollback", {"to": 1}, 201)
    shape = {"kind": "steady", "rate": 1, "duration": "1s"}
    test = await must(api, "POST", "/v1/loadtests", {"endpoint": "iris", "shape": shape}, 201)
    await must(api, "POST", f"/v1/loadtests/{test['id']}/cancel", status=202)

    def told(secret: str) -> list[dict[str, Any]]:
        found = [one for one in [*hook.came] if _is_of(one, secret)]
        return [one.verified(secret) for one in found]

    await until(lambda: {"loadtest.finished"} <= {one["type"] for one in told(made["secret"])})
    await until(lambda: len(told(some["secret"])) == 4)
    by_type = {one["type"]: one["data"] for one in told(made["secret"])}
    assert by_type["version.ready"] == {
        "tenant": "default", "model": "iris", "version": 1, "backend": "fallback",
        "fallback_because": "nobody looked",
        "sha256": (await must(api, "GET", "/v1/models/iris/versions/1"))["sha256"],
    }  # fmt: skip
    assert by_type["release.rolled_back"]["automatic"] is False
    assert by_type["release.rolled_back"]["endpoint"] == "iris"
    assert (by_type["loadtest.finished"]["loadtest"], by_type["loadtest.finished"]["state"]) == (
        test["id"],
        "interrupted",
    )
    types = sorted(one["type"] for one in told(some["secret"]))
    assert types == ["release.created"] * 3 + ["release.rolled_back"]
    done = await settled(api, some, "delivered")
    assert (done["status"], done["response"], done["attempts"]) == (200, "thanks", 1)
    assert done["message_id"] in {one.headers["webhook-id"] for one in hook.came}
    ids = [(one.headers["webhook-id"], one.headers["webhook-signature"]) for one in hook.came]
    assert len(set(ids)) == len(ids)
    assert made["secret"] not in json.dumps(await must(api, "GET", PATH))


def _is_of(came: Any, secret: str) -> bool:
    try:
        came.verified(secret)
    except WebhookVerificationError:
        return False
    return True


async def test_rollouts_and_versions_that_fail_are_told_too(api: Api, hook: Receiver) -> None:
    made = await added(api, hook, "rollout.*", "version.failed")
    for number, content in ((1, PICKLE), (2, PICKLE + b"2")):
        await push(api, content)
        await until_built(api, "iris", number)
    await must(api, "POST", "/v1/endpoints/iris/releases", {"model": "iris", "version": 1}, 201)
    await must(api, "POST", "/v1/endpoints/iris/rollouts", {"model": "iris", "version": 2}, 201)
    await must(api, "POST", "/v1/endpoints/iris/rollouts/1/cancel")
    await api.execute("UPDATE versions SET state = 'building' WHERE number = 2")
    query = "SELECT id FROM versions WHERE number = 2"
    (row,) = await connections.get("default").execute_query_dict(query)
    assert await models.build_failed(row["id"], "It is no model.", "Push one.", None)
    await until(lambda: len(hook.came) == 3)
    told = {one.verified(made["secret"])["type"]: one.verified(made["secret"])["data"]
            for one in hook.came}  # fmt: skip
    assert told["rollout.started"]["candidate"]["version"] == 2
    assert (told["rollout.stopped"]["state"], told["rollout.stopped"]["percent"]) == (
        "cancelled",
        0,
    )
    assert told["version.failed"]["reason"] == "It is no model."


async def test_what_a_receiver_does_not_take_is_tried_again_with_the_same_id(
    api: Api, hook: Receiver
) -> None:
    made = await added(api, hook)
    hook.answer = lambda n: (500, {}, b"no \xff\0" + b"x" * 5000) if n < 3 else (204, {}, b"")
    await must(api, "POST", f"{PATH}/{made['id']}/test", status=202)
    await until(lambda: len(hook.came) == 1)
    failed = await settled(api, made, "pending")
    assert (failed["status"], failed["attempts"]) == (500, 1)
    assert len(failed["response"]) <= KEPT_BYTES
    assert failed["response"].startswith("no \ufffd\ufffdxx")
    assert failed["next_at"] > datetime.now(UTC).isoformat()
    assert (await must(api, "GET", f"{PATH}/{made['id']}"))["failing_since"]
    why = await must(api, "GET", f"{PATH}/{made['id']}/why")
    assert (why["about"], why["reason"], why["ok"]) == (f"webhook:{made['id']}", "Failing", False)
    assert any("status 500" in fact for fact in why["evidence"])
    await due_now(api)
    await settled(api, made, "pending", 2)
    await due_now(api)
    done = await settled(api, made, "delivered", 3)
    assert [one["status"] for one in done["tries"]] == [500, 500, 204]
    assert len({one.headers["webhook-id"] for one in hook.came}) == 1
    assert len({one.body for one in hook.came}) == 1
    assert all(one.verified(made["secret"]) for one in hook.came)
    assert (await must(api, "GET", f"{PATH}/{made['id']}"))["failing_since"] is None
    assert (await must(api, "GET", f"{PATH}/{made['id']}/why"))["reason"] == "Delivering"


async def test_redelivery_sends_the_same_message_anew(api: Api, hook: Receiver) -> None:
    made = await added(api, hook)
    await must(api, "POST", f"{PATH}/{made['id']}/test", status=202)
    done = await settled(api, made, "delivered")
    path = f"{PATH}/{made['id']}/deliveries/{done['id']}"
    assert await must(api, "GET", path) == done
    again = await must(api, "POST", f"{path}/redeliver", status=202)
    assert (again["state"], again["attempts"]) == ("pending", 0)
    await until(lambda: len(hook.came) == 2)
    assert len({(one.headers["webhook-id"], one.body) for one in hook.came}) == 1
    assert len((await settled(api, made, "delivered", 2))["tries"]) == 2
    assert len((await must(api, "GET", f"{PATH}/{made['id']}/deliveries"))["items"]) == 1


async def test_while_a_secret_is_replaced_both_are_good(api: Api, hook: Receiver) -> None:
    made = await added(api, hook)
    new = await must(api, "POST", f"{PATH}/{made['id']}/rotate", {"overlap_s": 600})
    await must(api, "POST", f"{PATH}/{made['id']}/test", status=202)
    await until(lambda: len(hook.came) == 1)
    assert hook.types(made["secret"]) == hook.types(new["secret"]) == ["webhook.test"]
    newest = await must(api, "POST", f"{PATH}/{made['id']}/rotate", {"overlap_s": 0})
    await must(api, "POST", f"{PATH}/{made['id']}/test", status=202)
    await until(lambda: len(hook.came) == 2)
    assert hook.came[1].verified(newest["secret"])
    for former in (made["secret"], new["secret"]):
        assert not _is_of(hook.came[1], former)


async def test_one_that_somebody_disabled_is_no_fault(api: Api, hook: Receiver) -> None:
    made = await added(api, hook)
    await must(api, "PATCH", f"{PATH}/{made['id']}", {"enabled": False})
    why = await must(api, "GET", f"{PATH}/{made['id']}/why")
    assert (why["reason"], why["ok"]) == ("Disabled", True)
    assert "webhooks enable" in why["next_step"]
    assert "Mend" not in why["next_step"]


async def test_one_that_is_gone_or_fails_for_days_is_disabled_until_it_is_enabled(
    api: Api, hook: Receiver
) -> None:
    made = await added(api, hook)
    hook.answer = lambda n: (410, {}, b"") if n == 1 else (500, {}, b"")
    await must(api, "POST", f"{PATH}/{made['id']}/test", status=202)
    await settled(api, made, "pending")
    shown = await must(api, "GET", f"{PATH}/{made['id']}")
    assert (shown["enabled"], "410" in shown["disabled_because"]) == (False, True)
    event = (await api.audited("default"))[-1]
    assert (event["action"], event["subject"]) == ("webhook.disable", f"webhook:{made['id']}")
    why = await must(api, "GET", f"{PATH}/{made['id']}/why")
    assert (why["reason"], why["ok"]) == ("Disabled", False)
    assert "webhooks enable" in why["next_step"]
    await due_now(api)
    refused = await must(api, "POST", f"{PATH}/{made['id']}/test", status=409)
    assert "disabled" in refused["detail"]
    assert len(hook.came) == 1
    await must(api, "PATCH", f"{PATH}/{made['id']}", {"enabled": True})
    await settled(api, made, "pending", 2)
    ago = datetime.now(UTC) - GIVEN_UP_AFTER - timedelta(seconds=1)
    await api.execute("UPDATE webhooks SET failing_since = $1", ago)
    await due_now(api)
    await until(lambda: len(hook.came) == 3)
    async with asyncio.timeout(20):
        while (shown := await must(api, "GET", f"{PATH}/{made['id']}"))["enabled"]:
            await asyncio.sleep(0.02)
    assert "5 days" in shown["disabled_because"]
    hook.answer = lambda _: (200, {}, b"")
    await must(api, "PATCH", f"{PATH}/{made['id']}", {"enabled": True})
    await settled(api, made, "delivered")


async def test_a_slow_receiver_holds_up_nobody_else(api: Api, hook: Receiver) -> None:
    release = threading.Event()
    with receiver() as slow:
        slow.answer = lambda _: (release.wait(60) and None) or (200, {}, b"")
        stuck, quick = await added(api, slow), await added(api, hook)
        for _ in range(8):
            await must(api, "POST", f"{PATH}/{stuck['id']}/test", status=202)
        await until(lambda: len(slow.came) == 2)  # no more at a time of one webhook
        await must(api, "POST", f"{PATH}/{quick['id']}/test", status=202)
        await settled(api, quick, "delivered")
        assert len(slow.came) == 2
        release.set()
        await until(lambda: len(slow.came) == 8)


async def test_a_message_cut_off_before_it_was_kept_as_sent_comes_again(
    api: Api, hook: Receiver
) -> None:
    made = await added(api, hook)
    cut = asyncio.Event()

    class Cut(Sender):
        async def send(self, message: Message) -> Outcome:
            await super().send(message)
            cut.set()
            await asyncio.Event().wait()
            raise AssertionError

    api.app.state.parts.work.may_act = lambda: False  # the leader stands still meanwhile
    before = Deliveries(Cut(OWN), api.app.state.oauth, lambda: True)
    running = asyncio.create_task(before.run())
    await must(api, "POST", f"{PATH}/{made['id']}/test", status=202)
    before.wake()
    async with asyncio.timeout(20):
        await cut.wait()
    running.cancel()
    await before.close()
    assert len(hook.came) == 1
    api.app.state.parts.work.may_act = lambda: True
    await settled(api, made, "delivered")
    assert len({(one.headers["webhook-id"], one.body) for one in hook.came}) == 1
    assert len(hook.came) == 2


async def test_it_is_kept_within_a_quota_and_is_nobody_elses(api: Api, hook: Receiver) -> None:
    made = [await added(api, hook) for _ in range(3)]
    refused = await must(api, "POST", PATH, {"url": hook.url()}, 403)
    assert (refused["type"], refused["quota"]) == ("/problems/quota-exceeded", "webhooks")
    assert (await must(api, "GET", "/v1/quota"))["webhooks"]["used"] == 3
    rival = await api.another_tenant("rival")
    wanted = {"name": "x", "tenant": "rival", "scopes": ["admin"]}
    client = await must(api, "POST", "/v1/clients", wanted, 201)
    rival.client_id, rival.client_secret = client["id"], client["secret"]
    await rival.sign_in()
    assert (await must(rival, "GET", PATH))["items"] == []
    await must(rival, "GET", f"{PATH}/{made[0]['id']}", status=404)
    await push(rival)
    await must(api, "DELETE", f"{PATH}/{made[0]['id']}", status=204)
    await must(api, "GET", f"{PATH}/{made[0]['id']}/deliveries", status=404)
    await until_built(rival, "iris", 1)
    assert hook.came == []  # what happens to one tenant is no event of another


async def test_what_cannot_be_is_refused_with_the_reason(api: Api) -> None:
    for body, says in (
        ({"url": "http://169.254.169.254/"}, "KUBESERVE_WEBHOOK_NETWORKS"),
        ({"url": "https://x.example/", "events": ["version.built"]}, "version.ready"),
        ({"url": "https://x.example/", "events": []}, "events"),
        ({"url": "https://x.example/", "secret": "mine"}, "secret"),
    ):
        answer = await api.http.post(PATH, json=body)
        assert answer.status_code == 422
        assert says in answer.text
    assert (await must(api, "GET", PATH))["items"] == []


async def test_old_events_are_forgotten_with_their_deliveries(api: Api, hook: Receiver) -> None:
    made = await added(api, hook)
    await must(api, "POST", f"{PATH}/{made['id']}/test", status=202)
    await settled(api, made, "delivered")
    assert await service.forget(datetime.now(UTC)) == 0
    assert await service.forget(datetime.now(UTC) + KEPT) == 1
    assert (await must(api, "GET", f"{PATH}/{made['id']}/deliveries"))["items"] == []


# Where a message goes


def message(url: str) -> Message:
    return Message(1, uuid.uuid4(), "acme", url, "msg_1", "webhook.test", b"{}", (SECRET,))


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[Receiver, Path]]:
    authority = Authority(tmp_path)
    authority.issue("hook", "hook", names=["localhost", "127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "hook.crt", tmp_path / "hook.key")
    with receiver(context) as found:
        yield found, tmp_path / "ca.crt"


async def test_certificates_are_checked_by_the_name_that_was_given(
    tls: tuple[Receiver, Path],
) -> None:
    hook, authority = tls
    trusted = Sender(OWN, ssl.create_default_context(cafile=str(authority)))
    assert (await trusted.send(message(hook.url("localhost")))).status == 200
    assert hook.came[0].headers["host"] == f"localhost:{hook.port}"
    assert hook.came[0].verified(SECRET) == {}
    unknown = await Sender(OWN).send(message(hook.url("localhost")))
    assert (unknown.ok, "certificate verify failed" in str(unknown.error)) == (False, True)
    other = await trusted.send(message(hook.url("127.0.0.2")))
    assert (other.ok, other.status) == (False, None)
    assert len(hook.came) == 1


async def test_a_name_that_leads_inside_is_not_followed_whatever_it_says_a_moment_later(
    hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [["93.184.215.14"], ["127.0.0.1"]]
    asked: list[str] = []

    def rebound(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    url = f"https://rebound.example:{hook.port}/"
    first = await Sender(deadline_s=2).send(message(url))  # to the address that was looked at
    assert (first.status, hook.came) == (None, [])
    second = await Sender(deadline_s=2).send(message(url))
    assert "127.0.0.1, which is not of the public internet" in str(second.error)
    assert (asked, hook.came) == (["rebound.example"] * 2, [])


async def test_without_networks_nothing_of_this_machine_is_reached(hook: Receiver) -> None:
    for host in ("127.0.0.1", "localhost", "127.1", "0", "2130706433", "[::1]", "[::ffff:7f00:1]"):
        for scheme in ("http", "https"):
            url = f"{scheme}://{host}:{hook.port}/"
            outcome = await Sender(deadline_s=5).send(message(url))
            assert outcome.status is None, url
            assert outcome.error, url
    assert hook.came == []


async def test_redirects_are_answers_and_are_not_followed(hook: Receiver) -> None:
    with receiver() as inside:
        hook.answer = lambda _: (307, {"location": inside.url()}, b"")
        outcome = await Sender(OWN).send(message(hook.url()))
        assert (outcome.status, outcome.ok, inside.came) == (307, False, [])


async def test_an_endless_or_late_answer_ends_by_the_deadline(hook: Receiver) -> None:
    hook.answer = lambda _: (200, {"content-length": str(1 << 40)}, b"x" * 100_000)
    endless = await Sender(OWN, deadline_s=5).send(message(hook.url()))
    assert (endless.status, len(endless.response)) == (200, KEPT_BYTES)
    release = threading.Event()
    hook.answer = lambda _: (release.wait(30) and None) or (200, {}, b"")
    late = await Sender(OWN, deadline_s=0.3).send(message(hook.url()))
    release.set()
    assert (late.status, late.error) == (None, "no answer within 0.3 s")


async def test_what_nobody_thought_of_is_an_attempt_in_vain_too(
    hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise LookupError("of somebody's")

    monkeypatch.setattr(Sender, "_post", broken)
    outcome = await Sender(OWN).send(message(hook.url()))
    assert (outcome.ok, outcome.error) == (False, "not sent: LookupError")


async def test_retry_after_is_read(hook: Receiver) -> None:
    hook.answer = lambda _: (429, {"retry-after": "120"}, b"")
    outcome = await Sender(OWN).send(message(hook.url()))
    assert outcome.retry_after == timedelta(seconds=120)


# Over processes


async def test_what_happened_before_a_crash_is_told_after_it(
    database: str, tmp_path: Path, hook: Receiver  # noqa: F811  (the fixture)
) -> None:
    process = Process(database, tmp_path, KUBESERVE_WEBHOOK_NETWORKS=HERE)
    await asyncio.to_thread(process.start)
    try:
        process.sign_in()
        hook.answer = lambda _: (503, {}, b"")
        made = process.http.post(PATH, json={"url": hook.url()}).json()
        sent = process.http.post(f"{PATH}/{made['id']}/test").json()
        await asyncio.to_thread(process.kill)
        before = len(hook.came)
        hook.answer = lambda _: (200, {}, b"")
        await asyncio.to_thread(process.start)
        process.sign_in()
        path = f"{PATH}/{made['id']}/deliveries/{sent['id']}"
        await until(lambda: process.http.get(path).json()["state"] == "delivered")
        assert len(hook.came) > before
        assert hook.types(made["secret"]) == ["webhook.test"] * len(hook.came)
        assert {one.headers["webhook-id"] for one in hook.came} == {sent["message_id"]}
        assert made["secret"] not in (tmp_path / "api.log").read_text()
    finally:
        await asyncio.to_thread(process.stop)

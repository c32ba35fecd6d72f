"""Trying an endpoint from the control plane: who is asked, with what, and the bounds of it."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from controlplane.endpoints import trying
from controlplane.endpoints.trying import AT_ONCE, MOST_ANSWER_BYTES, Place, Trier, place_of
from runtime.problems import (
    Conflict,
    DeadlinePassed,
    EngineUnavailable,
    InvalidInput,
    Problem,
    RateLimited,
    TooLarge,
)

BY = ("user:ada", "browser")
ENDPOINT = uuid.UUID(int=7)


async def token_for(by: tuple[str, str], tenant: str, endpoint: uuid.UUID) -> str:
    return f"token-of-{by[0]}-{tenant}-{endpoint.int}"


@dataclass
class Server:
    """An endpoint: keeps the heads and bodies that it gets, and gives `answer`."""

    answer: bytes = b""
    url: str = ""
    heads: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def says(self, status: str, body: bytes) -> None:
        head = f"HTTP/1.1 {status}\r\nk-revision: iris-00002\r\ncontent-length: {len(body)}\r\n\r\n"
        self.answer = head.encode() + body
        self.go_on.set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        self.heads.append({":path": head[0].split()[1], **fields})
        self.bodies.append(await reader.readexactly(int(fields["content-length"])))
        await self.go_on.wait()
        writer.write(self.answer)
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield made
    made.go_on.set()
    listening.close()
    await listening.wait_closed()


async def test_an_endpoint_is_asked_with_a_token_of_its_own(server: Server) -> None:
    server.says("200 OK", b'{"predictions": [1]}')
    place = Place(server.url, "candidate")
    answer = await Trier(token_for).ask(BY, "acme", ENDPOINT, place, {"rows": [[1.5]]})
    assert (answer.status, answer.body) == (200, {"predictions": [1]})
    assert answer.revision == "iris-00002"
    assert answer.took_ms > 0
    [head] = server.heads
    assert head[":path"] == "/predict"
    assert head["authorization"] == "bearer token-of-user:ada-acme-7"
    assert head["knative-serving-tag"] == "candidate"
    assert json.loads(server.bodies[0]) == {"rows": [[1.5]]}


async def test_a_refusal_is_an_answer(server: Server) -> None:
    server.says("422 Unprocessable", b'{"title": "no", "errors": [{"row": 0}]}')
    answer = await Trier(token_for).ask(BY, "acme", ENDPOINT, Place(server.url), [[]])
    assert (answer.status, answer.body["errors"]) == (422, [{"row": 0}])


async def test_where_names_do_not_resolve_an_ingress_is_asked(server: Server) -> None:
    server.says("503 Away", b"no healthy upstream")
    place = Place("http://iris.acme.example.com")
    answer = await Trier(token_for, server.url + "/").ask(BY, "acme", ENDPOINT, place, [[1]])
    assert (answer.status, answer.body) == (503, "no healthy upstream")
    assert server.heads[0]["host"] == "iris.acme.example.com"


async def test_an_answer_is_read_up_to_a_bound(server: Server) -> None:
    server.says("200 OK", b" " * (MOST_ANSWER_BYTES + 1))
    with pytest.raises(TooLarge, match="fewer rows"):
        await Trier(token_for).ask(BY, "acme", ENDPOINT, Place(server.url), [[1]])


async def test_nobody_waits_for_ever(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "START_S", 0.05)
    place = Place(server.url, timeout_s=0.05)
    with pytest.raises(DeadlinePassed):
        await Trier(token_for).ask(BY, "acme", ENDPOINT, place, [[1]])


async def test_an_endpoint_that_is_away_is_a_problem_of_the_engine() -> None:
    with pytest.raises(EngineUnavailable, match="ConnectError"):
        await Trier(token_for).ask(BY, "acme", ENDPOINT, Place("http://127.0.0.1:1"), [[1]])


async def test_a_tenant_tries_a_few_at_once_and_no_other_waits_for_it(server: Server) -> None:
    trier = Trier(token_for)

    def ask(tenant: str) -> asyncio.Task[trying.Answered]:
        return asyncio.create_task(trier.ask(BY, tenant, ENDPOINT, Place(server.url), [[1]]))

    waiting = [ask("acme") for _ in range(AT_ONCE)]
    async with asyncio.timeout(10):
        while len(server.heads) < AT_ONCE:
            await asyncio.sleep(0)
        with pytest.raises(RateLimited):
            await ask("acme")
        other = ask("globex")
        server.says("200 OK", b"{}")
        assert {one.status for one in await asyncio.gather(*waiting, other)} == {200}
        assert (await ask("acme")).status == 200
    assert not trier._under_way


@pytest.mark.parametrize(
    ("tag", "url", "found"),
    [
        (None, "http://a", lambda: Place("http://a", None, 60.0)),
        ("new", "http://a", lambda: Place("http://new", "new", 60.0)),
        ("old", "http://a", InvalidInput),
        (None, None, Conflict),
    ],
    ids=["the endpoint", "a tag", "no such tag", "no address yet"],
)
def test_where_an_endpoint_answers(
    tag: str | None, url: str | None, found: Callable[[], Place] | type[Problem]
) -> None:
    revisions = [{"tag": "new", "tag_url": "http://new"}, {"tag": None, "tag_url": None}]
    document = {"url": url, "timeout_s": 60.0, "revisions": revisions}
    if isinstance(found, type):
        with pytest.raises(found):
            place_of(document, tag)
    else:
        assert place_of(document, tag) == found()

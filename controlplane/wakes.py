"""Rows written by any replica wake the one that leads: Postgres tells when they are committed.

A wake may be lost, doubled or late: it only says "look now". Whoever listens looks at everything
when it has not heard for a while.
"""

import asyncio
import logging
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

import asyncpg
from tortoise import connections

log = logging.getLogger("kubeserve.wakes")
CHANNEL: Final = "kubeserve"
ALIVE_EVERY_S: Final = 10.0
ANSWER_S: Final = 5.0
AGAIN_S: Final = 1.0


class Wake(StrEnum):
    """What there is to look at; ALL: anything may have been missed."""

    VERSIONS = "versions"
    ENDPOINT = "endpoint"
    KEYS = "keys"
    LIMITS = "limits"
    LOADTEST = "loadtest"
    WEBHOOKS = "webhooks"
    LEADER = "leader"
    ALL = "all"


Heard = Callable[[Wake, str], None]


async def tell(wake: Wake, key: str = "") -> None:
    """Tell every replica; within a transaction, when and if it is committed."""
    payload = f"{wake} {key}".rstrip()
    await connections.get("default").execute_query("SELECT pg_notify($1, $2)", [CHANNEL, payload])


async def listen(url: str, heard: Heard, *, alive_every_s: float = ALIVE_EVERY_S) -> None:
    """Call `heard` for each wake until cancelled; with ALL whenever there is a new connection."""
    while True:
        try:
            await _listen(url, heard, alive_every_s)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("the database is not heard any more: %s", error or type(error).__name__)
        await asyncio.sleep(AGAIN_S)


async def _listen(url: str, heard: Heard, alive_every_s: float) -> None:
    connection = await asyncpg.connect(
        url.replace("asyncpg://", "postgresql://", 1), timeout=ANSWER_S
    )
    ended = asyncio.Event()
    connection.add_termination_listener(lambda _: ended.set())
    try:
        await connection.add_listener(CHANNEL, lambda *said: _pass_on(heard, said[3]))
        heard(Wake.ALL, "")
        while not ended.is_set():
            # A connection that was cut off says nothing by itself.
            await connection.execute("SELECT 1", timeout=ANSWER_S)
            try:
                async with asyncio.timeout(alive_every_s):
                    await ended.wait()
            except TimeoutError:
                continue
    finally:
        connection.terminate()


def _pass_on(heard: Heard, payload: Any) -> None:
    word, _, key = str(payload).partition(" ")
    try:
        wake = Wake(word)
    except ValueError:
        log.info("a wake of another release: %r", word)  # while replicas of two releases run
        return
    try:
        heard(wake, key)
    except Exception:
        log.exception("a wake was not followed")

"""`kubeserve login` with the browser of this machine: code, PKCE and a loopback redirect."""

import asyncio
import json
import os
import re
import stat
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from controlplane.client import BadAnswer, TimedOut, loopback
from controlplane.client.login import LoginFile
from tests.integration.api import Api
from tests.integration.people import Browser
from tests.integration.test_login import home, kubeserve
from tests.integration.test_oauth_stock_clients import browser, server

__all__ = ["browser", "home", "server"]
PLACE = re.compile(r"http://127\.0\.0\.1:\d+")
WITHIN_S = 60.0


async def begun(server: Api, home: Path) -> tuple[asyncio.subprocess.Process, str]:
    """Start the command; gives it, and the address that it would have opened."""
    address = str(server.http.base_url).rstrip("/")
    process = await kubeserve(home, "--json", "login", "--browser", address)
    assert process.stderr is not None
    line = (await process.stderr.readline()).decode()
    found = PLACE.search(line)
    assert found, line + (await process.stderr.read()).decode()
    return process, found[0]


async def decided(browser: Browser, place: str, decision: str = "allow") -> str:
    """Go the way of a sign-in up to the address the browser comes back with."""
    sent_on = await browser.http.get(place)
    assert sent_on.status_code == 303, sent_on.text
    page = await browser.http.get(sent_on.headers["location"])
    assert place in page.text
    answer = await browser.press(page, decision=decision)
    assert answer.status_code == 303
    back = str(answer.headers["location"])
    assert back.startswith(f"{place}/callback?")
    return back


async def test_the_way_of_a_sign_in_with_a_browser(
    server: Api, browser: Browser, home: Path
) -> None:
    process, place = await begun(server, home)
    back = await decided(browser, place)
    shown = await browser.http.get(back)
    assert (shown.status_code, "You are signed in" in shown.text) == (200, True)
    assert shown.headers["cache-control"] == "no-store"
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    who = json.loads(out)
    assert (who["email"], who["tenant"]) == ("ada@example.com", "default")
    assert stat.S_IMODE((home / "login.json").stat().st_mode) == 0o600
    assert re.search(r"code=|state=|ksr_", err.decode()) is None
    actions = [event["action"] for event in await server.audited("default")]
    assert actions[-2:] == ["consent.give", "grant.create"]
    # Any program could listen there, so the next time a person is asked again.
    process, place = await begun(server, home)
    await browser.http.get(await decided(browser, place))
    assert await process.wait() == 0


async def test_who_denies_is_told_so_on_both_sides(
    server: Api, browser: Browser, home: Path
) -> None:
    process, place = await begun(server, home)
    shown = await browser.http.get(await decided(browser, place, "deny"))
    assert "You are not signed in" in shown.text
    _, err = await process.communicate()
    assert (process.returncode, "Not signed in" in err.decode()) == (1, True)
    assert not (home / "login.json").exists()


async def test_only_the_browser_that_began_finishes(
    server: Api, browser: Browser, home: Path
) -> None:
    process, place = await begun(server, home)
    back = await decided(browser, place)
    async with httpx.AsyncClient() as stranger:
        assert (await stranger.get(place)).status_code == 409
        assert (await stranger.get(back)).status_code == 400
        elsewhere = {"host": "evil.example"}
        assert (await stranger.get(place, headers=elsewhere)).status_code == 404
        assert (await stranger.get(f"{place}/favicon.ico")).status_code == 404
        assert (await stranger.post(place)).status_code == 501
    for wrong in (f"{place}/callback", f"{back}&state=x", re.sub("state=", "state=x", back)):
        assert (await browser.http.get(wrong)).status_code == 400
    assert (await browser.http.get(place)).status_code == 303  # it may begin once more
    assert "You are signed in" in (await browser.http.get(back)).text
    assert await process.wait() == 0


async def test_a_browser_is_opened_by_itself_where_there_is_one(
    server: Api, browser: Browser, home: Path, tmp_path: Path
) -> None:
    script, told = tmp_path / "browser", tmp_path / "told"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {told}.part && mv {told}.part {told}\n')
    script.chmod(0o755)
    ours, theirs = os.openpty()
    env = {name: value for name, value in os.environ.items() if "KUBESERVE_" not in name}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "controlplane.cli.main", "login", str(server.http.base_url)),
        env={**env, "KUBESERVE_HOME": str(home), "BROWSER": str(script)},
        stdout=asyncio.subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        async with asyncio.timeout(WITHIN_S):
            while not told.exists():
                await asyncio.sleep(0.02)
        # All that others see in the list of processes.
        [place] = told.read_text().splitlines()
        assert PLACE.fullmatch(place)
        await browser.http.get(await decided(browser, place))
        out, _ = await process.communicate()
    finally:
        os.close(ours)
    assert (process.returncode, b"Signed in at" in out) == (0, True)


async def test_without_a_browser_it_is_the_devices_way(
    server: Api, browser: Browser, home: Path
) -> None:
    for option in ([], ["--device"]):
        process = await kubeserve(home, *("login", *option, str(server.http.base_url)))
        assert process.stderr is not None
        line = (await process.stderr.readline()).decode()
        code = re.search(r"code ([A-Z-]{9})", line)
        assert code, line
        await browser.decide(code[1], "deny")
        assert await process.wait() == 1


Signing = Callable[..., Any]


@pytest.fixture
async def signing(server: Api, home: Path) -> AsyncIterator[Signing]:
    """Sign in within this process, beside the test."""
    address = str(server.http.base_url).rstrip("/")

    def start(opened: Callable[[str], bool], within_s: float = WITHIN_S) -> Any:
        file = LoginFile(home / "login.json")
        return asyncio.to_thread(loopback.sign_in, address, file, opened, within_s)

    yield start
    assert not (home / "login.json").exists()


async def test_it_ends_when_nobody_comes_and_when_nothing_opens(signing: Signing) -> None:
    with pytest.raises(TimedOut, match="--device"):
        await signing(lambda _: True, 0.05)
    assert await signing(lambda _: False) is None


async def test_an_answer_of_another_server_is_not_taken(signing: Signing, browser: Browser) -> None:
    places: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def opened(place: str) -> bool:
        loop.call_soon_threadsafe(places.put_nowait, place)
        return True

    waiting = asyncio.ensure_future(signing(opened))
    back = await decided(browser, await places.get())
    shown = await browser.http.get(re.sub("iss=[^&]*", "iss=https%3A%2F%2Fevil.example", back))
    assert "evil.example" in shown.text
    with pytest.raises(BadAnswer, match=r"evil\.example"):
        await waiting

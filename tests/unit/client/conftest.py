"""The sync and the async client behind one face, so that each test runs with both."""

import asyncio
import inspect

import pytest

from controlplane.client import AsyncClient, Client, RetryPolicy
from tests.unit.client.fake_api import FakeApi

SECRET = "s:cret /"
FAST = RetryPolicy(first_s=0.001, most_s=0.002)


class Awaited:
    """An async client called as the sync one is."""

    def __init__(self, url, **options):
        self.loop = asyncio.new_event_loop()
        try:
            self.inner = self.loop.run_until_complete(self._open(url, options))
        except BaseException:
            self.loop.close()
            raise

    async def _open(self, url, options):
        return AsyncClient(url, "c-1", SECRET, **options)

    def __getattr__(self, name):
        found = getattr(self.inner, name)
        if not callable(found):
            return found

        def call(*args, **kwargs):
            made = found(*args, **kwargs)
            if inspect.isasyncgen(made):
                return self._lines(made)
            return self.loop.run_until_complete(made) if inspect.isawaitable(made) else made

        return call

    def _lines(self, made):
        try:
            while True:
                try:
                    yield self.loop.run_until_complete(anext(made))
                except StopAsyncIteration:
                    return
        finally:
            self.loop.run_until_complete(made.aclose())

    def close(self):
        self.loop.run_until_complete(self.inner.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


@pytest.fixture
def api():
    made = FakeApi()
    yield made
    made.close()


@pytest.fixture(params=["sync", "async"])
def connect(request, api):
    opened = []

    def make(url=None, **options):
        options = {"retries": FAST, **options}
        if request.param == "sync":
            opened.append(Client(url or api.url, "c-1", SECRET, **options))
        else:
            opened.append(Awaited(url or api.url, **options))
        return opened[-1]

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def client(connect):
    return connect()

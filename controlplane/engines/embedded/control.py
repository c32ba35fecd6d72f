"""The supervisor's socket: JSON lines, one request one answer (see ARCHITECTURE.md)."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from controlplane.engines.embedded.ledger import PortsExhausted
from controlplane.engines.embedded.logs import EndpointLog
from controlplane.engines.embedded.pool import Pool
from controlplane.engines.embedded.wire import (
    LocalEndpoint,
    WireError,
    endpoint_from,
    observed_to_json,
)
from controlplane.engines.engine import EndpointId, Metered, ObservedEndpoint
from controlplane.engines.metrics import EndpointMetrics

LINE_LIMIT = 64 * 1024 * 1024  # 500 tenants with all they may have in a keys file
FOLLOW_QUEUE = 10_000
END_WITHIN_S = 1.0


class Commands(Protocol):
    """What can be asked."""

    pools: dict[EndpointId, Pool]
    rerouted: set[asyncio.Event]

    def apply(self, desired: LocalEndpoint) -> None: ...
    def observe(self, endpoint: str | None) -> Sequence[ObservedEndpoint]: ...
    def usage(self) -> Sequence[Metered]: ...
    def measures(self, endpoint: str) -> dict[str, Any]: ...
    def decisions(self, endpoint: str) -> list[dict[str, Any]]: ...
    def series(self, endpoint: str, minutes: int) -> dict[str, Any]: ...
    def metrics(self) -> AsyncIterator[EndpointMetrics]: ...
    def delete(self, endpoint: str) -> None: ...
    def publish_keys(self, document: str, tenants: Mapping[str, str]) -> None: ...
    def publish_limits(self, document: dict[str, Any]) -> None: ...
    def files(self) -> set[str]: ...
    def routes(self) -> list[dict[str, Any]]: ...


class ControlServer:
    """Listens on a unix socket that only its owner may open."""

    def __init__(self, path: Path, commands: Commands) -> None:
        self._path, self._commands = path, commands
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Take the place of a socket that a killed supervisor left behind."""
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(
                self._serve, str(self._path), limit=LINE_LIMIT
            )
        finally:
            os.umask(before)

    async def stop(self) -> None:
        """Stop answering."""
        if self._server is not None:
            self._server.close()
        for writer in self._open.values():
            writer.close()
        # They see their connections end; cancelled by the end of the loop they would complain.
        if serving := {task for task in self._open if task is not None}:
            await asyncio.wait(serving, timeout=END_WITHIN_S)
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._open[task] = writer
        try:
            while line := await reader.readline():
                request = _parsed(line)
                if request.get("do") == "logs" and self._log(request) is not None:
                    await self._logs(request, reader, writer)
                    return
                if request.get("do") == "metrics":
                    await self._metrics(writer)
                    return
                if request.get("do") == "routes":
                    await self._routes(reader, writer)
                    return
                writer.write(json.dumps(self._answer(request)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            return
        finally:
            self._open.pop(task, None)
            writer.close()

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"ok": True, **self._do(request)}
        except (WireError, PortsExhausted, KeyError, TypeError, ValueError, OSError) as error:
            return {"ok": False, "error": str(error)}

    def _do(self, request: dict[str, Any]) -> dict[str, Any]:
        match request.get("do"):
            case "apply":
                self._commands.apply(endpoint_from(request["endpoint"]))
            case "delete":
                self._commands.delete(str(request["id"]))
            case "keys":
                self._commands.publish_keys(str(request["document"]), dict(request["tenants"]))
            case "limits":
                self._commands.publish_limits(dict(request["document"]))
            case "logs":
                raise ValueError(f"no endpoint {request.get('id')} runs here")
            case _:
                return self._tell(request)
        return {}

    def _tell(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer what changes nothing."""
        match request.get("do"):
            case "observe":
                seen = self._commands.observe(request.get("id"))
                return {"endpoints": [observed_to_json(o) for o in seen]}
            case "usage":
                return {"usage": [asdict(one) for one in self._commands.usage()]}
            case "measures":
                return self._commands.measures(str(request["id"]))
            case "decisions":
                return {"decisions": self._commands.decisions(str(request["id"]))}
            case "series":
                return self._commands.series(str(request["id"]), int(request["minutes"]))
            case "files":
                return {"files": sorted(self._commands.files())}
            case other:
                raise ValueError(
                    f"{other!r} is not one of apply, observe, usage, measures, decisions, series,"
                    " metrics, delete, keys, limits, files, routes, logs"
                )

    def _log(self, request: dict[str, Any]) -> EndpointLog | None:
        pool = self._commands.pools.get(EndpointId(str(request.get("id"))))
        return None if pool is None else pool.log

    async def _logs(
        self, request: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        log = self._log(request)
        if log is None:
            return
        queue: asyncio.Queue[str] = asyncio.Queue(FOLLOW_QUEUE)

        def follow(line: str) -> None:
            # A reader this far behind loses lines, so that it cannot hold memory.
            if not queue.full():
                queue.put_nowait(line)

        log.followers.add(follow)
        gone = asyncio.create_task(reader.read(1))
        try:
            writer.write(b'{"ok": true}\n')
            for line in log.tail(int(request.get("tail", 100))):
                writer.write(line.encode() + b"\n")
            await writer.drain()
            while request.get("follow"):
                line_task = asyncio.create_task(queue.get())
                await asyncio.wait({line_task, gone}, return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    line_task.cancel()
                    return
                writer.write(line_task.result().encode() + b"\n")
                await writer.drain()
        finally:
            log.followers.discard(follow)
            gone.cancel()

    async def _metrics(self, writer: asyncio.StreamWriter) -> None:
        """Tell one endpoint a line, so that nobody waits for a thousand of them."""
        writer.write(b'{"ok": true}\n')
        async for one in self._commands.metrics():
            writer.write(json.dumps(one.to_json()).encode() + b"\n")
            await writer.drain()
        writer.write(b'{"over": true}\n')
        await writer.drain()

    async def _routes(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Tell the routes now and after each change, until the other side hangs up."""
        changed = asyncio.Event()
        self._commands.rerouted.add(changed)
        gone = asyncio.create_task(reader.read(1))
        told: list[dict[str, Any]] | None = None
        try:
            while not gone.done():
                changed.clear()
                if (routes := self._commands.routes()) != told:
                    told = routes
                    writer.write(json.dumps({"ok": True, "routes": routes}).encode() + b"\n")
                    await writer.drain()
                waiting = asyncio.create_task(changed.wait())
                await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
        finally:
            self._commands.rerouted.discard(changed)
            gone.cancel()


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}

"""How soon an endpoint of the embedded engine refuses an API key that was revoked.

    python -m tests.benchmarks.revoking [--times 100]

A real supervisor and worker. A key is published and answered, over one connection that is kept;
then it is published without, and asked again and again until it is refused. What is timed is from
the call of the engine to that answer. The control plane's own part, one transaction, comes before.
"""

import argparse
import asyncio
import http.client
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from controlplane.engines.engine import Scaling
from runtime import api_keys
from tests.integration.runtime_rig import AUDIENCE, linear_plan
from tests.integration.test_embedded_engine import RealRig, running
from tests.integration.test_embedded_supervisor import port_of

KEY = api_keys.spelled(api_keys.Kind.ENDPOINT, "0" * 16, "k" * api_keys.SECRET_LENGTH)
ROW = json.dumps({"instances": [[5.1, 3.5, 1.4, 0.2]]})
NEVER = 1 << 39


def documents(rig: RealRig) -> tuple[bytes, bytes]:
    """Give the keys file without the API key, and with it."""
    plain = json.loads(rig.keys.file.read_text())
    entry = {"id": api_keys.public_id(KEY), "tenant": "acme", "exp": NEVER}
    listed = {**plain, "api_keys": {AUDIENCE: {api_keys.digest(KEY): entry}}}
    return json.dumps(plain).encode(), json.dumps(listed).encode()


def ask(connection: http.client.HTTPConnection) -> int:
    """Ask with the key; gives the status."""
    connection.request("POST", "/v1/models/iris:predict", ROW, {"authorization": f"Bearer {KEY}"})
    response = connection.getresponse()
    response.read()
    return response.status


async def until_status(connection: http.client.HTTPConnection, status: int) -> float:
    """Ask until the answer has this status; gives when that was."""
    async with asyncio.timeout(10):
        while await asyncio.to_thread(ask, connection) != status:
            pass
    return time.monotonic()


async def revocations(folder: Path, times: int) -> list[float]:
    """Give the seconds that each revocation took."""
    async with running(folder) as rig:
        plan = linear_plan(folder / "one.plan").read_bytes()
        await rig.release(plan, 1, Scaling(min_scale=1))
        connection = http.client.HTTPConnection("127.0.0.1", port_of(await rig.ready()), timeout=15)
        without, with_key = documents(rig)
        found = []
        for _ in range(times):
            await rig.engine.publish_keys(without, {"acme": with_key})
            await until_status(connection, 200)
            began = time.monotonic()
            await rig.engine.publish_keys(without, {})
            found.append(await until_status(connection, 401) - began)
        connection.close()
        return found


def measured(times: int) -> dict[str, Any]:
    """Measure; gives milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        took = sorted(1000 * one for one in asyncio.run(revocations(Path(folder), times)))
    return {
        "revocations": times,
        "p50_ms": round(statistics.median(took), 1),
        "p99_ms": round(took[int(0.99 * (times - 1))], 1),
        "p100_ms": round(took[-1], 1),
    }


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("--times", type=int, default=100)
    print(json.dumps(measured(asked.parse_args().times)))

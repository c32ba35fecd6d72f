"""The last network plugin of a pod: it starts only when its policies are in force.

The plugin is a shell script that hands what it is asked to the firewall's socket; the answer comes
when the packet filter knows the pod's address.
"""

import json
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from tests.cluster.mirror import Json

PLUGIN: Final = "kubeserve-gate"
SOCKET: Final = "firewall.sock"
WITHIN_S: Final = 10.0
VERSIONS: Final = {"cniVersion": "0.4.0", "supportedVersions": ["0.3.1", "0.4.0"]}
TRY_AGAIN: Final = 11  # an error code of the network interface's standard
SCRIPT: Final = """#!/bin/sh
case "$CNI_COMMAND" in
  VERSION) echo '{versions}' ;;
  ADD) {{ printf '%s\\n' "$CNI_ARGS"; cat; }} | socat -t {seconds} - UNIX-CONNECT:{socket} ;;
esac
"""


@dataclass(frozen=True)
class Asked:
    """A pod that wants to start, and what to answer when it may."""

    uid: str
    address: str
    result: Json


def write_plugin(folder: Path, run: Path) -> None:
    """Write the plugin that asks the firewall of this run folder."""
    path = folder / PLUGIN
    path.write_text(
        SCRIPT.format(versions=json.dumps(VERSIONS), seconds=WITHIN_S, socket=run / SOCKET)
    )
    path.chmod(0o755)


def parse(text: str) -> Asked:
    """Read what the plugin sends: the runtime's arguments in a line, then its document."""
    arguments, _, document = text.partition("\n")
    given = dict(pair.split("=", 1) for pair in arguments.split(";") if "=" in pair)
    result: Json = json.loads(document)["prevResult"]
    (address,) = (ip["address"] for ip in result["ips"] if ip.get("version", "4") == "4")
    return Asked(given["K8S_POD_UID"], address.partition("/")[0], result)


def serve(run: Path, admit: Callable[[Asked], bool]) -> socketserver.BaseServer:
    """Answer plugins from now on, in threads; gives the server, to be closed."""
    path = run / SOCKET
    path.unlink(missing_ok=True)
    server = _Server(str(path), _Handler)
    server.admit = admit
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128
    admit: Callable[[Asked], bool]


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        asked = parse(self.rfile.read().decode())
        if cast("_Server", self.server).admit(asked):
            answer = asked.result
        else:
            message = "the packet filter does not know this pod yet"
            answer = {"cniVersion": "0.4.0", "code": TRY_AGAIN, "msg": message}
        self.wfile.write(json.dumps(answer).encode())

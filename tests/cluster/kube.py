"""Talk to the test cluster: kubectl, waits that watch, requests through the ingress."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tests.cluster import firewall
from tests.cluster.build import binary
from tests.cluster.home import INGRESS_PORT, Home
from tests.cluster.processes import ClusterBroken, Deadline, must_live

Json = dict[str, Any]


@dataclass(frozen=True)
class Cluster:
    """A running cluster."""

    home: Home

    @property
    def environment(self) -> dict[str, str]:
        """Give the environment that makes any Kubernetes client use this cluster."""
        return {**os.environ, "KUBECONFIG": str(self.home.kubeconfig)}

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as the administrator; raises with what it said."""
        done = subprocess.run(
            [str(binary("kubectl")), *arguments],
            env=self.environment, input=stdin, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise ClusterBroken(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, *documents: Json) -> None:
        """Apply documents server-side."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
        self.apply_text(json.dumps(listed))

    def apply_text(self, text: str) -> None:
        """Apply YAML or JSON server-side."""
        arguments = ("apply", "--server-side", "--force-conflicts", "-f", "-")
        self.kubectl(*arguments, stdin=text)

    def get(self, *arguments: str) -> Json:
        """Read an object, or a list of them."""
        found: Json = json.loads(self.kubectl("get", "-o", "json", *arguments))
        return found

    def delete(self, *arguments: str) -> None:
        """Delete objects and wait until they are gone; none there is success."""
        self.kubectl("delete", "--ignore-not-found", "--wait", *arguments)

    def wait(self, condition: str, *arguments: str, seconds: float = 60) -> None:
        """Wait by a watch: `condition=Ready`, `delete`, `jsonpath={.status.phase}=Running`, …

        Also for objects that do not exist yet, unless the wait is for their end.
        """
        subject = " ".join(arguments)
        try:
            if condition != "delete":
                self.kubectl("wait", "--for=create", f"--timeout={seconds:g}s", *arguments)
            self.kubectl("wait", f"--for={condition}", f"--timeout={seconds:g}s", *arguments)
        except ClusterBroken as error:
            seen = self.kubectl("get", "--ignore-not-found", "-o", "yaml", *arguments)
            raise ClusterBroken(f"{subject}: {error}\n{seen[-3000:]}") from error

    def wait_for_policies(self, namespace: str) -> None:
        """Wait until the packet filter has every NetworkPolicy of a namespace as it is now."""
        found = self.get("-n", namespace, "networkpolicies")["items"]
        wanted = {firewall.version(policy) for policy in found}
        deadline = Deadline(f"The loading of {namespace}'s policies", 30)
        while not wanted <= firewall.enforced(self.home):
            must_live(self.home.run, "firewall")
            deadline.again()

    def request(
        self,
        host: str,
        path: str = "/",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        timeout: float = 60,
    ) -> httpx.Response:
        """Send one request to the ingress under a host name."""
        url = f"http://127.0.0.1:{INGRESS_PORT}{path}"
        named = {**(headers or {}), "Host": host}
        # Plain HTTP: loading the authorities would take longer than the request.
        return httpx.request(
            method, url, headers=named, content=content, timeout=timeout, verify=False
        )

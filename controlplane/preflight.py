"""Is everything there that an installation stands on? What nobody can ask, is a finding too."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Final

from controlplane.engines.preflight import Finding, Verdict
from controlplane.telemetry import log

ANSWER_S: Final = 10.0
Check = Callable[[], Awaitable[object]]
Look = Callable[[], Awaitable[tuple[Finding, ...]]]

# Layers of the sandbox by the beginning of their names: what each does, and what to do without it.
_LAYERS: Final = {
    "rlimits": ("Memory, processor time and file sizes are limited.", "Use Linux."),
    "no_new_privs": ("No program gives more rights.", "Use Linux."),
    "seccomp": (
        "System calls are filtered: no network, no programs, no other processes.",
        "Use a kernel with CONFIG_SECCOMP_FILTER on x86_64 or aarch64.",
    ),
    "landlock": (
        "Files outside the Python installation and the work folder are closed.",
        "Use Linux 5.13 or newer with landlock among the lsm= of its command line.",
    ),
    "namespaces": (
        "Processes, network, IPC and mounts are namespaces of its own.",
        (
            "Allow user namespaces (kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu,"
            " user.max_user_namespaces above 0), or run the control plane as root."
        ),
    ),
    "private-root": (
        "The root is empty but for the Python installation and the work folder.",
        "Comes with the namespaces, on Linux 5.12 or newer.",
    ),
    "uid": (
        "Each process has a user number of its own.",
        "Run the control plane as root to have it; without, the layers above separate tenants.",
    ),
    "cgroup": (
        "A control group bounds the memory and processes of each.",
        (
            "Give the service control groups of its own, e.g. Delegate=yes in its systemd unit;"
            " in a container its own limits take this place."
        ),
    ),
}


async def preflight(
    parts: dict[str, Check], looks: Sequence[tuple[str, Look]]
) -> list[dict[str, Any]]:
    """Ask every part whether it answers, and have a look at each ground by its name."""
    found = list(await asyncio.gather(*(_answers(name, ask) for name, ask in parts.items())))
    for seen in await asyncio.gather(*(_looked(name, look) for name, look in looks)):
        found += seen
    return [
        {
            "name": one.name,
            "verdict": one.verdict.value,
            "message": one.message,
            "advice": one.advice,
        }
        for one in found
    ]


def sandbox(layers: Collection[str], *, required: bool) -> tuple[Finding, ...]:
    """Judge the layers that hold uploaded code on this host.

    Needed are the limits, the filter and one of the two file-system layers; where one of them is
    missing and `required`, nothing is built.
    """
    have = {name: any(layer.startswith(name) for layer in layers) for name in _LAYERS}
    files = have["landlock"] or have["private-root"]
    needed = {"rlimits", "no_new_privs", "seccomp", *(() if files else ("landlock",))}
    return tuple(
        _layer(name, there, needed=name in needed, required=required)
        for name, there in have.items()
    )


def sandbox_of_pods(layers: Collection[str] | None, *, required: bool) -> tuple[Finding, ...]:
    """Judge the layers that held the last build of a pod; None: there was none yet."""
    if layers is None:
        message = "Builds run in pods; none has told its layers yet."
        return (Finding("sandbox", Verdict.OK, message, "Push a model, then ask again."),)
    return sandbox(layers, required=required)


def _layer(name: str, there: bool, *, needed: bool, required: bool) -> Finding:
    does, advice = _LAYERS[name]
    title = f"sandbox {name}"
    if there:
        return Finding(title, Verdict.OK, does)
    if not needed:
        return Finding(title, Verdict.WARN, "Missing; the other layers hold without it.", advice)
    if required:
        return Finding(title, Verdict.FAIL, "Missing: no model is built on this host.", advice)
    held = "Missing: uploaded code is not held here, which KUBESERVE_SANDBOX=degraded accepts."
    return Finding(title, Verdict.WARN, held, advice)


async def _looked(name: str, look: Look) -> tuple[Finding, ...]:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await look()
    except Exception as error:  # noqa: BLE001  (logged, and a finding)
        return (_silent(name, error),)


async def _answers(name: str, ask: Check) -> Finding:
    try:
        async with asyncio.timeout(ANSWER_S):
            await ask()
    except Exception as error:  # noqa: BLE001  (logged, and a finding)
        return _silent(name, error)
    return Finding(name, Verdict.OK, "It answers.")


def _silent(name: str, error: Exception) -> Finding:
    log.warning("preflight: %s does not answer: %s", name, error)
    # The text of an exception may hold addresses and keys: it stays in the log.
    message = f"It does not answer ({type(error).__name__})."
    return Finding(name, Verdict.FAIL, message, "The log of the control plane says more.")

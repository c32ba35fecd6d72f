"""What is imported by who first needs it, since a start from nothing does not: one list of it all.

A process that starts for one answer imports what that answer needs. The zygote imports the rest
before it forks, so that its workers import nothing. Tests hold both to it, and this list against
the imports that stand inside of functions.
"""

from importlib import import_module
from typing import Final

from runtime.plan.graph import import_families

MODULES: Final = (
    "encodings.utf_8_sig",  # by the first CSV, as a name of its encoding
    "http",  # by the first answer that is not 200
    "prometheus_client",  # by the first scrape
    "prometheus_client.core",
    "prometheus_client.exposition",
    "runtime.api_keys",  # by the first API key
    "runtime.codecs.table",  # by the first CSV
    "runtime.payload_log",  # by the first endpoint that logs requests
    "runtime.payloads",
    "runtime.spool",
    "runtime.stream",  # by the first stream
    "urllib.parse",  # by the first path with a percent sign
)


def import_all() -> None:
    """Import it all, and every family of a plan's nodes."""
    import_families()
    for name in MODULES:
        import_module(name)

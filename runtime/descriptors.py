"""How many connections a server's descriptors are enough for."""

import contextlib
import resource
from typing import Final

# For one process: a connection costs about 5 KB, and up to 128 KB while a request is half read.
MAX_CONNECTIONS: Final = 10_000
# For what is no client: files, pipes, sockets handed over, the database and the store.
SPARE_DESCRIPTORS: Final = 512


def room_for_connections() -> int:
    """Take all the descriptors we may have; gives how many clients they are enough for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(soft // 2, min(MAX_CONNECTIONS, soft - SPARE_DESCRIPTORS))

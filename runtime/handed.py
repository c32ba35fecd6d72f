"""What a pod is handed in its environment, as files in memory: its keys, and a plan that is small.

A pod without a volume waits for none: the kubelet looks whether all are mounted before it has
mounted any, and 300 ms later again. Linux takes 128 KiB in one variable, so a plan comes in pieces.
Whoever reads them opens a path, as of any other file.
"""

import base64
import binascii
import os
from collections.abc import MutableMapping
from typing import Final

from runtime.launch import LaunchError

PIECE_BYTES: Final = 90_000  # 120,000 characters of base64
PIECES: Final = "KUBESERVE_ARTIFACT_"
KEYS: Final = "KUBESERVE_KEYS"
# Descriptors that nothing else has: this is done before anything is opened.
ARTIFACT_FILE: Final = "/proc/self/fd/100"
KEYS_FILE: Final = "/proc/self/fd/101"


def pieces(content: bytes) -> tuple[str, ...]:
    """Give the values of KUBESERVE_ARTIFACT_0, …_1 and so on."""
    starts = range(0, len(content), PIECE_BYTES)
    return tuple(base64.b64encode(content[at : at + PIECE_BYTES]).decode() for at in starts)


def unpack(env: MutableMapping[str, str]) -> None:
    """Make the files of what is handed, if anything is, and forget the variables.

    Raises LaunchError for what is not base64.
    """
    if KEYS in env:
        _file(KEYS_FILE, env.pop(KEYS).encode())
    if f"{PIECES}0" not in env:
        return
    content, number = bytearray(), 0
    while (piece := env.pop(f"{PIECES}{number}", None)) is not None:
        try:
            content += base64.b64decode(piece, validate=True)
        except binascii.Error as error:
            raise LaunchError(f"{PIECES}{number} is not base64") from error
        number += 1
    _file(ARTIFACT_FILE, bytes(content))


def _file(path: str, content: bytes) -> None:
    made = os.memfd_create(os.path.basename(path))
    with open(made, "wb", closefd=False) as file:
        file.write(content)
    os.dup2(made, int(os.path.basename(path)), inheritable=False)
    os.close(made)

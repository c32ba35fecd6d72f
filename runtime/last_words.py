"""What a worker says when it cannot serve: to the log, and to where Kubernetes looks first."""

import os
from typing import Final

from runtime.lines import say

# Made by the kubelet for each container. What is in it becomes the pod's `terminated.message` and
# Knative's condition of the Revision; if it is empty, the end of the log does, warnings and all.
TERMINATION_LOG: Final = "/dev/termination-log"
MOST: Final = 4000  # the kubelet reads 4096 bytes


def tell(text: str) -> None:
    """Say why this process ends."""
    say(text, level="error")
    try:
        # Without O_CREAT: outside of a pod there is no such file, and there shall be none.
        descriptor = os.open(TERMINATION_LOG, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode(errors="replace")[:MOST])
    except OSError:
        return  # the log has it

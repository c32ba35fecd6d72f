"""The warm process, where its children are quicker than it."""

import os

from controlplane.builder import zygote


def ended() -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid


def test_a_role_that_has_ended_already_is_watched_by_who_waits_for_it() -> None:
    gone, waiting = ended(), ended()
    os.waitpid(gone, 0)
    descriptor = zygote._opened(gone, waiting)
    found = os.waitid(os.P_PIDFD, descriptor, os.WEXITED)
    assert found is not None
    assert found.si_pid == waiting
    os.close(descriptor)

"""The demo is a promise of the README, so it is a test."""

import re
import subprocess
import sys


def test_the_demo_works() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.e2e.demo"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "All of it worked" in ended.stdout
    assert ended.stdout.count("plan") >= 4
    assert re.search(r"Dashboard: http://127\.0\.0\.1:\d+/dashboard\n", ended.stdout)
    assert "/invitations/accept?secret=" in ended.stdout

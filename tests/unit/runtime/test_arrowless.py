"""scikit-learn and pandas in a process that is to be locked, where pyarrow is installed."""

import subprocess
import sys

PROGRAM = """
import os, sys
from runtime import arrowless
arrowless.hide()
import pandas, sklearn
assert sys.modules["pyarrow"] is None
assert len(os.listdir("/proc/self/task")) == 1, "Landlock would hold one of several threads"
arrowless.show()
import pyarrow
arrowless.show()
assert pyarrow.__version__
"""


def test_it_is_hidden_until_the_process_is_locked() -> None:
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, env=one_thread)

"""scikit-learn and pandas without pyarrow, which both import wherever it is installed.

It may be there for the payload log alone. It takes 40 MB, and starts a thread, beside which no
process can be locked. A model that brings it along finds it once its process is locked.
"""

import sys
from typing import Final

HIDDEN: Final = "pyarrow"


def hide() -> None:
    """Have imports say that it is not there; before scikit-learn is imported."""
    sys.modules.setdefault(HIDDEN, None)  # type: ignore[arg-type]  # "not there", to an import


def show() -> None:
    """Have it found again, by what is imported from now on."""
    if sys.modules.get(HIDDEN, sys) is None:
        del sys.modules[HIDDEN]

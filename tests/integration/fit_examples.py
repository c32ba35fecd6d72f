"""Run by the Python of some scikit-learn, `fit_examples.py FOLDER`: fits COVERAGE.md's examples.

They are written for today's version. A parameter that another one does not have is left out, or has
the name that it had there; an example that cannot be fitted then is told of and left out. What is
saved is what `fit_models.py` saves. No example with a function of our own is saved, since what it
needs is not installed where models are built.
"""

import functools
import inspect
import json
import re
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
from sklearn.utils import all_estimators

RENAMED = {"sparse_output": "sparse"}
OWN = b"controlplane.builder.coverage"


def lenient(init):
    """Give a constructor that leaves out what it does not know."""
    known = set(inspect.signature(init).parameters)

    @functools.wraps(init)
    def wrapped(self, *given, **named):
        named = {key if key in known else RENAMED.get(key, key): named[key] for key in named}
        init(self, *given, **{key: named[key] for key in named if key in known})

    return wrapped


def is_table(rows):
    """Tell rows of a request, a list of texts too, from pictures, targets and dictionaries."""
    if isinstance(rows, list):
        return isinstance(rows[0], str)
    return isinstance(rows, pd.DataFrame) or np.ndim(rows) == 2


def main() -> None:
    folder = Path(sys.argv[1])
    warnings.simplefilter("ignore")
    kinds = dict(all_estimators())
    for kind in kinds.values():
        if "__init__" in vars(kind):
            kind.__init__ = lenient(kind.__init__)
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
    # Only now: the examples are made while these are imported.
    from fit_models import written

    from controlplane.builder.coverage.plans import examples_of
    from controlplane.builder.coverage.samples import SAMPLES

    for name, kind in kinds.items():
        for title, example in examples_of(name, kind).items():
            path = folder / (re.sub(r"[^\w=.-]+", " ", f"{name}, {title}").strip() + ".joblib")
            rows = SAMPLES[example.sample][0]
            if not is_table(rows):
                continue
            try:
                model = example.fitted(kind)
                document = written(model, rows)
                joblib.dump(model, path)
            except Exception as error:  # noqa: BLE001  a version refuses as it likes
                print(f"{path.stem}: {type(error).__name__}: {str(error)[:100]}")
                path.unlink(missing_ok=True)
                continue
            if OWN in path.read_bytes():
                path.unlink()
            else:
                path.with_suffix(".json").write_text(json.dumps(document))


if __name__ == "__main__":
    main()

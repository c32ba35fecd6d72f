"""The model as a BentoML service.

MODEL=model.joblib bentoml serve with_bentoml:Iris      in an environment with bentoml
"""

import os
from typing import Any

import bentoml
import joblib
import numpy as np


@bentoml.service(workers=1)
class Iris:
    """One model."""

    def __init__(self) -> None:
        self._model = joblib.load(os.environ["MODEL"])

    @bentoml.api  # type: ignore[untyped-decorator]  # bentoml is not installed where this is checked
    def predict(self, instances: np.ndarray) -> Any:
        """Predict."""
        return self._model.predict(instances)

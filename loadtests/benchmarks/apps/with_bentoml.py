"""The model as a BentoML service.

MODEL=model.joblib bentoml serve with_bentoml:Iris      in an environment with bentoml
"""

import os

import bentoml
import joblib
import numpy as np


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Iris:
    """One model."""

    def __init__(self) -> None:
        self._model = joblib.load(os.environ["MODEL"])

    @bentoml.api  # type: ignore[untyped-decorator]  # bentoml is not installed where this is checked
    def predict(self, instances: np.ndarray) -> np.ndarray:
        """Predict."""
        answer: np.ndarray = self._model.predict(instances)
        return answer

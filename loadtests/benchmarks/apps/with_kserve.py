"""The model on KServe's own server, V1 protocol, as a custom predictor.

python with_kserve.py MODEL.joblib PORT      in an environment with kserve and scikit-learn
"""

import sys
from typing import Any

import joblib
from kserve import Model, ModelServer


class Iris(Model):  # type: ignore[misc]  # kserve is not installed where this is checked
    """One model."""

    def __init__(self, path: str) -> None:
        super().__init__("iris")
        self._model = joblib.load(path)
        self.ready = True

    def predict(self, payload: dict[str, Any], _headers: Any = None) -> dict[str, Any]:
        """Predict."""
        return {"predictions": self._model.predict(payload["instances"]).tolist()}


if __name__ == "__main__":
    server = ModelServer(
        http_port=int(sys.argv[2]), workers=1, enable_grpc=False, access_log_format=None
    )
    server.start([Iris(sys.argv[1])])

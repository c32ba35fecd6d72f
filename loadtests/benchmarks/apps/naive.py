"""What people write first: FastAPI, pydantic, joblib.load.

    MODEL=model.joblib uvicorn loadtests.benchmarks.apps.naive:app

It checks no token and counts nothing, and makes no data frame, which would slow it further.
"""

import os

import joblib
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model = joblib.load(os.environ["MODEL"])


class Rows(BaseModel):
    """The body."""

    instances: list[list[float]]


class Predictions(BaseModel):
    """The answer."""

    predictions: list[int]


@app.post("/predict")
def predict(rows: Rows) -> Predictions:
    """Predict in a thread, as FastAPI's documentation advises for what computes."""
    return Predictions(predictions=model.predict(np.array(rows.instances)).tolist())


@app.post("/tuned")
async def tuned(rows: Rows) -> Predictions:
    """Predict on the event loop: nothing else is answered meanwhile, and a row costs less."""
    return predict(rows)

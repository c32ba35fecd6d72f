"""What people write first: FastAPI, pydantic, joblib.load.

    MODEL=model.joblib uvicorn loadtests.benchmarks.apps.naive:app

`async` and without a data frame, since both make it faster; it checks no token and counts nothing.
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
async def predict(rows: Rows) -> Predictions:
    """Predict."""
    return Predictions(predictions=model.predict(np.array(rows.instances)).tolist())

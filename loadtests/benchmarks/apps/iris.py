"""Fit the model that every server of a comparison serves, with the scikit-learn it will be read by.

python -m loadtests.benchmarks.apps.iris MODEL.joblib
"""

import sys

import joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

if __name__ == "__main__":
    joblib.dump(LogisticRegression(max_iter=1000).fit(*load_iris(return_X_y=True)), sys.argv[1])

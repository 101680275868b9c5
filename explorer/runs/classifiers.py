"""Simple classifiers of rows of features, scikit-learn's, with standardised inputs."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits


def classifier_of(name: str, seed: int) -> Pipeline:
    """Return an untrained classifier.

    Args:
        name: "logistic", "forest" or "svm".
        seed: of the forest.

    Raises:
        KeyError: if there is no such classifier.
    """
    classifiers = {
        "logistic": lambda: LogisticRegression(max_iter=1000),
        "forest": lambda: RandomForestClassifier(300, random_state=seed % 2**32, n_jobs=1),
        "svm": lambda: SVC(C=3.0),
    }
    return make_pipeline(StandardScaler(), classifiers[name]())


@threadpool_limits.wrap(limits=1)  # products this small take many times as long on several threads
def train(classifier: Pipeline, inputs: np.ndarray, labels: np.ndarray) -> None:
    """Train a classifier.

    Args:
        classifier: see `classifier_of`.
        inputs: (n, features).
        labels: (n,).
    """
    classifier.fit(inputs, labels)


def probabilities_of(classifier: Pipeline, inputs: np.ndarray) -> np.ndarray:
    """Return float64 (n, classes) that add up to 1; a support vector machine's margins are put through a softmax."""
    if hasattr(classifier[-1], "predict_proba"):
        return np.asarray(classifier.predict_proba(inputs))
    return softmax(_logits(classifier.decision_function(inputs)), axis=1)


def _logits(margins: np.ndarray) -> np.ndarray:
    """Return (n, classes); two classes have one margin only."""
    return np.stack([np.zeros_like(margins), margins], axis=1) if margins.ndim == 1 else margins


def as_dense(classifier: Pipeline) -> tuple[np.ndarray, np.ndarray]:
    """Return kernel (features, classes) and bias of the dense layer that says what a logistic regression says.

    The standardisation is part of them: w·(x − μ)/σ + b = (w/σ)·x + (b − w·μ/σ).
    """
    scaler, regression = classifier
    kernel = (regression.coef_ / scaler.scale_).T
    bias = regression.intercept_ - scaler.mean_ @ kernel
    if kernel.shape[1] == 1:
        kernel, bias = np.hstack([np.zeros_like(kernel), kernel]), np.concatenate([[0.0], bias])
    return kernel.astype(np.float32), bias.astype(np.float32)

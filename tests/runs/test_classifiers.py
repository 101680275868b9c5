"""Simple classifiers of features, and the dense layer that a logistic regression is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import make_blobs

from explorer.runs.classifiers import as_dense, classifier_of, probabilities_of


def blobs(classes: int) -> tuple[np.ndarray, np.ndarray]:
    return make_blobs(60, n_features=3, centers=classes, cluster_std=3.0, random_state=1)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_logistic_regression_is_a_dense_layer(classes: int) -> None:
    inputs, labels = blobs(classes)
    classifier = classifier_of("logistic", 0).fit(inputs, labels)
    kernel, bias = as_dense(classifier)
    assert kernel.shape == (3, classes)
    np.testing.assert_allclose(softmax(inputs @ kernel + bias, axis=1), classifier.predict_proba(inputs), atol=1e-5)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("name", ["logistic", "forest", "svm"])
def test_every_classifier_has_probabilities_that_agree_with_its_answers(name: str, classes: int) -> None:
    inputs, labels = blobs(classes)
    classifier = classifier_of(name, 3).fit(inputs[:40], labels[:40])
    probabilities = probabilities_of(classifier, inputs[40:])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), classifier.predict(inputs[40:]))


def test_a_forest_is_the_same_for_the_same_seed() -> None:
    inputs, labels = blobs(3)
    first, second = (probabilities_of(classifier_of("forest", 7).fit(inputs, labels), inputs) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_there_is_no_other_classifier() -> None:
    with pytest.raises(KeyError):
        classifier_of("oracle", 0)

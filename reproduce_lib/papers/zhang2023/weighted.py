"""Weighted-DT and Weighted-SVM: scikit-learn's tree and linear machine with classes weighed by their rarity."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, get_args

import numpy as np

from reproduce_lib.data.aeta import CLASSES
from reproduce_lib.papers.zhang2023.evaluation import DesignParameters, Fold, Forecast, evaluate
from reproduce_lib.papers.zhang2023.samples import load_samples
from reproduce_lib.papers.zhang2023.scaling import scaler
from reproduce_lib.units import UnitResult

Method = Literal["tree", "svm"]
METHODS: tuple[Method, ...] = get_args(Method)


class WeightedParameters(DesignParameters):
    """One of the two methods of the paper's reference 22, on all features of all times of a sample."""

    experiment: ClassVar[str] = "weighted"

    method: Method = "tree"


def run_weighted(parameters: WeightedParameters) -> UnitResult:
    """Fit on each fold and judge; what a network stops by is trained on here."""
    samples = load_samples(parameters)

    def classify(fold: Fold, seed: int) -> Forecast:
        scaled = scaler(parameters.scaling, samples.inputs[fold.known])(samples.inputs)
        flat = scaled.reshape(len(scaled), -1)
        model = _model(parameters.method, seed).fit(flat[fold.known], samples.labels[fold.known])
        return Forecast(np.eye(CLASSES)[model.predict(flat[fold.test])])

    return evaluate(parameters, samples, classify, keep=parameters.is_the_papers_design)


def _model(method: Method, seed: int) -> Any:
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    if method == "tree":
        return DecisionTreeClassifier(class_weight="balanced", random_state=seed)
    # The paper calls its machine a linear classifier.
    return SVC(kernel="linear", class_weight="balanced")

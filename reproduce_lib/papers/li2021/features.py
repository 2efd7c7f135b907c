"""What the fused features of DLEP look like, with and without its attention: figure 6."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.papers.li2021.dlep import DlepParameters, build_dlep, train_dlep
from reproduce_lib.papers.li2021.evaluation import folds_of, labels_of
from reproduce_lib.papers.li2021.networks import PREDICTED_AT_ONCE
from reproduce_lib.papers.li2021.samples import Values, load_samples, scaled_inputs
from reproduce_lib.training import start_afresh
from reproduce_lib.units import UnitResult

PERPLEXITY = 30.0


class FeatureParameters(DlepParameters):
    """One network trained on the first fold."""

    experiment: ClassVar[str] = "features"


def run_features(parameters: FeatureParameters) -> UnitResult:
    """Train on the first fold, and lay the fused features of all samples out in the plane by t-SNE.

    ``silhouette`` says how far samples of different classes lie apart in the features themselves (Rousseeuw 1987), from
    -1 to 1; ``silhouette_test`` says it of the samples that the network was not trained on.
    """
    import keras
    from sklearn.manifold import TSNE
    from sklearn.metrics import silhouette_score

    sample_set = load_samples(parameters)
    labels = labels_of(parameters, sample_set)
    (seed,) = parameters.random_seeds(1)
    fold = folds_of(parameters.split, sample_set.samples, parameters.seed)[0]
    start_afresh(seed)
    model = build_dlep(parameters)
    train_dlep(model, parameters, sample_set, fold, labels)
    fused = model.get_layer("concatenated" if parameters.model == "dlep_att" else "fused").output
    inputs = scaled_inputs(sample_set, fold.training)
    features: Values = keras.Model(model.input, fused).predict(inputs, batch_size=PREDICTED_AT_ONCE, verbose=0)
    plane = TSNE(perplexity=PERPLEXITY, init="pca", random_state=seed).fit_transform(features)
    tested = np.zeros(len(labels), dtype=bool)
    tested[fold.test] = True
    metrics = {
        "silhouette": float(silhouette_score(features[fold.training], labels[fold.training])),
        "silhouette_test": float(silhouette_score(features[fold.test], labels[fold.test])),
    }
    arrays: dict[str, NDArray[np.generic]] = {
        "plane": plane.astype(np.float32),
        "label": labels.astype(np.int8),
        "tested": tested,
    }
    return UnitResult({**metrics}, len(labels), sample_set.files, arrays)

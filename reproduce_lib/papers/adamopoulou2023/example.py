"""The example network of section 4.3, and the machine and the forest that the text holds it against (reference 84)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from reproduce_lib.papers.adamopoulou2023 import KEY
from reproduce_lib.training import start_afresh
from reproduce_lib.units import MetricValue, UnitParameters, UnitResult

Model = Literal["network", "network_without_dropout", "support_vector_machine", "random_forest"]
MODELS: tuple[Model, ...] = get_args(Model)
# A quarter of 5000 rows is tested, so that the text's 3750 are trained on; a tenth of those validates.
ROWS, TEST_SHARE, VALIDATION_SHARE = 5000, 0.25, 0.1
FEATURES, INFORMATIVE = 5, 3
UNITS = (32, 16)
DROPOUT = 0.3
# The plane of Fig. 29: the first two informative features, the others at their mean of 0.
PLANE = np.linspace(-3.0, 3.0, 61)


class ExampleParameters(UnitParameters):
    """One model on the synthetic rows; the seed is that of the model, the rows are always the same."""

    paper: ClassVar[str] = KEY
    experiment: ClassVar[str] = "example"

    backend: Literal["tensorflow", "jax"] = "jax"
    model: Model = "network"
    epochs: int = Field(default=100, ge=1, le=10_000)
    batch_size: int = Field(default=32, ge=1, le=4096)


@dataclass(frozen=True)
class Table:
    """Rows to train on and to test on, features with mean 0 and deviation 1 over those trained on."""

    training: tuple[NDArray[np.float32], NDArray[np.intp]]
    test: tuple[NDArray[np.float32], NDArray[np.intp]]


def run_example(parameters: ExampleParameters) -> UnitResult:
    """Train one model and test it."""
    table = load_table()
    (seed,) = parameters.random_seeds(1)
    if parameters.model.startswith("network"):
        start_afresh(seed)
        metrics, arrays = _network(parameters, table)
    else:
        metrics, arrays = _classical(parameters, table, seed), {}
    metrics["rows"] = float(len(table.training[1]))
    metrics["rows[fitted]"] = float(len(table.training[1]) - round(VALIDATION_SHARE * len(table.training[1])))
    return UnitResult(metrics, len(table.test[1]), {}, arrays if parameters.profile == "full" else {})


def load_table() -> Table:
    """Return the rows: two classes, three informative features of five, no redundant one."""
    from sklearn.datasets import make_classification
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    inputs, labels = make_classification(
        ROWS, FEATURES, n_informative=INFORMATIVE, n_redundant=0, shuffle=False, random_state=0
    )
    parts = train_test_split(inputs, labels, test_size=TEST_SHARE, random_state=0)
    scaler = StandardScaler().fit(parts[0])
    training, test = (scaler.transform(part).astype(np.float32) for part in parts[:2])
    return Table((training, parts[2].astype(np.intp)), (test, parts[3].astype(np.intp)))


def build_example(model: Model) -> Any:
    """Build the network; input (batch, 5), output (batch, 2). The dropout stands in the text and not in the listing."""
    import keras
    from keras import layers

    inputs = keras.Input((FEATURES,))
    hidden = layers.Dense(UNITS[0], activation="relu")(inputs)
    if model == "network":
        hidden = layers.Dropout(DROPOUT)(hidden)
    hidden = layers.Dense(UNITS[1], activation="relu")(hidden)
    return keras.Model(inputs, layers.Dense(2, activation="softmax")(hidden))


def _network(parameters: ExampleParameters, table: Table) -> tuple[dict[str, MetricValue], dict[str, NDArray[Any]]]:
    model = build_example(parameters.model)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        *table.training,
        validation_split=VALIDATION_SHARE,
        epochs=parameters.epochs,
        batch_size=parameters.batch_size,
        verbose=0,
    ).history
    probability = model.predict(table.test[0], verbose=0)
    metrics: dict[str, MetricValue] = {
        "weights": float(sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)),
        "accuracy": _accuracy(probability.argmax(axis=1), table.test[1]),
        "accuracy[last epoch, validation]": 100 * float(history["val_accuracy"][-1]),
        "accuracy[last epoch, training]": 100 * float(history["accuracy"][-1]),
        "overfitting": float(history["val_loss"][-1] - min(history["val_loss"])),
    }
    plane = np.zeros((len(PLANE) ** 2, FEATURES), dtype=np.float32)
    plane[:, 0], plane[:, 1] = (axis.ravel() for axis in np.meshgrid(PLANE, PLANE))
    arrays = {name: np.array(values, dtype=np.float32) for name, values in history.items()}
    arrays["plane"] = model.predict(plane, verbose=0)[:, 1].reshape(len(PLANE), len(PLANE)).astype(np.float16)
    return metrics, arrays


def _classical(parameters: ExampleParameters, table: Table, seed: int) -> dict[str, MetricValue]:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.svm import SVC

    model = SVC() if parameters.model == "support_vector_machine" else RandomForestClassifier(random_state=seed)
    model.fit(*table.training)
    return {
        "accuracy": _accuracy(model.predict(table.test[0]), table.test[1]),
        "accuracy[last epoch, training]": _accuracy(model.predict(table.training[0]), table.training[1]),
    }


def _accuracy(forecast: NDArray[Any], truth: NDArray[Any]) -> float:
    return 100 * float((forecast == truth).mean())

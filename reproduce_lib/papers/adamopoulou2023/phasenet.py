"""PhaseNet: a U-Net from three components to the probability of noise, P and S at each sample (Zhu and Beroza 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reproduce_lib.papers.adamopoulou2023.folded_normalization import folded_batch_normalization

if TYPE_CHECKING:
    from pathlib import Path

    import keras

# Channels at each depth, width and stride of the convolutions: reference 174 of the thesis.
FILTERS = (8, 16, 32, 64, 128)
KERNEL = 7
STRIDE = 4
PHASES = 3


def build_phasenet(times: int, outputs: int = PHASES, activation: str = "softmax") -> keras.Model:
    """Build the network; input (batch, times, 3), output (batch, times, outputs).

    Every convolution but the first and the last is without bias, since a batch normalisation follows it. Layers carry
    the names of the released weights, see `load_released_weights`.
    """
    import keras
    from keras import layers

    inputs = keras.Input((times, 3))
    hidden = layers.Conv1D(FILTERS[0], KERNEL, padding="same", name="input_conv")(inputs)
    hidden = _normalised(hidden, "input_bn")
    skipped = []
    for depth, filters in enumerate(FILTERS, start=1):
        hidden = _convolution(filters, 1, f"down_conv1_{depth}")(hidden)
        hidden = _normalised(hidden, f"down_bn1_{depth}")
        if depth < len(FILTERS):
            skipped.append(hidden)
            hidden = _convolution(filters, STRIDE, f"down_conv3_{depth}")(hidden)
            hidden = _normalised(hidden, f"down_bn3_{depth}")
    for depth, beside in reversed(list(enumerate(skipped, start=1))):
        hidden = layers.Conv1DTranspose(
            FILTERS[depth - 1], KERNEL, STRIDE, padding="same", use_bias=False, name=f"up_conv0_{depth}"
        )(hidden)
        hidden = _normalised(hidden, f"up_bn0_{depth}")
        hidden = layers.Concatenate()([beside, _cropped(hidden, beside.shape[1])])
        hidden = _convolution(FILTERS[depth - 1], 1, f"up_conv1_{depth}")(hidden)
        hidden = _normalised(hidden, f"up_bn1_{depth}")
    return keras.Model(inputs, layers.Conv1D(outputs, 1, activation=activation, name="output_conv")(hidden))


def load_released_weights(model: keras.Model, checkpoint: Path) -> None:
    """Give a network the weights of the release, a TensorFlow checkpoint of convolutions in two dimensions.

    Parameters
    ----------
    checkpoint : path of its files without their endings
    """
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(checkpoint))
    names = {name.rsplit("/", 2)[-2] + "/" + name.rsplit("/", 1)[-1]: name for name in _weights(reader)}
    for layer in model.layers:
        if layer.weights:
            wanted = [f"{layer.name}/{weight.name}" for weight in layer.weights]
            layer.set_weights([_in_one_dimension(reader.get_tensor(names[one])) for one in wanted])


def _weights(reader: Any) -> list[str]:
    """Return the names of a checkpoint's weights, without what its optimizer kept."""
    return [name for name in reader.get_variable_to_shape_map() if name.count("/") == 2 and "Adam" not in name]


def _in_one_dimension(weight: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return weight[:, 0] if weight.ndim == 4 else weight


def _convolution(filters: int, stride: int, name: str) -> Any:
    from keras import layers

    return layers.Conv1D(filters, KERNEL, stride, padding="same", use_bias=False, name=name)


def _normalised(inputs: Any, name: str) -> Any:
    from keras import layers

    return layers.ReLU()(folded_batch_normalization(name)(inputs))


def _cropped(inputs: Any, times: int) -> Any:
    """Return the middle ``times`` of what a transposed convolution gave; strides round the number of times up."""
    from keras import layers

    excess = inputs.shape[1] - times
    return layers.Cropping1D((excess // 2, excess - excess // 2))(inputs) if excess else inputs

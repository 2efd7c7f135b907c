"""The networks: the DenseNet backbone of Table I, the classifiers of Fig. 3 and Table III, and a plain CNN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from reproduce_lib.data.aeta import CLASSES

if TYPE_CHECKING:
    import keras

Classifier = Literal["dense", "flatten", "cnn"]
# Channels between the blocks, and what a block adds to them: Table I prints 24 and 48.
CHANNELS = 24
GROWTH = 24
BLOCKS = 4
KERNEL = 3
# What Table I does not print.
DROPOUT = 0.2
CONVOLUTIONS = (48, 48, 48)
UNITS = (48, 24)


def build_backbone(shape: tuple[int | None, int]) -> keras.Model:
    """Build the network of Table I; input (batch, times, features), output a probability of each class (batch, 5).

    Layers carry the names of the table's rows. The features that the classifier is given are those of the last
    normalisation, see `features_of`.
    """
    import keras
    from keras import layers

    inputs = keras.Input(shape)
    hidden = _convolution(CHANNELS, KERNEL, name="Conv1D")(inputs)
    hidden = layers.BatchNormalization(name="BatchNorm")(hidden)
    hidden = layers.ReLU(name="Relu")(hidden)
    for block in range(1, BLOCKS + 1):
        hidden = dense_block(hidden, f"DenseBlock{block}")
        if block < BLOCKS:
            hidden = transition(hidden, f"TransitionLayer{block}")
    hidden = layers.BatchNormalization(name="BatchNorm_2")(hidden)
    pooled = layers.GlobalAveragePooling1D(name="GlobalAveragePooling")(hidden)
    return keras.Model(inputs, _dense(CLASSES, activation="softmax", name="Dense")(pooled))


def features_of(backbone: keras.Model) -> keras.Model:
    """Return a trained backbone without its pooling and its dense layer; output (batch, times / 8, 48)."""
    import keras

    return keras.Model(backbone.input, backbone.get_layer("BatchNorm_2").output)


def build_classifier(shape: tuple[int, int], kind: Classifier) -> keras.Model:
    """Build a classifier of features (batch, times, channels) into five classes.

    ``dense`` is that of Fig. 3: a dense block, a transition, three convolutions, a pooling and three dense layers, of
    which the last is normalised. ``cnn`` leaves the dense block and the transition out, ``flatten`` the convolutions
    too.
    """
    import keras
    from keras import layers

    inputs = keras.Input(shape)
    hidden = inputs
    if kind == "dense":
        hidden = transition(dense_block(hidden, "DenseBlock"), "TransitionLayer")
    if kind == "flatten":
        hidden = layers.Flatten()(hidden)
    else:
        for filters in CONVOLUTIONS:
            hidden = layers.ReLU()(_convolution(filters, KERNEL)(hidden))
        hidden = layers.GlobalAveragePooling1D()(hidden)
    for units in UNITS:
        hidden = _dense(units, activation="relu")(hidden)
    return keras.Model(inputs, layers.Softmax()(normalised_dense(hidden)))


def build_cnn(shape: tuple[int, int]) -> keras.Model:
    """Build the plain convolutional network of Table IV, of which the paper prints nothing."""
    import keras
    from keras import layers

    hidden = inputs = keras.Input(shape)
    for filters in CONVOLUTIONS:
        hidden = layers.MaxPooling1D(2, padding="same")(layers.ReLU()(_convolution(filters, KERNEL)(hidden)))
    hidden = layers.GlobalAveragePooling1D()(hidden)
    hidden = _dense(UNITS[0], activation="relu")(hidden)
    return keras.Model(inputs, _dense(CLASSES, activation="softmax")(hidden))


def dense_block(inputs: Any, name: str) -> Any:
    """Return a block of Fig. 2: two dense layers and a dropout, put beside what came in; adds `GROWTH` channels."""
    from keras import layers

    hidden = inputs
    for _ in range(2):
        hidden = layers.ReLU()(layers.BatchNormalization()(hidden))
        hidden = _convolution(GROWTH, KERNEL)(hidden)
    hidden = layers.Dropout(DROPOUT)(hidden)
    return layers.Concatenate(name=name)([inputs, hidden])


def transition(inputs: Any, name: str) -> Any:
    """Return half as many times, averaged in pairs, in `CHANNELS` channels."""
    from keras import layers

    hidden = layers.ReLU()(layers.BatchNormalization()(inputs))
    return layers.AveragePooling1D(2, padding="same", name=name)(_convolution(CHANNELS, 1)(hidden))


def normalised_dense(inputs: Any) -> Any:
    """Return the scores of classes whose weights all have the length 1, without bias (Kang et al. 2020)."""
    from keras import constraints

    return _dense(CLASSES, use_bias=False, kernel_constraint=constraints.UnitNorm(axis=0), name="normalised")(inputs)


def _convolution(filters: int, width: int, name: str | None = None) -> Any:
    from keras import layers

    # Xavier's initial weights and biases of 0 are Keras's own.
    return layers.Conv1D(filters, width, padding="same", name=name)


def _dense(units: int, **options: Any) -> Any:
    from keras import layers

    return layers.Dense(units, **options)

"""Training several Keras 3 models of one shape in one JAX program, as a GPU wants it.

Each model keeps the initial weights, dropout masks and order of pairs that `training.train` gives it, so
that a model trained in company and the same model trained alone differ by rounding only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reproduce_lib.training import Examples, Loss

if TYPE_CHECKING:
    import keras


def train_batch(
    models: Sequence[keras.Model],
    training: Sequence[Examples],
    validation: Sequence[Examples] | None,
    *,
    seeds: Sequence[int],
    loss: Loss,
    epochs: int,
    batch_size: int,
    shuffle: bool,
    learning_rate: float,
) -> list[dict[str, list[float]]]:
    """Train models of one architecture side by side with Adam, each on pairs of its own.

    Parameters
    ----------
    training, validation : one (inputs, targets) per model; all of one shape. The validation pairs, if there are
        any, are scored after each epoch and change nothing
    seeds : what `training.start_afresh` was called with before each model was built; the order in which
        a model sees its pairs is drawn from it

    Returns
    -------
    Of each model ``loss`` and, with validation pairs, ``val_loss``: one value per epoch, in the units of the targets

    Raises
    ------
    ValueError
        If the pairs of two models differ in shape.
    """
    import jax

    epoch, optimizer_state = _epoch(models[0], loss, learning_rate)
    program = jax.jit(jax.vmap(epoch), donate_argnums=0)
    count = len(models)
    state = (*_stacked_weights(models), [np.stack([np.asarray(value)] * count) for value in optimizer_state])
    data, held_out = jax.device_put((_stacked(training), _stacked(validation) if validation else None))
    pairs = data[1].shape[1]
    orders = [np.random.RandomState(seed) for seed in seeds]
    for order in orders:
        order.permutation(pairs)  # Keras draws one order more than it trains by, when it looks at the shapes
    losses = []
    for _ in range(epochs):
        rows = np.stack([order.permutation(pairs) if shuffle else np.arange(pairs) for order in orders])
        whole = pairs // batch_size * batch_size
        batches = rows[:, :whole].reshape(count, -1, batch_size)
        state, pair_of_losses = program(state, batches, rows[:, whole:], data, held_out)
        losses.append(pair_of_losses)
    _assign(models, state)
    by_model = np.asarray(losses, dtype=float).transpose(2, 1, 0)
    return [dict(zip(("loss", "val_loss"), own.tolist(), strict=False)) for own in by_model]


def predict_batch(
    models: Sequence[keras.Model], inputs: Sequence[NDArray[Any] | list[NDArray[Any]]]
) -> list[NDArray[Any]]:
    """Return what each model predicts for inputs of its own; all inputs have one shape."""
    import jax

    def forward(trainable: Any, fixed: Any, of_one: Any) -> Any:
        return models[0].stateless_call(trainable, fixed, of_one, training=False)[0]

    predicted = jax.jit(jax.vmap(forward))(*_stacked_weights(models), _stacked(inputs))
    return list(np.asarray(predicted))


def _epoch(model: keras.Model, loss: Loss, learning_rate: float) -> tuple[Callable[..., Any], list[Any]]:
    """Return one epoch of one model as a function of its state, and the optimizer's first state."""
    import jax
    import keras
    from keras import ops

    optimizer = keras.optimizers.Adam(learning_rate)
    optimizer.build(model.trainable_variables)
    loss_of = keras.losses.get(loss)

    def loss_and_state(trainable: Any, fixed: Any, inputs: Any, targets: Any, learning: bool) -> Any:
        predicted, fixed = model.stateless_call(trainable, fixed, inputs, training=learning)
        return ops.mean(loss_of(targets, predicted)), fixed

    def step(state: Any, data: Any, rows: Any) -> Any:
        trainable, fixed, optimizing = state
        gradient_of = jax.value_and_grad(loss_and_state, has_aux=True)
        inputs, targets = jax.tree.map(lambda values: values[rows], data)
        (value, fixed), gradients = gradient_of(trainable, fixed, inputs, targets, True)
        trainable, optimizing = optimizer.stateless_apply(optimizing, gradients, trainable)
        return (trainable, fixed, optimizing), value

    def epoch(state: Any, batches: Any, rest: Any, data: Any, held_out: Any) -> Any:
        state, values = jax.lax.scan(lambda carried, rows: step(carried, data, rows), state, batches)
        total = ops.sum(values) * batches.shape[1]
        if rest.shape[0]:
            state, value = step(state, data, rest)
            total = total + value * rest.shape[0]
        mean = total / data[1].shape[0]
        if held_out is None:
            return state, (mean,)
        return state, (mean, loss_and_state(state[0], state[1], held_out[0], held_out[1], False)[0])

    return epoch, [variable.value for variable in optimizer.variables]


def _stacked(of_each: Sequence[Any]) -> Any:
    """Stack arrays, or arrays at the same place of equal structures, along a first axis over the models."""
    import jax

    return jax.tree.map(lambda *same: np.stack(same), *of_each)


def _stacked_weights(models: Sequence[keras.Model]) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """Return the trainable and the other variables; each has a first axis over the models."""
    kinds = ([m.trainable_variables for m in models], [m.non_trainable_variables for m in models])
    trainable, fixed = ([np.stack(same) for same in zip(*kind, strict=True)] for kind in kinds)
    return trainable, fixed


def _assign(models: Sequence[keras.Model], state: Any) -> None:
    for position, model in enumerate(models):
        for variables, values in zip((model.trainable_variables, model.non_trainable_variables), state, strict=False):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value[position])

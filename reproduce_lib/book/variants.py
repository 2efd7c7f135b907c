"""Executing the papers' notebooks with other parameters, many at a time, each into a page of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from reproduce_lib.book.grid import Variant
from reproduce_lib.book.variant_page import make_page
from reproduce_lib.notebook_execution.papermill_process import Failure
from reproduce_lib.notebook_execution.runner import (
    HEARTBEAT_SILENCE,
    LIMIT_SECONDS,
    Beat,
    NotebookError,
    check_parameters,
    execute_notebook,
)


@dataclass(frozen=True)
class Outcome:
    """How a variant ended.

    Attributes
    ----------
    failure : why it did not finish; ``None`` where it did
    partial : the notebook as far as it came, where there is one
    """

    variant: Variant
    seconds: float
    failure: Failure | None = None
    partial: Path | None = None

    def __str__(self) -> str:
        name = f"{self.variant.name} ({self.seconds:.0f} s)"
        if self.failure is None:
            return f"ok      {name}"
        where = f"; as far as it came: {self.partial}" if self.partial else ""
        return f"FAILED  {name} {self.failure.line}{where}"


def execute_variants(
    variants: Sequence[Variant],
    *,
    jobs: int = 1,
    limit_seconds: float = LIMIT_SECONDS,
    silence_seconds: float = HEARTBEAT_SILENCE,
    on_beat: Callable[[Variant, Beat], None] | None = None,
) -> Iterator[Outcome]:
    """Execute variants, and yield each one's outcome as it ends; the page of a failed one stays as it was.

    Whoever stops listening, by Ctrl-C too, stops those that run.

    Parameters
    ----------
    jobs : variants executed at a time, each by a process and a kernel of its own
    limit_seconds : limit for each whole notebook
    silence_seconds : how long a notebook may give no sign of life
    on_beat : is told of each sign of life, in one of several threads

    Raises
    ------
    ParameterError
        At once, before any is executed, if a notebook does not have one of its parameters.
    """
    for variant in variants:
        check_parameters(variant.source, variant.parameters)
    execute = partial(_execute, limit_seconds=limit_seconds, silence_seconds=silence_seconds, on_beat=on_beat)
    return _outcomes(variants, jobs, execute)


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return how many variants were executed, and a line for each that failed."""
    failed = [outcome for outcome in outcomes if outcome.failure is not None]
    counted = f"{len(outcomes) - len(failed)} of {len(outcomes)} variants executed"
    return "\n".join([f"{counted}, {len(failed)} failed" if failed else counted, *map(str, failed)])


def _outcomes(variants: Sequence[Variant], jobs: int, execute: Callable[..., Outcome]) -> Iterator[Outcome]:
    stop = threading.Event()
    pool = ThreadPoolExecutor(jobs)
    try:
        for future in as_completed([pool.submit(execute, variant, stop=stop) for variant in variants]):
            yield future.result()
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _execute(
    variant: Variant, *, on_beat: Callable[[Variant, Beat], None] | None, stop: threading.Event, **limits: Any
) -> Outcome:
    """Execute one variant; whatever goes wrong is its outcome, so that the others go on."""
    begun = time.perf_counter()
    failure, lies = None, None
    try:
        execute_notebook(
            variant.source,
            variant.page,
            variant.parameters,
            on_beat=partial(on_beat, variant) if on_beat else None,
            stop=stop,
            edit=partial(make_page, variant),
            **limits,
        )
    except NotebookError as error:
        failure, lies = error.failure, error.partial
    except Exception as error:
        failure = Failure("unexpected", None, str(error), type(error).__name__)
    return Outcome(variant, time.perf_counter() - begun, failure, lies)

"""Which specifications of the multiverse forecast months that they know nothing of. No record depends on this."""

from __future__ import annotations

import pandas as pd


def honest(frame: pd.DataFrame, target: str = "") -> pd.DataFrame:
    """Return the specifications that forecast held-out months one step ahead and were scaled without them.

    Parameters
    ----------
    frame : with columns error, horizon, scaling, and series, the name of which holds its target as a word
    target : only series of this one
    """
    chosen = frame[(frame["error"] == "held out") & (frame["horizon"] == "one step") & (frame["scaling"] != "all")]
    return chosen[[target in series.split() for series in chosen["series"]]] if target else chosen

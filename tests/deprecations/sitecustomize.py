"""What our own code is warned of is an error, in each Python that starts with this folder on its path.

pytest sees the warnings of its own process alone. What the tests and CI start, such as workers, kernels and the process
that renders the book, inherits the path. What others' code does is theirs to mend: a warning is ours by the module
that it is attributed to.
"""

import sys
import warnings

CATEGORIES = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)
OURS = r"(reproduce_lib|benchmarks)(\.|$)"
# In a kernel, the cells.
CELLS = r"__main__$"


def install() -> None:
    """Put the filters in front."""
    modules = [OURS, *([CELLS] if "ipykernel_launcher" in sys.orig_argv else [])]
    for module in modules:
        for category in CATEGORIES:
            warnings.filterwarnings("error", category=category, module=module)


install()

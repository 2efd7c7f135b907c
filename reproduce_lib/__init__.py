"""Rebuild papers and set each printed number beside the number measured again.

The modules, in the order in which data pass through them:

``claims``        what a paper printed, typed
``data``          pinned files, where their bytes come from, loaders and checks
``windows``, ``training``, ``baselines``, ``metrics``   what the papers' units share
``units``         what a unit, an experiment and a paper are
``papers``        a module or a package per paper: its models and its unit functions
``study``         which units are missing or stale; runs them in worker processes
``records``       the append-only files that finished units are written to
``replay``        re-executes recorded units (verify) and carries them over a refactoring (adopt)
``verdicts``, ``compare``                               claims x records -> verdicts
``tables``, ``figures``, ``notebooks``                  what a page shows
``runner``, ``book``, ``cli``                           execute the notebooks, build the book

Importing the package loads none of them, so that it costs nothing; import the module you need.
"""

__version__ = "0.1.0"

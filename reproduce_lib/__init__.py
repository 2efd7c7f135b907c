"""Rebuild papers and set each printed number beside the number measured again.

The modules and packages, in the order in which data pass through them:

``claims``        what a paper printed, typed
``data``          pinned files, where their bytes come from, loaders and checks
``windows``, ``training``, ``baselines``, ``metrics``, …   the science that papers share
``units``         what a unit, an experiment and a paper are
``papers``        a module or a package per paper: its models and its unit functions
``execution``     which units are missing or stale; runs them in worker processes; replays recorded ones
``records``       the append-only files that finished units are written to
``verdicts``, ``compare``                               claims x records -> verdicts
``tables``, ``figures``, ``notebooks``, …               what a page shows
``notebook_execution``, ``book``                        execute the notebooks, build the book
``cli``           the command line

The page "The library" of the book (``book/library.md``) names all of them.
Importing the package loads none of them, so that it costs nothing; import the module you need.
"""

__version__ = "0.1.0"

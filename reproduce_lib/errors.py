"""The errors a user can meet, each a sentence that names the culprit and the way out."""


class ReproduceError(Exception):
    """Base of every error that the library raises on purpose."""


class ParameterError(ReproduceError):
    """An unknown parameter, a wrong type, or a value outside the allowed ones."""


class ClaimError(ReproduceError):
    """A claims file that cannot be read as claims."""


class DataError(ReproduceError):
    """A dataset that is missing, altered, or not what its loader expects."""


class RecordError(ReproduceError):
    """A records folder that cannot be read or written."""


class RunError(ReproduceError):
    """A unit or a notebook that did not finish."""

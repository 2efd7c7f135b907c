"""What a paper printed, typed: values, orders and facts, and what it left open.

One YAML file per paper, ``book/claims/<paper>.yaml``. A printed number is kept as the printed string,
because its digits say how precisely it was printed.
"""

from __future__ import annotations

import math
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from reproduce_lib import paths
from reproduce_lib.errors import ClaimError, ParameterError
from reproduce_lib.tolerances import Better, metric
from reproduce_lib.verdicts import Interval, printed_number
from reproduce_lib.yaml_files import Place, UniqueKeys, problems, read_yaml

Comparable = Literal["same-data", "substitute-data", "no-data", "not-applicable"]
ClaimId = Annotated[str, Field(pattern=r"^[a-z0-9]+(\.[a-z0-9_\-]+)+$")]
Conditions = dict[str, Any]


def _is_printed(number: str) -> str:
    printed_number(number)
    return number


PrintedNumber = Annotated[str, AfterValidator(_is_printed)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Claim(_Entry):
    """What every claim has; ``group`` names the claims that a page folds together."""

    id: ClaimId
    source: str
    statement: str = Field(min_length=1)
    group: str = ""
    note: str = ""
    comparable: Comparable = "same-data"
    why: str = ""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.comparable in ("substitute-data", "no-data") and not self.why:
            raise ValueError(f"a claim on {self.comparable} must say why")
        return self


class ValueClaim(_Claim):
    """A printed number.

    Attributes
    ----------
    value : the number as printed, a string
    experiment, conditions : the units that measure it; parameters left out take their defaults
    over : parameters whose values together make one replication, ``aggregation`` over all of them
    likely : what a misprint most likely should be, for figures and sums; the verdict is on what is printed
    """

    kind: Literal["value"]
    value: str
    metric: str
    unit: str
    better: Better
    experiment: str
    conditions: Conditions
    over: dict[str, list[Any]] = Field(default_factory=dict)
    aggregation: Literal["single", "mean"] = "single"
    likely: str = ""

    @property
    def number(self) -> float:
        """Return the printed number, or what it most likely should be where it is a misprint."""
        return float(self.likely or self.value)

    @property
    def possible(self) -> Interval:
        """Return what the metric can be: errors are at least 0, scores at most 1, or 100 %."""
        match self.better:
            case "lower":
                return Interval(0, math.inf)
            case "higher":
                return Interval(0, 100 if self.unit == "%" else 1)
            case "none":
                return Interval(-math.inf, math.inf)

    @field_validator("value", mode="before")
    @classmethod
    def _is_a_printed_number(cls, value: object) -> object:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} must be quoted: its digits matter")
        printed_number(value)
        return value

    @field_validator("likely")
    @classmethod
    def _is_a_number_if_given(cls, likely: str) -> str:
        if likely:
            printed_number(likely)
        return likely

    @field_validator("metric")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            metric(name)
        except ParameterError as error:
            raise ValueError(str(error)) from error
        return name

    @model_validator(mode="after")
    def _aggregates_what_it_spans(self) -> Self:
        if bool(self.over) != (self.aggregation != "single"):
            raise ValueError("a claim that spans several units says how they are aggregated, no other does")
        return self


class Quantity(_Entry):
    """Something that a paper compares without printing it, as what a figure shows; orders refer to it.

    Attributes
    ----------
    experiment, conditions, over : as of a `ValueClaim`
    """

    id: ClaimId
    statement: str = Field(min_length=1)
    metric: str
    experiment: str
    conditions: Conditions
    over: dict[str, list[Any]] = Field(default_factory=dict)


class OrderClaim(_Claim):
    """A stated order: the quantity of ``least`` is below that of each of ``among``, or that of ``greatest`` above.

    The quantities are value claims or unprinted ones, named by id, and are compared replication by replication. With
    ``significant_at`` the difference must also pass a paired test at that level.
    """

    kind: Literal["order"]
    least: ClaimId | None = None
    greatest: ClaimId | None = None
    among: list[ClaimId] = Field(min_length=1)
    significant_at: float | None = Field(default=None, gt=0, lt=1)

    @property
    def first(self) -> str:
        """Return the claim that is said to be below, or above, the others."""
        return self.least or self.greatest or ""

    @model_validator(mode="after")
    def _says_one_order(self) -> Self:
        if (self.least is None) == (self.greatest is None):
            raise ValueError("an order names either what is least or what is greatest")
        return self


class OtherPlace(_Entry):
    """What another place of the same paper says."""

    kind: Literal["other_place"]
    text: str
    where: str


class MeanOf(_Entry):
    """The mean of other printed values, as far as their rounding lets it be known."""

    kind: Literal["mean_of"]
    claims: list[ClaimId] = Field(min_length=2)


class LargestOf(_Entry):
    """The largest of other printed values."""

    kind: Literal["largest_of"]
    claims: list[ClaimId] = Field(min_length=2)


class WhereLargest(_Entry):
    """Where the largest of other printed values stand, told by the part in which the claims' ids differ."""

    kind: Literal["where_largest"]
    claims: list[ClaimId] = Field(min_length=2)

    @field_validator("claims")
    @classmethod
    def _ids_differ_in_a_part(cls, claims: list[str]) -> list[str]:
        if len({name.count(".") for name in claims}) > 1:
            raise ValueError(f"the ids {', '.join(claims)} have different numbers of parts")
        return claims


class SumOf(_Entry):
    """The sum of other printed numbers, exactly."""

    kind: Literal["sum_of"]
    numbers: list[PrintedNumber] = Field(min_length=2)


class ShareOf(_Entry):
    """What some printed numbers are of others, in percent."""

    kind: Literal["share_of"]
    parts: list[PrintedNumber] = Field(min_length=1)
    of: list[PrintedNumber] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole_is_not_zero(self) -> Self:
        if not sum(map(Fraction, self.of)):
            raise ValueError(f"a share of {' + '.join(self.of)} is none")
        return self


class GainOf(_Entry):
    """How much larger some printed values are than others, pair by pair, under a reading of what "improvement" means.

    ``points`` is the mean difference, ``relative`` the mean of the differences in percent of the lower value, and
    ``of_means`` the difference of the means in percent of the lower mean.
    """

    kind: Literal["gain_of"]
    reading: Literal["points", "relative", "of_means"]
    higher: list[ClaimId] = Field(min_length=1)
    lower: list[ClaimId] = Field(min_length=1)

    @model_validator(mode="after")
    def _values_are_in_pairs(self) -> Self:
        if len(self.higher) != len(self.lower):
            raise ValueError(f"{len(self.higher)} values and {len(self.lower)} make no pairs")
        return self


class F1Of(_Entry):
    """What F1 can be, given a printed precision and a printed recall, each anywhere in its rounding interval."""

    kind: Literal["f1_of"]
    precision: ClaimId
    recall: ClaimId


class Measured(_Entry):
    """A metric of one recorded unit."""

    kind: Literal["measured"]
    experiment: str
    conditions: Conditions
    metric: str = "value"


class AnyOf(_Entry):
    """Several readings of one statement, of which one has to fit."""

    kind: Literal["any_of"]
    readings: list[Annotated[SumOf | ShareOf | GainOf | Measured, Field(discriminator="kind")]] = Field(min_length=2)


class FactClaim(_Claim):
    """A statement that is exactly right or not: ``printed`` against what it is held against.

    ``digits`` says how the paper shortened a number: by rounding, by cutting digits off, or with an "about", which
    one unit of the last digit may make up for.
    """

    kind: Literal["fact"]
    printed: str
    against: Annotated[
        OtherPlace | MeanOf | LargestOf | WhereLargest | SumOf | ShareOf | GainOf | F1Of | Measured | AnyOf,
        Field(discriminator="kind"),
    ]
    digits: Literal["rounded", "cut", "about"] = "rounded"
    comparable: Comparable = "not-applicable"

    @property
    def alone(self) -> list[FactClaim]:
        """Return the statement once for each reading."""
        if not isinstance(self.against, AnyOf):
            return [self]
        return [self.model_copy(update={"against": one}) for one in self.against.readings]


Claim = Annotated[ValueClaim | OrderClaim | FactClaim, Field(discriminator="kind")]


class Reading(_Entry):
    """Another way to read what the paper left open, and what it says."""

    value: Any
    says: str


class Decision(_Entry):
    """Something the paper left open: what was chosen before any run, why, and what else was run.

    ``says`` tells in words what was chosen, where its value does not.
    """

    parameter: str
    question: str
    chosen: Any
    says: str = ""
    reason: str
    others: list[Reading] = Field(default_factory=list)


class Conclusion(_Entry):
    """What a paper concludes, in words, and the claims that it rests on.

    Attributes
    ----------
    claims : ids, or patterns of them as of file names: ``*`` stands for anything, ``[34]`` for a 3 or a 4
    """

    says: str = Field(min_length=1)
    claims: list[str] = Field(min_length=1)

    def rests_on(self, claim_id: str) -> bool:
        """Tell whether a claim is one of those that the conclusion rests on."""
        return any(fnmatchcase(claim_id, pattern) for pattern in self.claims)


class PaperClaims(_Entry):
    """Everything that one paper's claims file says.

    ``conclusions`` are what a reader of the paper would take away, most important first.
    ``runs`` of two models are ``paired`` where those of one number share folds, samples or data, and ``independent``
    where each has random numbers of its own: an order then speaks of any run of the one and any of the other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_version: Literal[1] = Field(alias="schema")
    paper: str
    title: str
    citation: str
    in_a_sentence: str
    conclusions: list[Conclusion] = Field(default_factory=list)
    runs: Literal["paired", "independent"] = "paired"
    decisions: list[Decision] = Field(default_factory=list)
    quantities: list[Quantity] = Field(default_factory=list)
    claims: list[Claim]

    @model_validator(mode="after")
    def _ids_are_unique_and_known(self) -> Self:
        ids = [claim.id for claim in (*self.claims, *self.quantities)]
        twice = {one for one in ids if ids.count(one) > 1}
        if twice:
            raise ValueError(f"claim ids stand twice: {', '.join(sorted(twice))}")
        strangers = [one for one in ids if not one.startswith(f"{self.paper}.")]
        if strangers:
            raise ValueError(f"claim ids must begin with {self.paper}: {', '.join(strangers)}")
        values = {claim.id for claim in self.claims if isinstance(claim, ValueClaim)}
        compared = values | {one.id for one in self.quantities}
        unknown = sorted(
            name
            for claim in self.claims
            for name in _referred(claim)
            if name not in (compared if isinstance(claim, OrderClaim) else values)
        )
        if unknown:
            raise ValueError(f"no value claim has the id {', '.join(dict.fromkeys(unknown))}")
        return self

    @model_validator(mode="after")
    def _conclusions_rest_on_claims(self) -> Self:
        for conclusion in self.conclusions:
            for pattern in conclusion.claims:
                if not any(fnmatchcase(claim.id, pattern) for claim in self.claims):
                    raise ValueError(f"no claim is called {pattern}, on which “{conclusion.says}” is to rest")
        return self

    @model_validator(mode="after")
    def _gains_can_be_told(self) -> Self:
        for claim in self.claims:
            for one in claim.alone if isinstance(claim, FactClaim) else ():
                match one.against:
                    case GainOf(lower=lower, reading="relative"):
                        if zero := [name for name in lower if not Fraction(self.value(name).value)]:
                            zeros = ", ".join(zero)
                            raise ValueError(f"{claim.id}: nothing can be told in percent of {zeros}, which is 0")
                    case GainOf(lower=lower, reading="of_means"):
                        if not sum(Fraction(self.value(name).value) for name in lower):
                            means = ", ".join(lower)
                            raise ValueError(f"{claim.id}: nothing can be told in percent of the mean of {means}, 0")
        return self

    def value(self, claim_id: str) -> ValueClaim:
        """Return a value claim by id."""
        return next(claim for claim in self.claims if isinstance(claim, ValueClaim) and claim.id == claim_id)

    def quantity(self, claim_id: str) -> ValueClaim | Quantity:
        """Return what an order compares, a value claim or an unprinted quantity, by id."""
        unprinted = (one for one in self.quantities if one.id == claim_id)
        return next(unprinted, None) or self.value(claim_id)


def load_claims(paper: str, folder: Path | None = None) -> PaperClaims:
    """Return a paper's claims.

    Raises
    ------
    ClaimError
        With the file and each wrong entry, if the file is missing, no YAML, or not of this schema.
    """
    path = (folder or paths.claims_folder()) / f"{paper}.yaml"
    if not path.exists():
        raise ClaimError(f"{path} does not exist; a paper's claims are written there before anything runs")
    content = read_yaml(path, UniqueKeys, ClaimError)
    try:
        return PaperClaims.model_validate(content)
    except ValidationError as error:
        raise ClaimError(f"{path}: {problems(error, partial(_by_claim, content))}") from error


def _by_claim(content: Any, place: Place) -> Place:
    """Name the claim that a place lies in by its id."""
    match place:
        case ["claims", int(number), *inner]:
            entry = content["claims"][number]
            named = entry.get("id") if isinstance(entry, dict) else None
            return [named if isinstance(named, str) else f"claim {number}", *inner]
    return place


def _referred(claim: ValueClaim | OrderClaim | FactClaim) -> list[str]:
    match claim:
        case OrderClaim():
            return [claim.first, *claim.among]
        case FactClaim(against=MeanOf(claims=claims) | LargestOf(claims=claims) | WhereLargest(claims=claims)):
            return list(claims)
        case FactClaim(against=GainOf(higher=higher, lower=lower)):
            return [*higher, *lower]
        case FactClaim(against=F1Of(precision=precision, recall=recall)):
            return [precision, recall]
        case FactClaim(against=AnyOf()):
            return [name for one in claim.alone for name in _referred(one)]
    return []

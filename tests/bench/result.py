# SPDX-License-Identifier: GPL-3.0-or-later
"""What a row found: samples by way, and verdicts about them."""
import dataclasses
import statistics

OURS = "seedfs"


@dataclasses.dataclass
class Verdict:
    """A figure next to its aim. value is None when it could not be measured; reason says why."""

    text: str
    value: float | None
    bound: str  # ">=" or "<="
    aim: float | None  # None: for information
    unit: str = "x"
    reason: str = ""

    @property
    def outcome(self):
        if self.value is None:
            return "not measured"
        if self.aim is None:
            return ""
        return "met" if (self.value >= self.aim if self.bound == ">=" else self.value <= self.aim) else "MISSED"


class Result:
    """One table: amount units of work (MiB, files, ...) done in several ways."""

    def __init__(self, title, amount=None, unit=""):
        self.title, self.amount, self.unit = title, amount, unit
        self.ways = {}  # way: list of Sample
        self.absent = {}  # way: why it could not run
        self.verdicts = []

    def add(self, way, sample):
        self.ways.setdefault(way, []).append(sample)

    def lack(self, way, reason):
        self.absent[way] = reason

    def median(self, way):
        return statistics.median(sample.wall for sample in self.ways[way])

    def daemon(self, way):
        return statistics.median(sample.daemon for sample in self.ways[way])

    def ratio(self, other, aim=None, ours=OURS):
        """The other's median time by ours, at least aim."""
        text = f"speed of {ours}, by {other}"
        if other in self.absent:
            self.verdicts.append(Verdict(text, None, ">=", aim, reason=self.absent[other]))
        else:
            self.verdicts.append(Verdict(text, self.median(other) / self.median(ours), ">=", aim))

    def time_ratio(self, other, aim, ours=OURS):
        """Our median time by the other's, at most aim."""
        self.verdicts.append(Verdict(f"time of {ours}, by {other}", self.median(ours) / self.median(other), "<=", aim))

    def at_most(self, text, value, aim, unit):
        self.verdicts.append(Verdict(text, value, "<=", aim, unit))

    def at_least(self, text, value, aim, unit="x"):
        self.verdicts.append(Verdict(text, value, ">=", aim, unit))

    def as_json(self):
        ways = {way: [dataclasses.asdict(sample) for sample in samples] for way, samples in self.ways.items()}
        verdicts = [dataclasses.asdict(verdict) | {"outcome": verdict.outcome} for verdict in self.verdicts]
        return {
            "title": self.title,
            "amount": self.amount,
            "unit": self.unit,
            "samples": ways,
            "absent": self.absent,
            "verdicts": verdicts,
        }

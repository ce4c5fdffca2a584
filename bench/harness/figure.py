"""One measured figure: its samples, its target and whether they meet."""
import dataclasses
import random
import statistics

MIB = 1 << 20


@dataclasses.dataclass
class Figure:
    """`where` says on what the number depends: "host", or the accelerator of the VM ("TCG", "KVM").

    `limit` is the target as a number (None: nothing to reach), `better` the good direction. A
    target that belongs to another set-up than the one measured goes into `elsewhere` instead: it is
    printed, but there is no verdict.
    """
    name: str
    unit: str
    how: str
    samples: list
    where: str = "host"
    limit: float | None = None
    better: str = "less"
    elsewhere: str = ""
    note: str = ""
    interval: tuple | None = None

    @property
    def median(self):
        return statistics.median(self.samples)

    def met(self):
        """True or False; None without a target for this set-up."""
        if self.limit is None:
            return None
        return self.median <= self.limit if self.better == "less" else self.median >= self.limit

    def target(self):
        if self.limit is None:
            return self.elsewhere or "-"
        return f"{'<=' if self.better == 'less' else '>='} {number(self.limit)} {self.unit}"

    def value(self):
        """`median [min-max], n=..`; the interval of a ratio's median when there is one."""
        spread = f" [{number(min(self.samples))}-{number(max(self.samples))}]" if len(self.samples) > 1 else ""
        text = f"{number(self.median)}{spread} {self.unit}, n={len(self.samples)}"
        if self.interval:
            text += f", 95 % of medians {number(self.interval[0])}-{number(self.interval[1])}"
        return text


def number(value):
    """Three significant digits at most, without an exponent."""
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:.{digits}f}"


def bootstrap(samples, rounds=4000):
    """95 % interval of the median by resampling; always the same for the same samples."""
    dice = random.Random(1)
    medians = sorted(statistics.median(dice.choices(samples, k=len(samples))) for _ in range(rounds))
    return medians[int(rounds * 0.025)], medians[int(rounds * 0.975)]

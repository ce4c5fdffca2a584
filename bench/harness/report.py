"""What a run leaves: raw samples as CSV, plots, and a report in Markdown."""
import csv
import os
import pathlib
import platform
import re
import shutil
import subprocess

from harness import plot

PLOT_FROM = 3  # samples


class Report:
    """Writes to FOLDER/<date>/ while the run goes on, and FOLDER/report.md at its end."""

    def __init__(self, folder, date, quick):
        self.folder, self.date, self.quick = pathlib.Path(folder), date, quick
        self.run = self.folder / date
        self.run.mkdir(parents=True)
        self.load = [os.getloadavg()[0]]
        self.sections, self.failures = [], []

    def add(self, group, title, figures):
        """Keeps the samples of a group at once: a later failure loses nothing."""
        with open(self.run / f"{group}.csv", "w", newline="") as out:
            rows = csv.writer(out)
            rows.writerow(("figure", "unit", "where", "run", "value"))
            for figure in figures:
                rows.writerows((figure.name, figure.unit, figure.where, index, repr(float(value)))
                               for index, value in enumerate(figure.samples))
        for figure in figures:
            if len(figure.samples) >= PLOT_FROM:
                (self.run / self._plot_name(group, figure)).write_text(plot.svg(figure))
        self.load.append(os.getloadavg()[0])
        self.sections.append((group, title, figures))

    def fail(self, group, error, log=""):
        """`log` is containerd's and the shims' so far; it is kept beside the samples."""
        self.failures.append((group, str(error).strip() or type(error).__name__))
        if log:
            (self.run / f"{group}.log").write_text(log)

    @staticmethod
    def _plot_name(group, figure):
        return f"{group}-{re.sub(r'[^a-z0-9]+', '-', figure.name.lower()).strip('-')}.svg"

    def _misses(self):
        return [(group, figure) for group, _, figures in self.sections for figure in figures
                if figure.met() is False]

    def summary(self):
        """The verdicts in plain words."""
        figures = [figure for _, _, group in self.sections for figure in group]
        met = sum(figure.met() is True for figure in figures)
        lines = [f"{met} targets met, {len(self._misses())} missed, {len(self.failures)} measurements failed."]
        lines += [f"MISSED: {figure.name}: {figure.value()} ({figure.where}), target {figure.target()}"
                  for _, figure in self._misses()]
        lines += [f"FAILED TO MEASURE: {group}: {error.splitlines()[0]}" for group, error in self.failures]
        return "\n".join(lines)

    def _machine(self):
        loaded = max(self.load) > os.cpu_count() * 0.75
        lines = [
            f"* {self.date}, {'quick run (few samples)' if self.quick else 'full run'}, commit {_commit()}",
            f"* {_cpu()}, {os.cpu_count()} CPUs, Linux {platform.release()}",
            f"* {_first_line('qemu-system-x86_64', '--version')}",
            f"* load average during the run: {min(self.load):.1f} to {max(self.load):.1f}"
            + (" - **a loaded machine: read times as upper bounds**" if loaded else ""),
        ]
        return "\n".join(lines)

    def text(self, links):
        """The report; `links` is the path of the run's folder as seen from the report."""
        parts = ["# Benchmarks", self._machine(), self.summary(),
                 "Value: median [min-max], number of samples. \"TCG\": measured in a VM without hardware "
                 "virtualization, where times are many times those with KVM."]
        for group, title, figures in self.sections:
            parts.append(f"## {title}\n\n" + "\n".join(self._table(group, figures, links))
                         + f"\n\nSamples: [{group}.csv]({links}{group}.csv)")
        if self.failures:
            parts.append("## Failed to measure\n\n" + "\n\n".join(f"{group}:\n\n```\n{error}\n```"
                                                                  for group, error in self.failures))
        return "\n\n".join(parts) + "\n"

    def _table(self, group, figures, links):
        yield "| figure | value | on | target | met | how | plot |"
        yield "|---|---|---|---|---|---|---|"
        for figure in figures:
            met = {True: "yes", False: "**no**", None: "-"}[figure.met()]
            shown = f"[plot]({links}{self._plot_name(group, figure)})" if len(figure.samples) >= PLOT_FROM else ""
            how = figure.how + (f"; {figure.note}" if figure.note else "")
            cells = (figure.name, figure.value(), figure.where, figure.target(), met, how, shown)
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    def write(self):
        (self.run / "report.md").write_text(self.text(""))
        path = self.folder / "report.md"
        path.write_text(self.text(f"{self.date}/"))
        return path


def _commit():
    return _first_line("git", "-C", pathlib.Path(__file__).parent, "describe", "--always", "--dirty")


def _first_line(*argv):
    if not shutil.which(argv[0]):
        return f"no {argv[0]}"
    out = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    return out.splitlines()[0] if out else "?"


def _cpu():
    match = re.search(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return match[1] if match else platform.machine()

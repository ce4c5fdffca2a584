"""Small programs and container configurations behave under kata as under runc.

Each row is run once by each runtime in the same containerd; exit status, output and the class of
an error must agree, except where differences.py gives a reason. Run one group with
`-k "<part of a row name>"`: only the containers of the selected rows are started.
"""
import re

import pytest

from bed import containerd as cd
from parity import case, table_files, table_kernel, table_process
from parity.differences import DIFFERENCES
from parity.runner import Runner

PRIMARY_ONLY = True
CASES = table_process.CASES + table_files.CASES + table_kernel.CASES


def rows(item):
    if isinstance(item, case.Group):
        return [f"{item.name}: {name}" for name in item.probes]
    return list(item.rows) if isinstance(item, case.Execs) else [item.name]


ROWS = {row: item for item in CASES for row in rows(item)}


@pytest.fixture(scope="module")
def outcome(containerd, rootfs, work):
    """outcome(row) -> (under runc, under kata); the containers of a case run once."""
    runners = [Runner(containerd, runtime, rootfs, work / "parity" / str(number))
               for number, runtime in enumerate((cd.RUNC, cd.kata_runtime()))]
    known = {}

    def find(row):
        if row not in known:
            reference, ours = (runner.outcomes(ROWS[row]) for runner in runners)
            known.update({name: (reference[name], ours[name]) for name in reference})
        return known[row]

    return find


@pytest.mark.parametrize("row", ROWS)
def test_row(outcome, row):
    reference, ours = outcome(row)
    if row in DIFFERENCES and cd.kata_runtime() != cd.RUNC:
        reason, pattern = DIFFERENCES[row]
        assert re.search(pattern, ours), f"expected otherwise ({reason}):\n{ours}"
        return
    assert ours == reference


def test_table_is_large_and_the_list_of_differences_is_not_stale():
    assert len(ROWS) >= 80 and sum(len(rows(item)) for item in CASES) == len(ROWS)
    assert set(DIFFERENCES) <= set(ROWS)

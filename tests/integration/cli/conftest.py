"""`kata-runtime` as an operator calls it."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))

from bed import places, run  # noqa: E402


@pytest.fixture(scope="session")
def kata():
    """kata("check", ...): runs the built program, gives a run.Result."""
    program = places.bin_dir() / "kata-runtime"

    def call(*arguments, timeout=60, **options):
        return run.run([program, *arguments], timeout=timeout, **options)

    return call

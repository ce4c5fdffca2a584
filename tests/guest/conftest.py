"""The guest builders are scripts, not a package: their folders go on the path."""
import pathlib
import sys

GUEST = pathlib.Path(__file__).resolve().parents[2] / "guest"
for folder in ("kernel", "initrd", "cloud-kernel"):
    sys.path.insert(0, str(GUEST / folder))

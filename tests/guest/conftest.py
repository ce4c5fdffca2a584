"""The guest builders are scripts, not a package: their folders go on the path, and this one for what tests share."""
import pathlib
import sys

GUEST = pathlib.Path(__file__).resolve().parents[2] / "guest"
for folder in ("kernel", "initrd", "cloud-kernel"):
    sys.path.insert(0, str(GUEST / folder))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

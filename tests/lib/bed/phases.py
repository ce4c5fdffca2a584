"""The phase record of a sandbox's start: a JSON file in the sandbox's run folder."""
import json
import pathlib

from bed import leaks


def of(daemon, id):
    """The record of the sandbox; AssertionError when there is none."""
    for folder in leaks.RUN_FOLDERS:
        for path in pathlib.Path(folder).rglob("phases.json"):
            if id in path.parts:
                return json.loads(path.read_text())
    raise AssertionError(f"no phases.json of {id} below {', '.join(leaks.RUN_FOLDERS)}")


def table(record):
    lines = [f"{phase['name']:<20}{phase['ms']:>9.1f} ms" for phase in record["phases"]]
    lines.append(f"{'total':<20}{record['total_ms']:>9.1f} ms")
    return "\n".join(lines)


def notes(record):
    """Facts beside the times: the accelerator and why it was chosen, the VMM."""
    return "\n".join(f"{key}: {value}" for key, value in record["notes"].items())

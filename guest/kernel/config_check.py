#!/usr/bin/env python3
"""Reads kernel configuration fragments and holds a result against them.

  config_check.py list FRAGMENT...            the effective options, sorted
  config_check.py check RESULT FRAGMENT...    names each option that did not take

A later assignment of an option replaces an earlier one, so fragments that take
options away come last.  Kconfig drops an option silently when a dependency is
missing or when a new release renames it: `check` makes that an error.
"""
import re
import sys

ASSIGNED = re.compile(r"^(CONFIG_\w+)=(.*)$")
UNSET = re.compile(r"^# (CONFIG_\w+) is not set$")


def options(paths):
    """{option: value}; an option that is not set has the value 'n'."""
    found = {}
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                line = line.rstrip()
                if match := ASSIGNED.match(line):
                    found[match[1]] = match[2]
                elif match := UNSET.match(line):
                    found[match[1]] = "n"
                elif line and not line.startswith("#"):
                    raise SystemExit(f"{path}:{number}: not an option: {line}")
    return found


def check(result_path, fragments):
    got = options([result_path])
    missed = [
        f"{name}: wanted {value}, got {got.get(name, 'n')}"
        for name, value in sorted(options(fragments).items())
        if got.get(name, "n") != value
    ]
    if missed:
        print("options that did not take:", *missed, sep="\n  ", file=sys.stderr)
        raise SystemExit(1)


def main(arguments):
    if len(arguments) >= 2 and arguments[0] == "list":
        for name, value in sorted(options(arguments[1:]).items()):
            print(f"{name}={value}")
    elif len(arguments) >= 3 and arguments[0] == "check":
        check(arguments[1], arguments[2:])
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])

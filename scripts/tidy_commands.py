#!/usr/bin/env python3
"""What tidy.sh needs to know about the build.

  tidy_commands.py COMPILE_COMMANDS            the commands as clang understands them
  tidy_commands.py --files COMPILE_COMMANDS    our own sources, the newest first
  tidy_commands.py --hash BUILD FILE EXTRA...  a hash of the file, all it includes, and the extras
"""
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

REPO = pathlib.Path(__file__).resolve().parents[1]


def own_sources(commands):
    return [entry for entry in commands if any(
        str(pathlib.Path(entry["file"]).resolve()).startswith(f"{REPO}/{folder}/") for folder in ("src", "tests"))]


GCC_ONLY = re.compile(r" -mstringop-strategy=\S+")


def for_clang(entry):
    """g++'s precompiled header is skipped by clang, which then reads the header itself."""
    more = "-Wno-unknown-warning-option -Wno-ignored-gch -Wno-error"
    return {**entry, "command": f"{GCC_ONLY.sub('', entry['command'])} {more}"}


def dependencies(build, source):
    """The headers ninja recorded for the object of the source; only the source when it has none."""
    entries = json.loads((build / "compile_commands.json").read_text())
    command = next((e["command"] for e in entries if pathlib.Path(e["file"]).resolve() == source), None)
    if command is None:
        return []
    output = re.search(r" -o (\S+)", command).group(1)
    text = subprocess.run(["ninja", "-C", build, "-t", "deps", output], text=True, capture_output=True, check=False).stdout
    return sorted(build / line.strip() for line in text.splitlines()[1:] if line.startswith("    "))


def main():
    if sys.argv[1] == "--hash":
        build, source = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]).resolve()
        digest = hashlib.sha256()
        for path in [source, *dependencies(build, source), *map(pathlib.Path, sys.argv[4:])]:
            if path.is_file() and path.suffix != ".gch":
                digest.update(os.path.relpath(path, REPO).encode() + path.read_bytes())
        print(digest.hexdigest()[:40])
    elif sys.argv[1] == "--files":
        paths = {entry["file"] for entry in own_sources(json.loads(pathlib.Path(sys.argv[2]).read_text()))}
        print(*sorted(paths, key=os.path.getmtime, reverse=True), sep="\n")
    else:
        commands = own_sources(json.loads(pathlib.Path(sys.argv[1]).read_text()))
        print(json.dumps([for_clang(entry) for entry in commands], indent=1))


if __name__ == "__main__":
    main()

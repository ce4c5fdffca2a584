#!/usr/bin/env python3
"""Sums JUnit files into one line: `N passed, N failed, N skipped`.

  summary.py FOLDER      reads every *.xml of the folder; exit status 1 when anything failed

Each failed and each skipped case is named before the line: a skip is never silent.
"""
import pathlib
import sys
import xml.etree.ElementTree as xml


def outcome(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
        return "skipped"
    return "passed"


def reason(case):
    for kind in ("failure", "error", "skipped"):
        node = case.find(kind)
        if node is not None:
            text = (node.get("message") or node.text or "").strip()
            return text.splitlines()[0][:160] if text else ""
    return ""


def collect(folder):
    """{(suite, class, name): (outcome, reason)}: a case that also fails in its teardown counts once."""
    rank, cases = ("passed", "skipped", "failed"), {}
    for path in sorted(pathlib.Path(folder).glob("*.xml")):
        try:
            root = xml.parse(path).getroot()
        except xml.ParseError as error:
            cases[(path.stem, "", "results")] = ("failed", f"unreadable: {error}")
            continue
        for case in root.iter("testcase"):
            key = (path.stem, case.get("classname") or "", case.get("name"))
            found = (outcome(case), reason(case))
            cases[key] = max(cases.get(key, found), found, key=lambda item: rank.index(item[0]))
    return cases


def main():
    cases = collect(sys.argv[1])
    for (suite, group, name), (result, why) in cases.items():
        if result != "passed":
            print(f"{result}: {suite}: {group + ': ' if group else ''}{name}{': ' + why if why else ''}")
    counts = {kind: sum(result == kind for result, _ in cases.values()) for kind in ("passed", "failed", "skipped")}
    print(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return 1 if counts["failed"] or not cases else 0


if __name__ == "__main__":
    sys.exit(main())

"""Rows that may differ from runc, each with its reason and what is expected instead.

row name: (reason, regular expression for our result). The result's text is
`exit <status>\\n<output>` plus `class <error class>` for rows that fail to start.
"""

DIFFERENCES = {
    "plain: out-of-memory score": (
        "under runc a container without a score of its own inherits the shim's; a guest has no such parent",
        r"^exit 0\n0\n$"),
    "default mounts: device nodes": (
        "runc links /dev/core to /proc/kcore where the kernel has one; the guest's has, the host's may not",
        r"^exit 0\n(core\n)?fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n$"),
    **{row: ("runc's start has returned when these hooks run, so the reason is on the container's stderr; ours fails the start",
             rf"^exit 1\nclass {words}$") for row, words in {
                 "failing start hook": "hook", "start hook that takes too long": "hook", "start hook that is killed": "hook",
                 "missing start hook program": "no such file or directory"}.items()},
}

#!/bin/bash
# Makes a guest initrd: build.sh --agent BIN --out FILE [--modules KVER|DIR]
# (see mkinitrd.py; this only gives the guest builders one look).
exec python3 "$(dirname "${BASH_SOURCE[0]}")/mkinitrd.py" "$@"

#!/bin/bash
# Makes an initrd whose init is the boot probe (probe.c).
#
#   build.sh --out FILE [--modules KVER|DIR]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# No C library, so nothing may call into it: no stack protector, no memset idioms.
"${CC:-gcc}" -std=c11 -Os -Wall -Wextra -Werror -static -nostdlib -ffreestanding -fno-builtin \
  -fno-stack-protector -fno-asynchronous-unwind-tables -fno-pie -no-pie -s \
  -Wl,--build-id=none -Wl,-z,noseparate-code -o "$work/probe" "$here/probe.c"
"$here/../initrd/build.sh" --agent "$work/probe" "$@"

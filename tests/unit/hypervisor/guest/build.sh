#!/bin/bash
# Makes the initrd of the boot tests: build.sh OUT. Needs a kernel with virtio and vsock built in.
# Then: KATA_TEST_KERNEL=vmlinux KATA_TEST_INITRD=OUT KATA_TEST_PORT=1024 hypervisor_test
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/root" "$work/root/dev"
"${CC:-gcc}" -O2 -Wall -Wextra -static -s -o "$work/root/init" "$here/echo_init.c"
(cd "$work/root" && find . | cpio -o -H newc --quiet) >"$1"

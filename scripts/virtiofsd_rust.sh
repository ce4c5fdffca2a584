#!/bin/bash
# Unpacks the virtiofsd that is written in Rust, of a newer Debian suite, for the tests of its
# dialect of the command line (bookworm has the C daemon of QEMU 7.2).
#
#   virtiofsd_rust.sh    prints the path of the daemon
#
# It stays in ${KATA_CACHE:-/var/cache/kata-cpp}/virtiofsd-rust with the C library that it needs:
# later calls need no network. Exit status 69: it could not be fetched today (newer_suite.sh).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/newer_suite.sh"

target=$cache/virtiofsd-rust
daemon=$target/usr/libexec/virtiofsd

# rehome ROOT: the daemon below ROOT finds its loader and libraries in the target. Its own loader,
# not a wrapper: /proc/self/exe stays the daemon.
rehome() {
  local libraries=$target/usr/lib/x86_64-linux-gnu
  patchelf --set-interpreter "$libraries/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$libraries" \
    "$1/usr/libexec/virtiofsd"
}

fetch() {
  local work=$1 suite=$2
  open_suite "$work" "$suite" || return 1
  unpack "$work" virtiofsd libc6 libcap-ng0 libgcc-s1 libseccomp2 || return 1
  rehome "$work/root" || return 1
  say "virtiofsd of suite $suite"
}

have() { [[ -x $daemon ]] && "$daemon" --version >/dev/null 2>&1; }

keep_unpacked "$target" have "virtiofsd in Rust" fetch "its tests are skipped" trixie forky sid
have || die "$daemon does not run here"
printf '%s\n' "$daemon"

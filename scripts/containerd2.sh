#!/bin/bash
# Unpacks a containerd 2.x of a newer Debian suite beside the installed one.
#
#   containerd2.sh       prints the folder that holds containerd, ctr and the runc shim
#
# It stays in ${KATA_CACHE:-/var/cache/kata-cpp}/containerd2: later calls need no network. It needs
# no newer C library. Exit status 69: it could not be fetched today (newer_suite.sh).
#
# The suites move on.  The version below is taken where it is still offered, else the newest
# 2.x of the first suite that has one; which one it is goes to standard error.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/newer_suite.sh"

target=$cache/containerd2
wanted=2.1.9

# Versions of the package that the open suite offers, newest first.
offered() { apt-cache madison containerd | awk -F ' *\\| *' '$2 ~ /^2\./ { print $2 }'; }

# choose_version: the wanted one if it is offered, else the newest 2.x.
choose_version() {
  local all
  all=$(offered)
  grep -m 1 -E "^${wanted//./\\.}([^0-9.]|$)" <<<"$all" || head -n 1 <<<"$all"
}

# fetch WORK SUITE: leaves WORK/root with the package's files.
fetch() {
  local work=$1 suite=$2 version
  open_suite "$work" "$suite" || return 1
  version=$(choose_version)
  if [[ -z $version ]]; then
    say "suite $suite has no containerd 2.x"
    return 1
  fi
  unpack "$work" "containerd=$version" || return 1
  "$work/root/usr/bin/containerd" --version | grep -Eq ' v?2\.' || {
    say "containerd $version of suite $suite does not run here"
    return 1
  }
  say "containerd $version of suite $suite$([[ $version == "$wanted"* ]] || echo " ($wanted is not offered any more)")"
}

have() { [[ -x $target/usr/bin/containerd ]] && "$target/usr/bin/containerd" --version >/dev/null 2>&1; }

keep_unpacked "$target" have "containerd 2.x" fetch "tests with 1.6 only: KATA_CONTAINERD=1.6" sid forky
printf '%s\n' "$target/usr/bin"

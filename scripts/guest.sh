#!/bin/bash
# Finds or makes what the VM boots, and prints two lines:
#   KATA_KERNEL=<path of vmlinux>
#   KATA_INITRD=<path>
#
#   guest.sh           our own kernel when it is in the cache, else Debian's cloud kernel
#   guest.sh --own     our own kernel, built when it is not in the cache (about 8 minutes)
#   guest.sh --cloud   Debian's cloud kernel with its modules in the initrd
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

agent=$build/bin/kata-agent

own_cached() {
  local hash
  hash=$("$repo/guest/kernel/build.sh" --hash) && [[ -f $cache/kernel/$hash/vmlinux ]]
}

# make_initrd KERNEL NAME [OPTION...]: made anew when the agent or its maker is newer.
make_initrd() {
  local kernel=$1 out=$build/guest/$2.img
  shift 2
  if [[ ! -f $out || -n $(find "$agent" "$kernel" "$repo/guest/initrd" -newer "$out" -print -quit) ]]; then
    mkdir -p "${out%/*}"
    "$repo/guest/initrd/build.sh" --agent "$agent" --out "$out" "$@" >&2
  fi
  printf 'KATA_KERNEL=%s\nKATA_INITRD=%s\n' "$kernel" "$out"
}

main() {
  local choice=${1:-auto} lines
  [[ -x $agent ]] || die "no $agent: build first (scripts/build.sh)"
  if [[ $choice == auto ]]; then
    choice=--cloud
    ! own_cached || choice=--own
  fi
  case $choice in
    --own) make_initrd "$("$repo/guest/kernel/build.sh")" initrd ;;
    --cloud)
      mapfile -t lines < <("$repo/guest/cloud-kernel/fetch.sh")
      ((${#lines[@]} == 2)) || die "no cloud kernel"
      make_initrd "${lines[0]}" initrd-cloud --modules "${lines[1]}"
      ;;
    *) die "unknown argument $choice" ;;
  esac
}

main "$@"

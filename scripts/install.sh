#!/bin/bash
# Installs the built tree below $DESTDIR$PREFIX (default /opt/kata) in upstream's layout.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

prefix=${PREFIX:-/opt/kata}
root=${DESTDIR:-}$prefix
data=$root/share/kata-containers
defaults=$root/share/defaults/kata-containers

main() {
  local program file line
  [[ -x $build/bin/containerd-shim-kata-v2 ]] || die "nothing built in $build"
  install -d "$root/bin" "$root/libexec" "$data" "$defaults"
  for program in containerd-shim-kata-v2 kata-runtime kata-monitor; do
    [[ ! -x $build/bin/$program ]] || install -m 755 "$build/bin/$program" "$root/bin/$program"
  done
  while IFS== read -r line file; do
    case $line in
      KATA_KERNEL) install -m 644 "$file" "$data/vmlinux.container" ;;
      KATA_INITRD) install -m 644 "$file" "$data/kata-containers-initrd.img" ;;
    esac
  done < <("$repo/scripts/guest.sh" --own)
  [[ -f $data/vmlinux.container && -f $data/kata-containers-initrd.img ]] || die "no guest artefacts"
  # The file names its paths below @PREFIX@, so that any prefix works.
  sed "s|@PREFIX@|$prefix|g" "$repo/share/defaults/kata-containers/configuration-qemu.toml.in" \
    >"$defaults/configuration-qemu.toml"
  chmod 644 "$defaults/configuration-qemu.toml"
  [[ -e $defaults/configuration.toml ]] || ln -s configuration-qemu.toml "$defaults/configuration.toml"
  say "installed in $root"
}

main "$@"

#!/bin/bash
# Makes what is handed out, from the built tree, in build/dist:
#   kata-static-<version>-<arch>.tar.zst   opt/kata/..., to be unpacked below /; QEMU and virtiofsd are inside
#   kata-containers-cpp_<version>_<arch>.deb, and an .rpm where rpmbuild is installed
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

out=${1:-$build/dist}
version=$(sed -n 's/^project(.* VERSION \([0-9.]*\).*/\1/p' "$repo/CMakeLists.txt")
arch=$(dpkg --print-architecture)

# The same bytes each time: names in order, no owner, the time of the last commit.
make_archive() {
  local stamp
  stamp=$(git -C "$repo" log -1 --format=%ct 2>/dev/null || echo 0)
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$stamp" -C "$1" -cf - ./opt |
    zstd -q -T0 -12 -f -o "$out/kata-static-$version-$arch.tar.zst"
}

# What a package has beside opt/kata: names in PATH, pages where man and bash look, the monitor's unit.
add_usr() {
  local stage=$1 file
  install -d "$stage/usr/bin"
  for file in "$stage"/opt/kata/bin/*; do ln -s "/opt/kata/bin/${file##*/}" "$stage/usr/bin/${file##*/}"; done
  ln -s /opt/kata/bin/containerd-shim-kata-v2 "$stage/usr/bin/containerd-shim-kata-qemu-v2"
  (cd "$stage/opt/kata/share" && find man bash-completion -type f) | while read -r file; do
    install -d "$stage/usr/share/$(dirname "$file")"
    ln -s "/opt/kata/share/$file" "$stage/usr/share/$file"
  done
  install -d "$stage/usr/lib/systemd/system"
  ln -s /opt/kata/share/systemd/kata-monitor.service "$stage/usr/lib/systemd/system/kata-monitor.service"
}

# Settings are the administrator's; the node's wiring goes before the programs do.
write_control() {
  local folder=$1
  install -d "$folder"
  echo /opt/kata/share/defaults/kata-containers/configuration-qemu.toml >"$folder/conffiles"
  install -m 755 "$repo/deploy/package/prerm" "$folder/prerm"
  chmod 644 "$folder/conffiles"
}

main() {
  local work generators=DEB
  work=$(mktemp -d)
  trap "rm -rf '$work'" EXIT
  chmod 755 "$work"
  mkdir -p "$out"
  DESTDIR=$work/stage PREFIX=/opt/kata "$repo/scripts/install.sh"
  cp -al "$work/stage" "$work/package" # packages ask for the distribution's QEMU instead
  "$repo/scripts/bundle_qemu.sh" "$work/stage/opt/kata"
  make_archive "$work/stage"
  add_usr "$work/package"
  write_control "$work/control"
  ! command -v rpmbuild >/dev/null || generators="DEB;RPM"
  export KATA_VERSION=$version KATA_ARCH=$arch KATA_STAGE=$work/package KATA_OUT=$work/out
  export KATA_CONTROL="$work/control/conffiles;$work/control/prerm" KATA_PRERM=$work/control/prerm
  (cd "$work" && cpack --config "$repo/deploy/package/CPackConfig.cmake" -G "$generators" >&2)
  cp "$work"/out/*.deb "$out/"
  cp "$work"/out/*.rpm "$out/" 2>/dev/null || true
  ls -l "$out" >&2
}

main

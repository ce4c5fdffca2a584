#!/bin/bash
# Puts QEMU, virtiofsd and all that they load into a staged tree, so that it needs nothing of the
# host's distribution: the installed Debian packages' files, told to look for each other.
#
#   bundle_qemu.sh ROOT [PREFIX]    ROOT stands for PREFIX (default /opt/kata) on the node
#
#   bin/qemu-system-x86_64, libexec/virtiofsd       their loader is PREFIX/lib/kata-qemu/ld-linux-...
#   lib/kata-qemu                                   the loader and the libraries
#   lib/x86_64-linux-gnu/qemu, share/qemu           the modules and the firmware, where QEMU looks from bin/
#   share/doc/kata-qemu                             versions of the packages and their licences
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

root=$1
prefix=${2:-/opt/kata}
libraries=$root/lib/kata-qemu
notices=$root/share/doc/kata-qemu
loader=ld-linux-x86-64.so.2

modules=(/usr/lib/x86_64-linux-gnu/qemu/accel-tcg-x86_64.so)
# What a q35 or microvm without graphics loads; NICs are given no boot ROM.
firmware=(/usr/share/seabios/bios-256k.bin /usr/share/qemu/{kvmvapic,linuxboot_dma,pvh}.bin)
programs=(/usr/bin/qemu-system-x86_64 /usr/lib/qemu/virtiofsd)

taken=()
take() { # MODE FILE TARGET
  [[ -f $2 ]] || die "no $2: run scripts/packages.sh run"
  install -D -m "$1" "$2" "$3"
  taken+=("$(readlink -f "$2")")
}

# Under the names by which they are asked for.
take_libraries() {
  local file
  while read -r file; do
    take 644 "$file" "$libraries/${file##*/}"
  done < <(ldd "${programs[@]}" "${modules[@]}" | sed -n 's|.* => \(/[^ ]*\) .*|\1|p' | sort -u)
  take 755 "/lib64/$loader" "$libraries/$loader"
}

adopt() {
  # The old kind of path: it also holds for what the libraries and modules need in turn.
  patchelf --set-interpreter "$prefix/lib/kata-qemu/$loader" --force-rpath --set-rpath "$prefix/lib/kata-qemu" "$1"
}

# The sources are Debian's, by these names and versions.
write_notices() {
  local package
  install -d "$notices"
  # dpkg knows files by their place before /lib became a link.
  printf '%s\n' "${taken[@]}" | while read -r file; do
    dpkg -S "$file" 2>/dev/null || dpkg -S "${file#/usr}"
  done | sed 's/:.*//' | sort -u >"$notices/.packages"
  while read -r package; do
    # shellcheck disable=SC2016
    dpkg-query -W -f '${Package} ${Version} (source: ${source:Package} ${source:Version})\n' "$package" | head -n 1
    install -D -m 644 "/usr/share/doc/$package/copyright" "$notices/$package.copyright"
  done <"$notices/.packages" >"$notices/packages.txt"
  rm "$notices/.packages"
}

main() {
  local file
  [[ $(uname -m) == x86_64 ]] || die "only x86_64 is known here"
  command -v patchelf >/dev/null || die "no patchelf: run scripts/packages.sh dist"
  take_libraries
  take 755 "${programs[0]}" "$root/bin/qemu-system-x86_64"
  take 755 "${programs[1]}" "$root/libexec/virtiofsd"
  adopt "$root/bin/qemu-system-x86_64"
  adopt "$root/libexec/virtiofsd"
  for file in "${modules[@]}"; do take 644 "$file" "$root/lib/x86_64-linux-gnu/qemu/${file##*/}"; done
  for file in "${firmware[@]}"; do take 644 "$file" "$root/share/qemu/${file##*/}"; done
  write_notices
}

main

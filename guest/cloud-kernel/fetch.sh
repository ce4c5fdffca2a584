#!/bin/bash
# The quick path to a guest kernel: Debian's cloud kernel, not installed into the
# system but unpacked into the cache.
#
#   fetch.sh
#
# Prints two lines: the path of vmlinux (an ELF with a PVH entry; bzImage and
# version lie beside it) and the modules directory (for initrd/build.sh --modules).
# The result is kept in ${KATA_CACHE:-/var/cache/kata-cpp}/cloud-kernel/<package version>/.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../lib/cache.sh"

meta_package=linux-image-cloud-amd64

# The package that holds the kernel, like linux-image-6.1.0-56-cloud-amd64.
kernel_package() {
  LC_ALL=C apt-cache depends --no-recommends "$meta_package" |
    awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }'
}

# unpack_package PACKAGE VERSION DIR: its files, from the system or from apt.
unpack_package() {
  local release=${1#linux-image-}
  mkdir -p "$3/boot" "$3/lib/modules"
  if package_installed "$1"; then
    cp "/boot/vmlinuz-$release" "$3/boot/"
    cp -r "/lib/modules/$release" "$3/lib/modules/"
    return
  fi
  say "downloading $1"
  local download=$3/download
  mkdir "$download"
  (cd "$download" && apt-get -o APT::Sandbox::User=root download "$1=$2" >&2) || die "could not download $1"
  dpkg-deb -x "$download"/*.deb "$3"
  rm -rf "$download"
}

# build_entry ENTRY PACKAGE VERSION: runs under the lock of ENTRY.
build_entry() {
  local entry=$1 package=$2 version=$3 release=${2#linux-image-}
  rm -rf "$entry".work.*
  work=$(mktemp -d "$entry.work.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  chmod 755 "$work"
  unpack_package "$package" "$version" "$work/tree"
  mkdir "$work/out"
  mv "$work/tree/lib" "$work/out/"
  depmod -b "$work/out" "$release"
  mv "$work/tree/boot/vmlinuz-$release" "$work/out/bzImage"
  python3 "$here/extract_vmlinux.py" "$work/out/bzImage" "$work/out/vmlinux"
  printf '%s\n' "$package $version" "flavour debian-cloud" "release $release" >"$work/out/version"
  publish_entry "$work/out" "$entry"
}

main() {
  (($# == 0)) || die "takes no arguments"
  local package version entry
  package_version "$meta_package" >/dev/null # also brings the package lists up if need be
  package=$(kernel_package)
  [[ -n $package ]] || die "$meta_package names no kernel package"
  version=$(package_version "$package")
  entry=$(cache_root)/cloud-kernel/$version
  if [[ ! -f $entry/vmlinux ]]; then
    ensure_packages lz4 kmod python3
    lock_entry "$entry"
    [[ -f $entry/vmlinux ]] || build_entry "$entry" "$package" "$version"
  fi
  printf '%s\n' "$entry/vmlinux" "$entry/lib/modules/${package#linux-image-}"
}

main "$@"

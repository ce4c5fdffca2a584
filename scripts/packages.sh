#!/bin/bash
# Installs the Debian packages that a task needs, when some are missing.
#
#   packages.sh [build|kernel|run|test|lint|dist|all]...      (default: all)
#   packages.sh --list [group]...                        prints them, installs nothing
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

declare -A group=(
  [build]="cmake ninja-build g++ ccache pkg-config git libboost1.81-dev libprotobuf-dev
    protobuf-compiler nlohmann-json3-dev libcli11-dev libseccomp-dev libnl-3-dev libnl-route-3-dev
    libnl-genl-3-dev libmd-dev libtomlplusplus-dev libgtest-dev libgmock-dev libbenchmark-dev
    zlib1g-dev"
  [kernel]="build-essential linux-source-6.12 flex bison bc libelf-dev libssl-dev rsync xz-utils zstd
    lz4 kmod cpio python3"
  [run]="qemu-system-x86 qemu-system-common qemu-system-data containerd runc busybox-static cpio lz4
    kmod python3 iproute2 util-linux procps"
  [dist]="patchelf zstd"
  [test]="patchelf python3-pytest python3-grpcio python3-protobuf protobuf-compiler containernetworking-plugins
    g++ xz-utils zstd strace rpm prometheus iptables"
  [lint]="clang-19 clang-tidy-19 libclang-rt-19-dev clang-format"
)

wanted() {
  local names=("$@") name
  [[ ${names[*]} != all ]] || names=(build kernel run test lint dist)
  for name in "${names[@]}"; do
    [[ -n ${group[$name]:-} ]] || die "unknown package group $name"
    printf '%s\n' ${group[$name]}
  done | sort -u
}

installed() {
  [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) == 'ii ' ]]
}

apt() {
  DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@" </dev/null >&2
}

main() {
  local list_only= package missing=()
  [[ ${1:-} != --list ]] || { list_only=1 && shift; }
  (($#)) || set -- all
  for package in $(wanted "$@"); do
    if [[ -n $list_only ]]; then
      printf '%s\n' "$package"
    elif ! installed "$package"; then
      missing+=("$package")
    fi
  done
  ((${#missing[@]})) || return 0
  need_root
  say "installing: ${missing[*]}"
  apt update
  # Tests start the program themselves; the package's service would listen on every address.
  if [[ " ${missing[*]} " == *' prometheus '* && -d /run/systemd/system ]]; then
    systemctl mask prometheus.service >&2
  fi
  apt install -y --no-install-recommends "${missing[@]}"
}

main "$@"

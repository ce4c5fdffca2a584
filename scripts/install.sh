#!/bin/bash
# Installs the built tree below $DESTDIR$PREFIX (default /opt/kata) in upstream's layout.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

prefix=${PREFIX:-/opt/kata}
root=${DESTDIR:-}$prefix
data=$root/share/kata-containers
defaults=$root/share/defaults/kata-containers

# The pages and completions that the programs print of themselves.
install_texts() {
  local share=$root/share runtime=$root/bin/kata-runtime
  install -d "$share/bash-completion/completions" "$share/man/man1" "$share/man/man5" "$share/man/man8"
  "$runtime" completion >"$share/bash-completion/completions/kata-runtime"
  "$runtime" manual >"$share/man/man1/kata-runtime.1"
  "$runtime" manual configuration.toml >"$share/man/man5/configuration.toml.5"
  shim_page >"$share/man/man8/containerd-shim-kata-v2.8"
  chmod 644 "$share/bash-completion/completions"/* "$share/man"/man*/*
}

# The shim prints its usage behind the complaint about a flag that it does not have.
shim_page() {
  printf '%s\n' '.TH CONTAINERD\-SHIM\-KATA\-V2 8' '.SH NAME' \
    'containerd\-shim\-kata\-v2 \- runs the containers of a pod in a virtual machine' '.SH SYNOPSIS' .nf
  { "$root/bin/containerd-shim-kata-v2" -help 2>&1 || true; } | sed -e 1d -e 's/-/\\-/g'
  printf '%s\n' .fi '.SH SEE ALSO' '.BR kata\-runtime (1),' '.BR configuration.toml (5)'
}

# The installer goes along: <prefix>/deploy/install wires the node to this tree.
install_deploy() {
  local file
  (cd "$repo/deploy" && find install installer manifests -type f ! -name '*.pyc') | while read -r file; do
    install -D -m "$([[ $file == install ]] && echo 755 || echo 644)" "$repo/deploy/$file" "$root/deploy/$file"
  done
  install -D -m 755 "$repo/guest/initrd/add_iptables.py" "$root/deploy/initrd/add_iptables.py"
  install -D -m 644 "$repo/guest/initrd/cpio.py" "$root/deploy/initrd/cpio.py"
}

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
  install -D -m 644 -t "$data/grafana" "$repo"/share/grafana/*.json
  # Installed, not enabled: systemctl enable --now kata-monitor.
  install -d "$root/share/systemd"
  sed "s|@PREFIX@|$prefix|g" "$repo/share/systemd/kata-monitor.service.in" >"$root/share/systemd/kata-monitor.service"
  chmod 644 "$root/share/systemd/kata-monitor.service"
  install_texts
  install_deploy
  say "installed in $root"
}

main "$@"

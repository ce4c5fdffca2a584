# Shared by the guest builders: messages, Debian packages, and a cache whose
# entries appear whole or not at all.  Sourced by bash scripts that run with
# `set -euo pipefail`.  Standard output belongs to the caller's result (a path
# that scripts read), so everything said to people goes to standard error.

cache_root() { printf '%s\n' "${KATA_CACHE:-/var/cache/kata-cpp}"; }

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

package_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) == 'ii ' ]]
}

# ensure_packages PACKAGE...: installs what is missing (needs root only then).
ensure_packages() {
  local missing=() package
  for package in "$@"; do
    package_installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  ((EUID == 0)) || die "missing packages (run as root or install them): ${missing[*]}"
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y --no-install-recommends "${missing[@]}" >&2 && return 0
  # Most often the package lists are absent or name versions already replaced.
  apt-get update >&2
  apt-get install -y --no-install-recommends "${missing[@]}" >&2 ||
    die "could not install ${missing[*]}"
}

# package_version PACKAGE: the installed version, else the one apt would install.
package_version() {
  local version=
  if package_installed "$1"; then
    version=$(dpkg-query -W -f '${Version}' "$1")
  else
    version=$(candidate_version "$1")
    if [[ -z $version ]] && ((EUID == 0)); then
      apt-get update >&2
      version=$(candidate_version "$1")
    fi
  fi
  [[ -n $version ]] || die "apt knows no package $1 (is bookworm-security in its sources?)"
  printf '%s\n' "$version"
}

candidate_version() {
  LC_ALL=C apt-cache policy "$1" | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# lock_entry DIR: holds the lock of one cache entry (file descriptor 9) until
# this process ends.  Child processes must be started with 9>&-, or they keep it.
lock_entry() {
  mkdir -p "$(dirname "$1")"
  exec 9>"$1.lock"
  if ! flock --nonblock 9; then
    say "waiting for another run that makes $1"
    flock 9
  fi
}

# publish_entry TEMP DIR: DIR appears with all its files by one rename.
publish_entry() {
  sync -f "$1"
  mv --no-target-directory "$1" "$2"
}

#!/bin/bash
# Builds the guest kernel from Debian's kernel source and our fragments.
#
#   build.sh [--flavour std|small] [--hash]
#
# Prints the path of vmlinux (an ELF with a PVH entry) on standard output; beside
# it lie bzImage, config, version and build.log.  The result is kept in
# ${KATA_CACHE:-/var/cache/kata-cpp}/kernel/<hash>/, where <hash> stands for the
# source version, the effective options and recipe.sh; --hash prints it only.
# KEEP=1 leaves the source and object tree.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../lib/cache.sh"
source "$here/recipe.sh"

source_package=linux-source-6.12
packages=("$source_package" build-essential flex bison libelf-dev bc lz4 xz-utils python3)
flavour=std
hash_only=

# Objects in a whole build, for the progress lines only.
declare -A object_estimate=([std]=2300 [small]=1900)

parse_arguments() {
  while (($#)); do
    case $1 in
      --flavour) flavour=${2:?--flavour needs a name} && shift 2 ;;
      --hash) hash_only=1 && shift ;;
      -h | --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" && exit 0 ;;
      *) die "unknown argument $1" ;;
    esac
  done
  [[ -n ${object_estimate[$flavour]:-} ]] || die "unknown flavour $flavour (std, small)"
}

# Sets `fragments` in the order of their numbers; 9x take options away again.
select_fragments() {
  fragments=()
  local file
  for file in "$here"/fragments/*.config; do
    if [[ ${file##*/} != 9[5-9]-* || $flavour == small ]]; then
      fragments+=("$file")
    fi
  done
}

# Sets `version` (of the source package) and `entry` (the cache folder).
find_entry() {
  local hash
  version=$(package_version "$source_package")
  hash=$({
    printf 'source %s %s\n' "$source_package" "$version"
    python3 "$here/config_check.py" list "${fragments[@]}"
    cat "$here/recipe.sh"
  } | sha256sum | cut -c1-24)
  entry=$(cache_root)/kernel/$hash
}

# Compiles in the background and says once in 15 s how far it is.
compile_with_progress() {
  local source=$1 log=$2 began=$SECONDS said=$SECONDS count status=0
  set -m # a process group of its own, which clean_up can end as a whole
  compile_kernel "$source" >>"$log" 2>&1 </dev/null 9>&- &
  compile_pid=$!
  set +m
  while kill -0 "$compile_pid" 2>/dev/null; do
    sleep 1
    ((SECONDS - said < 15)) && continue
    said=$SECONDS
    count=$(grep -cE '^  (CC|AS) ' "$log" || true)
    say "compiling: $count of about ${object_estimate[$flavour]} objects, $((SECONDS - began)) s"
  done
  wait "$compile_pid" || status=$?
  compile_pid=
  return "$status"
}

clean_up() {
  if [[ -n ${compile_pid:-} ]]; then
    kill -- "-$compile_pid" 2>/dev/null || true
    wait "$compile_pid" || true # no compiler may write while the tree goes
  fi
  [[ -n ${KEEP:-} || -z ${work:-} ]] || rm -rf "$work"
}

# Runs under the lock of the entry.
build_entry() {
  local log=$entry.log began=$SECONDS
  rm -rf "$entry".work.*
  work=$(mktemp -d "$entry.work.XXXXXX")
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  chmod 755 "$work"
  say "building the $flavour kernel from $source_package $version (log: $log)"
  : >"$log"
  mkdir "$work/src" "$work/out"
  chmod 755 "$work/out"
  tar -xf "/usr/src/$source_package.tar.xz" -C "$work/src" --strip-components=1
  say "unpacked after $((SECONDS - began)) s"
  configure_kernel "$work/src" "${fragments[@]}" >>"$log" 2>&1 || fail_with_log "$log" configure
  python3 "$here/config_check.py" check "$work/src/.config" "${fragments[@]}" ||
    die "the configuration is not what the fragments ask for"
  compile_with_progress "$work/src" "$log" || fail_with_log "$log" compile
  collect_kernel "$work/src" "$work/out"
  printf '%s\n' "$source_package $version" "flavour $flavour" \
    "release $(make -s -C "$work/src" kernelrelease)" >"$work/out/version"
  cp "$log" "$work/out/build.log"
  publish_entry "$work/out" "$entry"
  rm -f "$log"
  say "built in $((SECONDS - began)) s"
}

fail_with_log() {
  grep -nE 'error|Error' "$1" | tail -n 20 >&2 || true
  tail -n 20 "$1" >&2
  die "$2 failed, the whole log is $1"
}

main() {
  parse_arguments "$@"
  command -v python3 >/dev/null || ensure_packages python3
  select_fragments
  find_entry
  if [[ -n $hash_only ]]; then
    printf '%s\n' "${entry##*/}"
    return
  fi
  if [[ ! -f $entry/vmlinux ]]; then
    ensure_packages "${packages[@]}"
    find_entry # apt may have installed a newer source than its old lists named
    lock_entry "$entry"
    # Another run may have made it while this one waited for the lock.
    [[ -f $entry/vmlinux ]] || build_entry
  fi
  printf '%s\n' "$entry/vmlinux"
}

main "$@"

# Sourced by scripts that unpack a package of a newer Debian suite beside the installed ones.
# Nothing is installed: packages are fetched with a private apt configuration (own lists, own
# sources: the machine's Debian mirror with another suite name).
#
# Such a script exits with this status when the package could not be fetched today, which is a
# reason to skip a test; any other failure is one of this machine.
not_fetched=69
tries=3
pause=${KATA_RETRY_PAUSE:-10}

# Prints "URL KEYRING" of the machine's Debian mirror, from either sources format.
mirror() {
  local file
  for file in /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ -r $file ]] || continue
    awk '
      /^URIs:/ && !uri { uri = $2 }
      /^Signed-By:/ && !key { key = $2 }
      /^deb / && !uri { for (i = 2; i <= NF; i++) if ($i ~ /:\//) { uri = $i; break } }
      END { if (uri ~ /\/debian\/?$/) print uri, key }' "$file"
  done | head -n 1
}

# write_apt_config DIR SUITE: a whole apt world of its own below DIR.
write_apt_config() {
  local dir=$1 suite=$2 uri key
  read -r uri key < <(mirror) || die "no Debian mirror in the apt sources"
  mkdir -p "$dir"/{lists/partial,cache/archives/partial,parts,trusted}
  : >"$dir/status"
  printf 'deb [arch=%s%s] %s %s main\n' "$(dpkg --print-architecture)" \
    "${key:+ signed-by=$key}" "$uri" "$suite" >"$dir/sources.list"
  cat >"$dir/apt.conf" <<CONF
Dir::Etc::sourcelist "$dir/sources.list";
Dir::Etc::sourceparts "$dir/parts";
Dir::Etc::preferencesparts "$dir/parts";
Dir::State "$dir";
Dir::State::lists "$dir/lists";
Dir::State::status "$dir/status";
Dir::Cache "$dir/cache";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
CONF
}

# open_suite WORK SUITE: apt-get and apt-cache speak of that suite from here on; WORK/root and
# packages of an earlier attempt go.
open_suite() {
  local work=$1 suite=$2
  rm -rf "$work/root" "$work"/*.deb
  write_apt_config "$work/apt" "$suite"
  export APT_CONFIG=$work/apt/apt.conf
  apt-get -q update --error-on=any </dev/null >&2
}

# unpack WORK PACKAGE...: fetches them (NAME or NAME=VERSION) and unpacks them into WORK/root.
unpack() {
  local work=$1 deb found=
  shift
  (cd "$work" && apt-get -q download "$@" </dev/null >&2) || return 1
  for deb in "$work"/*.deb; do
    [[ -e $deb ]] || return 1
    dpkg -x "$deb" "$work/root" || return 1
    found=1
  done
  [[ -n $found ]]
}

# fetch_any WORK NAME FETCH SUITE...: the first suite for which `FETCH WORK SUITE` succeeds; mirrors
# have bad moments, so all of it a few times.
fetch_any() {
  local work=$1 name=$2 fetch=$3 suite try
  shift 3
  for ((try = 1; try <= tries; try++)); do
    for suite in "$@"; do
      if "$fetch" "$work" "$suite"; then return 0; fi
    done
    ((try == tries)) || { say "no $name yet (try $try of $tries)" && sleep "$pause"; }
  done
  return 1
}

# keep_unpacked TARGET HAVE NAME FETCH HINT SUITE...: leaves the package's files in TARGET. HAVE
# tells whether they are there and work; HINT is what to do without them.
keep_unpacked() {
  local target=$1 have=$2 name=$3 fetch=$4 hint=$5 work
  shift 5
  ! "$have" || return 0
  mkdir -p "${target%/*}"
  exec 9>"$target.lock"
  flock 9
  ! "$have" || return 0
  work=$(mktemp -d "$target.work.XXXXXX")
  trap "rm -rf '$work'" EXIT
  fetch_any "$work" "$name" "$fetch" "$@" || {
    say "error: no $name could be fetched from $*; $hint"
    exit "$not_fetched"
  }
  chmod 755 "$work/root"
  rm -rf "$target"
  mv --no-target-directory "$work/root" "$target"
}

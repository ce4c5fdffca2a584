# How a kernel source tree becomes a guest kernel.  This file is part of the
# cache key: a change here builds anew, a change of build.sh does not.
#
# The build is in the tree (it is thrown away), so that no absolute path gets
# into the result, and with fixed names and times, so that it is reproducible.

export KBUILD_BUILD_USER=kata KBUILD_BUILD_HOST=guest KBUILD_BUILD_VERSION=1
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970'
export LC_ALL=C

# configure_kernel SOURCE FRAGMENT...: writes SOURCE/.config.
configure_kernel() {
  local source=$1
  shift
  cat "$@" >"$source/.merged.config"
  make -C "$source" KCONFIG_ALLCONFIG=.merged.config allnoconfig
}

# compile_kernel SOURCE: makes vmlinux and bzImage in SOURCE.
compile_kernel() {
  local compiler=gcc
  if command -v ccache >/dev/null; then
    compiler='ccache gcc'
    export CCACHE_NOHASHDIR=1
  fi
  make -C "$1" -j"$(nproc)" CC="$compiler" HOSTCC="$compiler" vmlinux bzImage
}

# collect_kernel SOURCE OUT: the files of the cache entry.
collect_kernel() {
  # The PVH entry is an ELF note in a loaded segment: stripping keeps it.
  strip --strip-all -o "$2/vmlinux" "$1/vmlinux"
  cp "$1/arch/x86/boot/bzImage" "$2/bzImage"
  cp "$1/.config" "$2/config"
}

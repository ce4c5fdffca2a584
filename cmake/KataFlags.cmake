# Compiler and linker flags for the whole tree.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# Small before quick: each pod pays for its shim and its agent in memory, and the kernel maps a
# program's text whole. Not so copies: for -Os GCC writes `rep movsb` in place of memcpy, which TCG
# runs byte by byte.
set(CMAKE_CXX_FLAGS_RELEASE "-Os -g0 -DNDEBUG")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  string(APPEND CMAKE_CXX_FLAGS_RELEASE " -mstringop-strategy=libcall")
endif()
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")

add_library(kata_flags INTERFACE)
target_include_directories(kata_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
target_compile_definitions(kata_flags INTERFACE
  _GNU_SOURCE _GLIBCXX_ASSERTIONS
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_HAS_CO_AWAIT)
target_compile_options(kata_flags INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Werror
  -fstack-protector-strong -fcf-protection -ffunction-sections -fdata-sections)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false positives of the first two inside coroutine frames, and of the others where a
  # std::expected is moved out of.
  target_compile_options(kata_flags INTERFACE -Wno-mismatched-new-delete -Wno-maybe-uninitialized
                                              -Wno-array-bounds -Wno-stringop-overflow
                                              -Wno-stringop-overread)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12's own std::stable_sort uses what it deprecates.
  target_compile_options(kata_flags INTERFACE -Wno-deprecated-declarations)
endif()
target_link_options(kata_flags INTERFACE -Wl,--gc-sections -Wl,-z,relro,-z,now)

# Programs are static: no run-time libraries in the guest, quick start and small memory on the host.
set(KATA_STATIC ON)
if(KATA_SANITIZE)
  set(KATA_STATIC OFF)
  add_compile_options(-fsanitize=${KATA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${KATA_SANITIZE})
  add_compile_definitions(KATA_SANITIZED)
  if(KATA_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
  endif()
else()
  add_compile_definitions($<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
endif()

configure_file(${CMAKE_SOURCE_DIR}/cmake/version.h.in ${CMAKE_BINARY_DIR}/generated/version.h)

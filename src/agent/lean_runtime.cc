// Keeps a quarter of the static agent out of the guest's memory. Libraries refer to parts of the C
// and C++ run time in functions that the agent never calls (libnl: name services; protobuf's log
// and Asio: streams, and with them every locale facet). Definitions here satisfy the linker before
// it takes the library's; whoever does call one of the stream functions gets an abort.
//
// Linked into the static program only; mangled names, because these are not ours to declare.
#include <netdb.h>

#include <cstdlib>

extern "C" {

// Name services: the agent looks up no names.
int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo** list) noexcept {
  if (list) *list = nullptr;
  return EAI_FAIL;
}
void freeaddrinfo(addrinfo*) noexcept {}
int getnameinfo(const sockaddr*, socklen_t, char*, socklen_t, char*, socklen_t, int) noexcept {
  return EAI_FAIL;
}
const char* gai_strerror(int) noexcept {
  return "the agent looks up no names";
}
protoent* getprotobyname(const char*) noexcept {
  return nullptr;
}
protoent* getprotobynumber(int) noexcept {
  return nullptr;
}

// std::cout and its kin, made for every program that includes <iostream> somewhere.
void no_streams(void*) __asm__("_ZNSt8ios_base4InitC1Ev");
void no_streams(void*) {}
void no_streams_to_close(void*) __asm__("_ZNSt8ios_base4InitD1Ev");
void no_streams_to_close(void*) {}

// std::locale::locale(), std::locale::classic() and a table beside them.
[[noreturn]] void no_locale(void*) __asm__("_ZNSt6localeC1Ev");
void no_locale(void*) {
  abort();
}
[[noreturn]] void no_classic_locale() __asm__("_ZNSt6locale7classicEv");
void no_classic_locale() {
  abort();
}
extern const void* const no_twinned_facets[2] __asm__("_ZNSt6locale17_S_twinned_facetsE");
const void* const no_twinned_facets[2] = {nullptr, nullptr};

// std::terminate prints the name of the exception's type, for which it needs a demangler.
[[noreturn]] void no_verbose_terminate() __asm__("_ZN9__gnu_cxx27__verbose_terminate_handlerEv");
void no_verbose_terminate() {
  abort();
}
}

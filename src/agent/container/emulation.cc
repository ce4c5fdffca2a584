#include "agent/container/emulation.h"

#include <sys/personality.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstring>

namespace kata::agent {
namespace {

constexpr unsigned long kOnlyAsk = 0xffffffff;

bool ask_cpu() {
#if defined(__x86_64__)
  constexpr unsigned kSignatureLeaf = 0x40000000;
  unsigned highest = 0, words[3] = {};
  __cpuid(kSignatureLeaf, highest, words[0], words[1], words[2]);
  return memcmp(words, "TCGTCGTCGTCG", sizeof words) == 0;
#else
  return false;
#endif
}

}  // namespace

bool runs_emulated() {
  static const bool answer = ask_cpu();
  return answer;
}

void prefer_known_addresses() {
  if (!runs_emulated()) return;
  int now = personality(kOnlyAsk);
  // A refusal costs time only.
  if (now >= 0) personality(static_cast<unsigned long>(now) | ADDR_NO_RANDOMIZE);
}

void want_random_addresses() {
  int now = personality(kOnlyAsk);
  if (now < 0 || (now & ADDR_NO_RANDOMIZE) == 0) return;
  personality(static_cast<unsigned long>(now) & ~static_cast<unsigned long>(ADDR_NO_RANDOMIZE));
}

}  // namespace kata::agent

// What Python calls: which variants this processor runs, and blocks of replicas handed out to threads.
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

#include "arguments.hpp"

#define DECLARE(variant)                                                                                \
  extern "C" void barkhausen_block_##variant(const Problem*, const Run*, int, unsigned char*);          \
  extern "C" int64_t barkhausen_workspace_##variant(const Problem*);

#if defined(__x86_64__)
DECLARE(baseline)
DECLARE(avx2)
DECLARE(avx512)
#elif defined(__aarch64__)
DECLARE(neon)
#else
DECLARE(baseline)
#endif

namespace {

struct Variant {
  const char* name;
  bool (*runs_here)();
  void (*block)(const Problem*, const Run*, int, unsigned char*);
  int64_t (*workspace)(const Problem*);
};

bool always() { return true; }

#if defined(__x86_64__)
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

// Best first.
const Variant variants[] = {
#if defined(__x86_64__)
    {"avx512", has_avx512, barkhausen_block_avx512, barkhausen_workspace_avx512},
    {"avx2", has_avx2, barkhausen_block_avx2, barkhausen_workspace_avx2},
    {"baseline", always, barkhausen_block_baseline, barkhausen_workspace_baseline},
#elif defined(__aarch64__)
    {"neon", always, barkhausen_block_neon, barkhausen_workspace_neon},
#else
    {"baseline", always, barkhausen_block_baseline, barkhausen_workspace_baseline},
#endif
};
constexpr int kVariants = sizeof variants / sizeof *variants;

// Denormals cost a hundred times an ordinary number and mean nothing here: zero for as long as this lives.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : before_(__builtin_ia32_stmxcsr()) { __builtin_ia32_ldmxcsr(before_ | 0x8040); }
  ~FlushDenormals() { __builtin_ia32_ldmxcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  FlushDenormals() {
    __asm__ volatile("mrs %0, fpcr" : "=r"(before_));
    __asm__ volatile("msr fpcr, %0" : : "r"(before_ | (1ull << 24)));
  }
  ~FlushDenormals() { __asm__ volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  uint64_t before_;
#endif
};

}  // namespace

#define EXPORTED extern "C" __attribute__((visibility("default")))

// The name of the variant with this number, best first; null beyond the last.
EXPORTED const char* barkhausen_variant(int number) { return number < kVariants ? variants[number].name : nullptr; }

EXPORTED int barkhausen_runs_here(int number) { return variants[number].runs_here(); }

// Number of the interface and sizes of the structures, for Python to compare with its own.
EXPORTED int64_t barkhausen_layout() {
  return kInterface * 1000000000000 + (int64_t)sizeof(Problem) * 1000000 + (int64_t)sizeof(Run) * 1000 + (int64_t)sizeof(Axis);
}

EXPORTED int64_t barkhausen_workspace_bytes(const Problem* problem, int number) {
  return variants[number].workspace(problem);
}

EXPORTED void barkhausen_run(const Problem* problem, const Run* run, int number) {
  const Variant& variant = variants[number];
  std::atomic<int> next{0};
  auto work = [&](int thread) {
    FlushDenormals flush;
    for (int block = next++; block < run->blocks; block = next++)
      variant.block(problem, run, block, run->workspace + run->workspace_bytes * thread);
  };
  std::vector<std::thread> helpers;
  try {
    for (int thread = 1; thread < run->threads && thread < run->blocks; thread++) helpers.emplace_back(work, thread);
  } catch (const std::system_error&) {
    // As many as the system grants; the blocks are shared among those there are.
  }
  work(0);
  for (std::thread& helper : helpers) helper.join();
}

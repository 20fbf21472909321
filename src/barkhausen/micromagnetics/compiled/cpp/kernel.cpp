// One translation unit, compiled once for each instruction set with BARKHAUSEN_VARIANT naming the result.
//
// It includes no header of the standard library with functions in it: those would be merged across the variants.
// Compiled with -ffp-contract=fast (a product and a sum in one instruction where there is one: a rounding less, and
// the same for every lane) and with -fno-math-errno and -fno-trapping-math (neither errno nor the exception flags are
// looked at), but without -ffast-math: a NaN has to stay visible, and no sum may be reordered by the lane it is in.
#include "heun.hpp"
#include "splitting.hpp"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

extern "C" __attribute__((visibility("hidden"))) void JOIN(barkhausen_block_, BARKHAUSEN_VARIANT)(
    const Problem* problem, const Run* run, int index, unsigned char* workspace) {
  (run->task == kSplit ? run_splitting : run_block)(*problem, *run, index, workspace);
}

extern "C" __attribute__((visibility("hidden"))) int64_t JOIN(barkhausen_workspace_, BARKHAUSEN_VARIANT)(
    const Problem* problem) {
  Workspace layout;
  return lay_out(*problem, nullptr, layout);
}

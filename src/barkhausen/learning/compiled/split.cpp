// The split-precision update of split_precision.py in one pass over weights: split, round, clip, carry. All factors are
// powers of two, so that every product is exact and torch's operations give the same numbers.

#include <cmath>
#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__linux__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

extern "C" {

// `wanted` holds what the optimiser asks for and receives the new weights; `held` holds the weights before. Returns the
// sum of squares of the updates in quanta, in blocks so that the order of the sum is fixed.
__attribute__((visibility("default"))) CLONES double barkhausen_split(
    float* wanted, const float* held, std::int64_t count, float coarse, float fine, float smallest, float half,
    float carry, std::int64_t* updates) {
    constexpr std::int64_t BLOCK = 256;
    const float one_coarse = 1.0f / coarse, one_fine = 1.0f / fine;
    double total = 0.0;
    std::int64_t made = 0;
    for (std::int64_t start = 0; start < count; start += BLOCK) {
        const std::int64_t end = count - start < BLOCK ? count : start + BLOCK;
        float squares = 0.0f;
        std::int32_t changed = 0;
        for (std::int64_t i = start; i < end; ++i) {
            const float before = held[i];
            float w = before < -1.0f ? -1.0f : before;
            w = w > 1.0f ? 1.0f : w;
            w = std::fabs(w) < smallest ? 0.0f : w;
            float step = before - wanted[i];
            step = step < -one_coarse ? -one_coarse : step;
            step = step > one_coarse ? one_coarse : step;
            const float quanta = std::trunc(step * fine);
            const float high = std::nearbyint(w * coarse) * one_coarse;
            float low = std::nearbyint((w - high) * fine) - quanta;
            low = low < -half ? -half : low;
            low = low > half ? half : low;
            const float extra = low >= half ? carry : (low <= -half ? -carry : 0.0f);
            wanted[i] = high + (low + extra) * one_fine;
            squares += quanta * quanta;
            changed += quanta != 0.0f;
        }
        total += static_cast<double>(squares);
        made += changed;
    }
    *updates += made;
    return total;
}
}

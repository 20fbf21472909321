// The margin rule in one pass over memories and weights: clip, find the nearest level, list the few devices that are
// outside the margin of it. The numbers are those that quantiser.py computes with torch, bit for bit: same operations,
// same order, no contraction to fused multiply-adds (see setup.py).

#include <cmath>
#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__linux__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

namespace {

// What is not inlined would be compiled for the oldest processor only.
#define INLINE inline __attribute__((always_inline))

constexpr std::int64_t BLOCK = 64;
constexpr float HALF_CELLS = 4096.0f;  // half of quantiser.CELLS

// Levels that are evenly spaced from -1 to 1: reach = (N - 1)/2, and offset a half where N is even.
struct Even {
    float reach, inverse, offset;
    bool between;
    INLINE float place(float a) const {
        const float scaled = a * reach;
        return between ? std::floor(scaled) : std::nearbyint(scaled);
    }
    INLINE void nearest(const float* a, float* level, std::int64_t size) const {
        for (std::int64_t i = 0; i < size; ++i) {
            const float at = place(a[i]);
            level[i] = (between ? at + offset : at) * inverse;
        }
    }
    INLINE std::int64_t state(float a) const { return static_cast<std::int64_t>(place(a) + (reach + offset)); }
};

// Any others: by the cell of the memory's range. Where there are few, a comparison with each edge is many times faster
// than looking the cell up; the edges are whole numbers, so that it comes to the same.
struct Table {
    const float* levels;         // of each cell
    const std::int64_t* states;  // of each cell
    const float* edges;          // cells at which the next state begins
    const float* steps;          // levels of the states
    std::int64_t count;          // of the states, zero where they are many
    static INLINE std::int32_t cell(float a) { return static_cast<std::int32_t>((a + 1.0f) * HALF_CELLS); }
    INLINE void nearest(const float* a, float* level, std::int64_t size) const {
        if (!count) {
            for (std::int64_t i = 0; i < size; ++i) level[i] = levels[cell(a[i])];
            return;
        }
        float at[BLOCK];
        for (std::int64_t i = 0; i < size; ++i) {
            at[i] = (a[i] + 1.0f) * HALF_CELLS;
            level[i] = steps[0];
        }
        for (std::int64_t k = 1; k < count; ++k) {
            const float edge = edges[k - 1], step = steps[k];
            for (std::int64_t i = 0; i < size; ++i) level[i] = at[i] >= edge ? step : level[i];
        }
    }
    INLINE std::int64_t state(float a) const { return states[cell(a)]; }
};

template <class Levels>
INLINE std::int64_t scan(float* memory, const float* weight, std::int64_t count, const Levels levels, float margin,
                         std::int64_t capacity, std::int64_t* index, std::int64_t* target) {
    std::int64_t found = 0;
    for (std::int64_t start = 0; start < count; start += BLOCK) {
        const std::int64_t size = count - start < BLOCK ? count - start : BLOCK;
        float* a = memory + start;
        const float* w = weight + start;
        std::int32_t wrong = 0, hit = 0;
        float error[BLOCK];
        for (std::int64_t i = 0; i < size; ++i) {
            const float low = a[i] < -1.0f ? -1.0f : a[i];
            const float clipped = low > 1.0f ? 1.0f : low;
            a[i] = clipped;
            wrong |= clipped != clipped;
        }
        if (wrong) return -1;
        levels.nearest(a, error, size);
        for (std::int64_t i = 0; i < size; ++i) {
            error[i] = std::fabs(error[i] - w[i]);
            hit |= error[i] > margin;
        }
        if (!hit) continue;
        for (std::int64_t i = 0; i < size; ++i) {
            if (!(error[i] > margin)) continue;
            if (found < capacity) {
                index[found] = start + i;
                target[found] = levels.state(a[i]);
            }
            ++found;
        }
    }
    return found;
}

}  // namespace

extern "C" {

// How many devices are outside the margin (only the first `capacity` are listed), or -1 for a memory that is not a
// number.
__attribute__((visibility("default"))) CLONES std::int64_t barkhausen_scan_even(
    float* memory, const float* weight, std::int64_t count, float reach, float inverse, float offset, float margin,
    std::int64_t capacity, std::int64_t* index, std::int64_t* target) {
    const Even levels{reach, inverse, offset, offset > 0.0f};
    return scan(memory, weight, count, levels, margin, capacity, index, target);
}

__attribute__((visibility("default"))) CLONES std::int64_t barkhausen_scan_table(
    float* memory, const float* weight, std::int64_t count, const float* levels, const std::int64_t* states,
    const float* edges, const float* steps, std::int64_t few, float margin, std::int64_t capacity, std::int64_t* index,
    std::int64_t* target) {
    return scan(memory, weight, count, Table{levels, states, edges, steps, few}, margin, capacity, index, target);
}
}

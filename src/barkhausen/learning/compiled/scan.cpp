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
template <bool BETWEEN>
struct Even {
    float reach, inverse, offset;
    INLINE float place(float a) const {
        const float scaled = a * reach;
        return BETWEEN ? std::floor(scaled) : std::nearbyint(scaled);
    }
    INLINE float level(float a) const {
        const float at = place(a);
        return (BETWEEN ? at + offset : at) * inverse;
    }
    INLINE std::int64_t state(float a) const { return static_cast<std::int64_t>(place(a) + (reach + offset)); }
};

INLINE std::int32_t cell(float a) { return static_cast<std::int32_t>((a + 1.0f) * HALF_CELLS); }

// Any others: by the cell of the memory's range.
struct Many {
    const float* levels;
    const std::int64_t* states;
    INLINE float level(float a) const { return levels[cell(a)]; }
    INLINE std::int64_t state(float a) const { return states[cell(a)]; }
};

// Where there are few, comparing with each edge is faster than looking the cell up. Edges are whole numbers of cells, so
// that it comes to the same.
template <int STATES>
struct Few {
    float edges[STATES - 1];
    float steps[STATES];
    const std::int64_t* states;
    INLINE Few(const float* e, const float* l, const std::int64_t* s) : states(s) {
        for (int k = 0; k < STATES; ++k) steps[k] = l[k];
        for (int k = 0; k + 1 < STATES; ++k) edges[k] = e[k];
    }
    INLINE float level(float a) const {
        const float at = (a + 1.0f) * HALF_CELLS;
        float found = steps[0];
#pragma GCC unroll 16
        for (int k = 1; k < STATES; ++k) found = at >= edges[k - 1] ? steps[k] : found;
        return found;
    }
    INLINE std::int64_t state(float a) const { return states[cell(a)]; }
};

INLINE float clip(float a) {
    const float low = a < -1.0f ? -1.0f : a;
    return low > 1.0f ? 1.0f : low;
}

// Clips a block in place; false where a memory is not a number. Nearly all memories are in range: they are read, and
// written only where one is not.
INLINE bool clip_all(float* a, std::int64_t size) {
    std::int32_t beyond = 0, wrong = 0;
    for (std::int64_t i = 0; i < size; ++i) beyond |= clip(a[i]) != a[i];
    if (!beyond) return true;
    for (std::int64_t i = 0; i < size; ++i) {
        a[i] = clip(a[i]);
        wrong |= a[i] != a[i];
    }
    return !wrong;
}

template <class Levels>
INLINE std::int64_t scan(float* memory, const float* weight, std::int64_t count, const Levels levels, float margin,
                         std::int64_t capacity, std::int64_t* index, std::int64_t* target) {
    std::int64_t found = 0;
    for (std::int64_t start = 0; start < count; start += BLOCK) {
        const std::int64_t size = count - start < BLOCK ? count - start : BLOCK;
        float* a = memory + start;
        const float* w = weight + start;
        if (!clip_all(a, size)) return -1;
        std::int32_t hit = 0;
        for (std::int64_t i = 0; i < size; ++i) hit |= std::fabs(levels.level(a[i]) - w[i]) > margin;
        if (!hit) continue;
        for (std::int64_t i = 0; i < size; ++i) {
            if (!(std::fabs(levels.level(a[i]) - w[i]) > margin)) continue;
            if (found < capacity) {
                index[found] = start + i;
                target[found] = levels.state(a[i]);
            }
            ++found;
        }
    }
    return found;
}

// Range of latent weights of each state. Where there are few, comparing is faster than looking up.
template <int STATES>
struct FewRanges {
    float low[STATES], high[STATES];
    INLINE FewRanges(const float* l, const float* h) {
        for (int k = 0; k < STATES; ++k) low[k] = l[k], high[k] = h[k];
    }
    // A recursion and no loop: the compiler would unroll a loop too late to make vectors of it.
    template <int S>
    static INLINE float of(const float* bounds, float k, float found) {
        if constexpr (S < STATES) {
            const float bound = bounds[S];
            return of<S + 1>(bounds, k, k >= static_cast<float>(S) ? bound : found);
        } else {
            return found;
        }
    }
    INLINE std::int32_t left(float a, std::uint8_t held) const {
        // As a number like the others, so that all lanes of a vector are of one width.
        const float k = static_cast<float>(held);
        const float l = of<1>(low, k, low[0]), h = of<1>(high, k, high[0]);
        return static_cast<std::int32_t>(a < l) | static_cast<std::int32_t>(a >= h);
    }
};

struct ManyRanges {
    const float *low, *high;
    INLINE std::int32_t left(float a, std::uint8_t held) const {
        return static_cast<std::int32_t>(a < low[held]) | static_cast<std::int32_t>(a >= high[held]);
    }
};

template <class Ranges>
INLINE std::int64_t scan_left(float* memory, const std::uint8_t* held, std::int64_t count, const Ranges ranges,
                              std::int64_t capacity, std::int64_t* index) {
    std::int64_t found = 0;
    for (std::int64_t start = 0; start < count; start += BLOCK) {
        const std::int64_t size = count - start < BLOCK ? count - start : BLOCK;
        float* a = memory + start;
        const std::uint8_t* k = held + start;
        if (!clip_all(a, size)) return -1;
        std::int32_t hit = 0;
        for (std::int64_t i = 0; i < size; ++i) hit |= ranges.left(a[i], k[i]);
        if (!hit) continue;
        for (std::int64_t i = 0; i < size; ++i) {
            if (!ranges.left(a[i], k[i])) continue;
            if (found < capacity) index[found] = start + i;
            ++found;
        }
    }
    return found;
}

}  // namespace

extern "C" {

// How many devices are outside the margin (only the first `capacity` are listed), or -1 for a memory that is not a
// number. `few` is the number of states where it is from 2 to 8 and may be used so, and else zero.
__attribute__((visibility("default"))) CLONES std::int64_t barkhausen_scan_even(
    float* memory, const float* weight, std::int64_t count, float reach, float inverse, float offset, float margin,
    std::int64_t capacity, std::int64_t* index, std::int64_t* target) {
    if (offset > 0.0f)
        return scan(memory, weight, count, Even<true>{reach, inverse, offset}, margin, capacity, index, target);
    return scan(memory, weight, count, Even<false>{reach, inverse, offset}, margin, capacity, index, target);
}

__attribute__((visibility("default"))) CLONES std::int64_t barkhausen_scan_table(
    float* memory, const float* weight, std::int64_t count, const float* levels, const std::int64_t* states,
    const float* edges, const float* steps, std::int64_t few, float margin, std::int64_t capacity, std::int64_t* index,
    std::int64_t* target) {
#define FEW(n) \
    case n: \
        return scan(memory, weight, count, Few<n>(edges, steps, states), margin, capacity, index, target)
    switch (few) {
        FEW(2);
        FEW(3);
        FEW(4);
        FEW(5);
        FEW(6);
        FEW(7);
        FEW(8);
        default:
            return scan(memory, weight, count, Many{levels, states}, margin, capacity, index, target);
    }
}
#undef FEW

// How many latent weights have left the range [low, high) of their held state, or -1 for a memory that is not a number.
__attribute__((visibility("default"))) CLONES std::int64_t barkhausen_scan_left(
    float* memory, const std::uint8_t* held, std::int64_t count, const float* low, const float* high,
    std::int64_t states, std::int64_t capacity, std::int64_t* index) {
#define FEW(n) \
    case n: \
        return scan_left(memory, held, count, FewRanges<n>(low, high), capacity, index)
    switch (states) {
        FEW(2);
        FEW(3);
        FEW(4);
        FEW(5);
        FEW(6);
        FEW(7);
        FEW(8);
        default:
            return scan_left(memory, held, count, ManyRanges{low, high}, capacity, index);
    }
#undef FEW
}
}

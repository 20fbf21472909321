// Devices that leave their state within one step, in one pass: a random number for each synapse by a hash of a seed and
// its position, compared with the probability of its device in its state. Few leave; they are listed with where they go.

#include <cstdint>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__linux__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

namespace {

#define INLINE inline __attribute__((always_inline))

constexpr std::int64_t BLOCK = 64;

// Bijective mixing of 32 bits with low bias ("lowbias32" of C. Wellons' hash-prospector, public domain).
INLINE std::uint32_t mixed(std::uint32_t x) {
    x ^= x >> 16;
    x *= 0x7feb352dU;
    x ^= x >> 15;
    x *= 0x846ca68bU;
    return x ^ (x >> 16);
}

INLINE std::uint32_t random_bits(std::uint32_t position, std::uint32_t low, std::uint32_t high) {
    return mixed(mixed(position + low) ^ high);
}

// Of another stream than random_bits, for the place that a device goes to.
INLINE std::uint32_t more_random_bits(std::uint32_t position, std::uint32_t low, std::uint32_t high) {
    return mixed(mixed((position ^ 0x9e3779b9U) + high) ^ low);
}

}  // namespace

extern "C" {

// How many devices leave (only the first `capacity` are listed, with their row of the population and the place that they
// go to: left end, the states, right end). Devices of one array have their own rows, from `first_row[array]` on.
// `limits[row][state]` is the probability to leave times 2^32, and `edges[kind_of_row[row]][state][place]` that to go no
// further right than to a place. Devices whose weight is not between `low` and `high`, and stuck ones, stay.
__attribute__((visibility("default"))) CLONES std::int64_t barkhausen_decay(
    const std::uint8_t* state, const std::int16_t* device, const float* weight, const std::uint8_t* stuck,
    const std::int64_t* ends, const std::int64_t* first_row, std::int64_t arrays, const std::uint32_t* limits,
    const std::int64_t* kind_of_row, const std::uint32_t* edges, std::int32_t states, float low, float high,
    std::uint64_t seed, std::int64_t capacity, std::int64_t* index, std::int64_t* row, std::int64_t* place) {
    const std::uint32_t one = static_cast<std::uint32_t>(seed), two = static_cast<std::uint32_t>(seed >> 32);
    const std::int64_t places = states + 2;
    std::int64_t found = 0, begin = 0;
    for (std::int64_t array = 0; array < arrays; begin = ends[array], ++array) {
        const std::uint32_t* own = limits + first_row[array] * states;
        for (std::int64_t start = begin; start < ends[array]; start += BLOCK) {
            const std::int64_t size = ends[array] - start < BLOCK ? ends[array] - start : BLOCK;
            const std::uint8_t* k = state + start;
            const std::int16_t* d = device + start;
            const std::uint32_t base = static_cast<std::uint32_t>(start);
            alignas(64) std::uint8_t leaves[BLOCK] = {};
            for (std::int64_t i = 0; i < size; ++i) {
                const std::uint32_t limit = own[static_cast<std::int32_t>(d[i]) * states + k[i]];
                leaves[i] = random_bits(base + static_cast<std::uint32_t>(i), one, two) < limit;
            }
            for (std::int64_t part = 0; part < BLOCK; part += 8) {
                std::uint64_t word;
                std::memcpy(&word, leaves + part, 8);
                if (!word) continue;
                for (std::int64_t i = part; i < part + 8; ++i) {
                    if (!leaves[i]) continue;
                    const std::int64_t at = start + i;
                    if (!(weight[at] > low && weight[at] < high) || (stuck && stuck[at])) continue;
                    if (found < capacity) {
                        const std::int64_t here = first_row[array] + d[i];
                        const std::uint32_t* edge = edges + (kind_of_row[here] * states + k[i]) * places;
                        const std::uint32_t luck = more_random_bits(static_cast<std::uint32_t>(at), one, two);
                        std::int64_t to = 0;
                        while (to + 1 < places && luck >= edge[to]) ++to;
                        index[found] = at;
                        row[found] = here;
                        place[found] = to;
                    }
                    ++found;
                }
            }
        }
    }
    return found;
}
}

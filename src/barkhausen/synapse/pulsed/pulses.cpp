// Pulses on arrays of devices that identical pulses move: which devices are due, and the pulses themselves. Random
// numbers are a hash of a key, the place of the device and the number of the pulse, so that they do not depend on the
// order of computation; kernel.py computes the same with torch.

#include <cmath>
#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__linux__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

namespace {

#define INLINE inline __attribute__((always_inline))

// Finaliser "lowbias32" of C. Wellons (public domain).
INLINE std::uint32_t mixed(std::uint32_t x) {
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    return x;
}

INLINE std::uint32_t bits(std::uint32_t low, std::uint32_t high, std::uint32_t place) {
    return mixed(mixed(place ^ low) + high);
}

INLINE float uniform(std::uint32_t x) { return static_cast<float>(static_cast<std::int32_t>(x >> 8)) * 0x1p-24f; }

// A standard normal number, from the state of a sequence of hashes, which goes on.
INLINE float normal(std::uint32_t& state) {
    state = mixed(state + 0x9e3779b9u);
    const float radius = uniform(state) + 0x1p-25f;
    state = mixed(state + 0x9e3779b9u);
    const float angle = uniform(state) * 6.28318530717958647692f;
    return std::sqrt(-2.0f * std::log(radius)) * std::cos(angle);
}

// The number of a device's own at one point of its tables, the same at every pulse.
INLINE float own(std::uint32_t device, std::int64_t point) {
    std::uint32_t state = device + 0x9e3779b9u * static_cast<std::uint32_t>(point + 1);
    return normal(state);
}

constexpr std::int64_t BLOCK = 64;

}  // namespace

extern "C" {

// Requested changes of weight as whole numbers of pulses, rounded up or down at random. `wanted` receives what the
// optimiser asked for and gets back the weights. Returns the number of devices due, for which there must be room, or -1
// where a request is not a number.
__attribute__((visibility("default"))) CLONES std::int64_t barkhausen_requested(
    float* wanted, const float* held, std::int64_t count, float up, float down, float most, std::uint32_t low,
    std::uint32_t high, std::int64_t* index, std::int32_t* pulses) {
    std::int64_t found = 0;
    for (std::int64_t start = 0; start < count; start += BLOCK) {
        const std::int64_t size = count - start < BLOCK ? count - start : BLOCK;
        float* a = wanted + start;
        const float* w = held + start;
        float number[BLOCK];
        std::int32_t hit = 0, wrong = 0;
        for (std::int64_t i = 0; i < size; ++i) {
            const float change = a[i] - w[i];
            wrong |= change != change;
            const float exact = std::fabs(change) * (change > 0.0f ? up : down);
            const float drawn = uniform(bits(low, high, static_cast<std::uint32_t>(start + i)));
            float n = std::floor(exact + drawn);
            n = n < most ? n : most;
            number[i] = change > 0.0f ? n : -n;
            a[i] = w[i];
            hit |= n > 0.0f;
        }
        if (wrong) return -1;
        if (!hit) continue;
        for (std::int64_t i = 0; i < size; ++i) {
            if (number[i] == 0.0f) continue;
            index[found] = start + i;
            pulses[found] = static_cast<std::int32_t>(number[i]);
            ++found;
        }
    }
    return found;
}

// Latent weights that have moved from their marks by more than a quantum. Blind: one pulse, and the mark is where the
// latent weight is. Otherwise a pulse for each whole quantum, and the mark moves by as many.
__attribute__((visibility("default"))) CLONES std::int64_t barkhausen_moved(
    const float* latent, float* mark, std::int64_t count, float quantum, std::int64_t blind, float most,
    std::int64_t* index, std::int32_t* pulses) {
    std::int64_t found = 0;
    for (std::int64_t start = 0; start < count; start += BLOCK) {
        const std::int64_t size = count - start < BLOCK ? count - start : BLOCK;
        const float* a = latent + start;
        float* m = mark + start;
        std::int32_t hit = 0, wrong = 0;
        for (std::int64_t i = 0; i < size; ++i) {
            const float moved = a[i] - m[i];
            hit |= std::fabs(moved) > quantum;
            wrong |= moved != moved;
        }
        if (wrong) return -1;
        if (!hit) continue;
        for (std::int64_t i = 0; i < size; ++i) {
            const float moved = a[i] - m[i];
            if (!(std::fabs(moved) > quantum)) continue;
            float n = blind ? (moved > 0.0f ? 1.0f : -1.0f) : std::trunc(moved / quantum);
            n = n > most ? most : (n < -most ? -most : n);
            index[found] = start + i;
            pulses[found] = static_cast<std::int32_t>(n);
            m[i] = blind ? a[i] : m[i] + n * quantum;
            ++found;
        }
    }
    return found;
}

// Pulses on the devices at `index`: w <- clip(w + k (m(u) + s(u) xi), lo, hi). Tables have `grid` points for each sign, up
// first. `counts` gets the numbers of pulses up and down; `follow` gets the weights of these devices too, or is null.
// `bounds` holds lo and hi of all devices, or is null for -1 and 1; `factor` k up and k down, or is null for 1. `pattern`
// is the spread of m between devices, whose numbers are a hash of `own_low`, `own_high`, device and point; or is null.
__attribute__((visibility("default"))) void barkhausen_pulse_devices(
    float* weight, std::int64_t count, const std::int64_t* index, const std::int32_t* pulses, std::int64_t events,
    const float* mean, const float* spread, const float* pattern, std::int64_t grid, const float* bounds,
    const float* factor, std::uint32_t own_low, std::uint32_t own_high, std::uint32_t low, std::uint32_t high,
    std::int64_t* counts, float* follow) {
    const float cells = static_cast<float>(grid - 1);
    for (std::int64_t e = 0; e < events; ++e) {
        const std::int64_t i = index[e];
        const bool rises = pulses[e] > 0;
        const std::int64_t number = rises ? pulses[e] : -pulses[e];
        const float* m = mean + (rises ? 0 : grid);
        const float* s = spread + (rises ? 0 : grid);
        const std::int64_t row = rises ? 0 : grid;
        const std::uint32_t device = pattern ? bits(own_low, own_high, static_cast<std::uint32_t>(i)) : 0;
        const float lo = bounds ? bounds[i] : -1.0f, hi = bounds ? bounds[count + i] : 1.0f;
        const float k = factor ? factor[(rises ? 0 : count) + i] : 1.0f;
        const float scale = cells / (hi - lo);
        float w = weight[i];
        std::uint32_t state = bits(low, high, static_cast<std::uint32_t>(i));
        for (std::int64_t n = 0; n < number; ++n) {
            float place = (w - lo) * scale;
            place = place < 0.0f ? 0.0f : (place > cells ? cells : place);
            std::int64_t cell = static_cast<std::int64_t>(place);
            cell = cell > grid - 2 ? grid - 2 : cell;
            const float part = place - static_cast<float>(cell);
            float step = m[cell] + part * (m[cell + 1] - m[cell]);
            if (pattern) {
                const float* p = pattern + row + cell;
                const float first = p[0] * own(device, row + cell), second = p[1] * own(device, row + cell + 1);
                step += first + part * (second - first);
                step = (step > 0.0f) == rises ? step : 0.0f;
            }
            const float sd = s[cell] + part * (s[cell + 1] - s[cell]);
            w += k * (step + sd * normal(state));
            w = w < lo ? lo : (w > hi ? hi : w);
        }
        weight[i] = w;
        if (follow) follow[i] = w;
        counts[rises ? 0 : 1] += number;
    }
}
}

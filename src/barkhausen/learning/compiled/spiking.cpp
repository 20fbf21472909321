// Spiking neurons over all time steps, forward and backward, and the normalisation of their outputs at every time step.
// Every neuron of every sample is an element of its own; a block of elements goes through all steps while its states
// are in registers or the first cache. learning/spiking/cell.py computes the same with torch.

#include <algorithm>
#include <cmath>
#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__linux__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif
#define EXPORTED __attribute__((visibility("default")))
#define INLINE inline __attribute__((always_inline))

namespace {

constexpr std::int64_t BLOCK = 256;

enum Law : std::int64_t { LEAKY = 0, WALL = 1, TABLE = 2 };
enum Shape : std::int64_t { SUPERSPIKE = 0, ARCTANGENT = 1, TRIANGLE = 2, BOX = 3 };

// In the order in which Python writes them.
struct Numbers {
    float decay;      // factor of the current for one step
    float threshold;  // state above which a neuron fires
    float cleared;    // 1: a spike removes the state
    float added;      // what a spike adds to the state
    float through;    // 1: the gradient passes the reset
    float amplitude;  // surrogate gradient: factor, and slope
    float slope;
    float spread;  // relative standard deviation of a step
    float a, b, c; // leaky: gain, leak; wall: drive, taper, leak
    float floor_;
    float lowest, per_input, inputs, places;  // table: first input, cells per unit, last cell of inputs and of places
    float failing;  // probability that a reset fails
};

struct Table {
    const float* mean;
    const float* deviation;
};

struct Cell {
    std::int64_t corner, row;
    float across, along;
    bool inside_input, inside_place;
};

// Whether a reset succeeds: by the lower bits of the number that moved the state, which are uniform.
INLINE float succeeds(const Numbers& p, const float* xi, std::int64_t k) {
    if (!xi) return 1.0f;
    const float u = std::fabs(xi[k]) * 4096.0f;
    return u - std::floor(u) >= p.failing ? 1.0f : 0.0f;
}

INLINE Cell cell_of(const Numbers& p, float input, float place) {
    float u = (input - p.lowest) * p.per_input, v = place * p.places;
    Cell found;
    found.inside_input = u >= 0.0f && u <= p.inputs;
    found.inside_place = v >= 0.0f && v <= p.places;
    u = std::min(std::max(u, 0.0f), p.inputs);
    v = std::min(std::max(v, 0.0f), p.places);
    const float i = std::min(std::floor(u), p.inputs - 1.0f), j = std::min(std::floor(v), p.places - 1.0f);
    found.across = u - i;
    found.along = v - j;
    found.row = static_cast<std::int64_t>(p.places) + 1;
    found.corner = static_cast<std::int64_t>(i) * found.row + static_cast<std::int64_t>(j);
    return found;
}

INLINE float value_at(const float* t, const Cell& c) {
    const float* q = t + c.corner;
    const float low = q[0] + c.along * (q[1] - q[0]), high = q[c.row] + c.along * (q[c.row + 1] - q[c.row]);
    return low + c.across * (high - low);
}

INLINE float by_input(const float* t, const Cell& c) {
    const float* q = t + c.corner;
    const float low = q[0] + c.along * (q[1] - q[0]), high = q[c.row] + c.along * (q[c.row + 1] - q[c.row]);
    return high - low;
}

INLINE float by_place(const float* t, const Cell& c) {
    const float* q = t + c.corner;
    const float low = q[1] - q[0], high = q[c.row + 1] - q[c.row];
    return low + c.across * (high - low);
}

template <int LAW, bool IGNORES>
INLINE void forward_block(const float* in, const float* noise, float* x0, float* i0, float* r0, std::int64_t steps,
                          std::int64_t count, std::int64_t size, const Numbers& p, const Table& table, float* spikes,
                          float* before, float* used, float* open) {
    float x[BLOCK], i[BLOCK], r[BLOCK];
    for (std::int64_t k = 0; k < size; ++k) x[k] = x0[k], i[k] = i0[k], r[k] = r0[k];
    for (std::int64_t t = 0; t < steps; ++t) {
        const std::int64_t at = t * count;
        const float *given = in + at, *xi = noise ? noise + at : nullptr;
        float next[BLOCK];
        if (LAW == LEAKY) {
            for (std::int64_t k = 0; k < size; ++k) {
                const float j = i[k] + given[k];
                const float drive = IGNORES ? j * r[k] : j;
                float change = p.a * drive - p.b * x[k];
                if (xi) change *= 1.0f + p.spread * xi[k];
                next[k] = x[k] + change;
                i[k] = p.decay * j;
            }
        } else if (LAW == WALL) {
            for (std::int64_t k = 0; k < size; ++k) {
                const float drive = IGNORES ? i[k] * r[k] : i[k];
                float change = p.a * drive / (1.0f + p.b * x[k]) - p.c;
                if (xi) change *= 1.0f + p.spread * xi[k];
                next[k] = x[k] + change;
            }
            if (used)
                for (std::int64_t k = 0; k < size; ++k) used[at + k] = i[k];
            for (std::int64_t k = 0; k < size; ++k) i[k] = p.decay * i[k] + given[k];
        } else {
            for (std::int64_t k = 0; k < size; ++k) {
                const float j = i[k] + given[k];
                const Cell c = cell_of(p, IGNORES ? j * r[k] : j, x[k]);
                float change = value_at(table.mean, c);
                if (xi) change += value_at(table.deviation, c) * xi[k];
                next[k] = x[k] + change;
                if (used) used[at + k] = j;
                i[k] = p.decay * j;
            }
        }
        if (open && IGNORES)
            for (std::int64_t k = 0; k < size; ++k) open[at + k] = r[k];
        if (before)
            for (std::int64_t k = 0; k < size; ++k) before[at + k] = next[k];
        for (std::int64_t k = 0; k < size; ++k) {
            float z = next[k] > p.threshold ? 1.0f : 0.0f;
            if (IGNORES) z *= r[k];
            const float held = next[k] > p.floor_ ? next[k] : p.floor_;
            const float hit = z * succeeds(p, xi, k);
            x[k] = (1.0f - hit * p.cleared) * held + hit * p.added;
            if (IGNORES) r[k] = x[k] <= 0.0f ? 1.0f : r[k] * (1.0f - z);
            spikes[at + k] = z;
        }
    }
    for (std::int64_t k = 0; k < size; ++k) x0[k] = x[k], i0[k] = i[k], r0[k] = r[k];
}

INLINE void surrogate(const Numbers& p, std::int64_t shape, const float* next, std::int64_t size, float* out) {
    if (shape == SUPERSPIKE) {
        for (std::int64_t k = 0; k < size; ++k) {
            const float d = p.slope * std::fabs(next[k] - p.threshold) + 1.0f;
            out[k] = p.amplitude / (d * d);
        }
    } else if (shape == ARCTANGENT) {
        for (std::int64_t k = 0; k < size; ++k) {
            const float d = p.slope * (next[k] - p.threshold);
            out[k] = p.amplitude / (1.0f + d * d);
        }
    } else if (shape == TRIANGLE) {
        for (std::int64_t k = 0; k < size; ++k)
            out[k] = p.amplitude * std::max(0.0f, 1.0f - p.slope * std::fabs(next[k] - p.threshold));
    } else {
        for (std::int64_t k = 0; k < size; ++k)
            out[k] = p.slope * std::fabs(next[k] - p.threshold) < 1.0f ? p.amplitude : 0.0f;
    }
}

template <int LAW, bool IGNORES>
INLINE void backward_block(const float* to_spikes, const float* before, const float* used, const float* open,
                           const float* noise, const float* x0, std::int64_t steps, std::int64_t count,
                           std::int64_t size, const Numbers& p, const Table& table, std::int64_t shape,
                           std::int64_t truncation, float* to_in) {
    float gx[BLOCK], gi[BLOCK], slope[BLOCK], gn[BLOCK];
    for (std::int64_t k = 0; k < size; ++k) gx[k] = gi[k] = 0.0f;
    for (std::int64_t t = steps - 1; t >= 0; --t) {
        const std::int64_t at = t * count;
        const float *next = before + at, *gz = to_spikes + at, *xi = noise ? noise + at : nullptr;
        const float* gate = IGNORES ? open + at : nullptr;
        surrogate(p, shape, next, size, slope);
        for (std::int64_t k = 0; k < size; ++k) {
            float z = next[k] > p.threshold ? 1.0f : 0.0f, pass = 1.0f;
            if (IGNORES) z *= gate[k], pass = gate[k];
            const float held = next[k] > p.floor_ ? next[k] : p.floor_;
            const float inside = next[k] > p.floor_ ? 1.0f : 0.0f;
            const float done = succeeds(p, xi, k), hit = z * done;
            const float spike = gz[k] + p.through * gx[k] * done * (p.added - p.cleared * held);
            gn[k] = gx[k] * (1.0f - hit * p.cleared) * inside + pass * spike * slope[k];
        }
        if (LAW == LEAKY) {
            for (std::int64_t k = 0; k < size; ++k) {
                const float factor = xi ? 1.0f + p.spread * xi[k] : 1.0f;
                const float drive = IGNORES ? p.a * gate[k] : p.a;
                gi[k] = p.decay * gi[k] + factor * drive * gn[k];
                gx[k] = gn[k] * (1.0f - factor * p.b);
                to_in[at + k] = gi[k];
            }
        } else {
            const float* i = used + at;
            float x[BLOCK];
            if (t == 0) {
                for (std::int64_t k = 0; k < size; ++k) x[k] = x0[k];
            } else {
                const float *earlier = next - count, *drawn = xi ? xi - count : nullptr;
                for (std::int64_t k = 0; k < size; ++k) {
                    float z = earlier[k] > p.threshold ? 1.0f : 0.0f;
                    if (IGNORES) z *= gate[k - count];
                    const float held = earlier[k] > p.floor_ ? earlier[k] : p.floor_;
                    const float hit = z * succeeds(p, drawn, k);
                    x[k] = (1.0f - hit * p.cleared) * held + hit * p.added;
                }
            }
            if (LAW == WALL) {
                for (std::int64_t k = 0; k < size; ++k) {
                    const float factor = xi ? 1.0f + p.spread * xi[k] : 1.0f;
                    const float slow = 1.0f / (1.0f + p.b * x[k]);
                    const float drive = factor * p.a * slow * (IGNORES ? gate[k] : 1.0f);
                    to_in[at + k] = gi[k];
                    gi[k] = p.decay * gi[k] + drive * gn[k];
                    gx[k] = gn[k] * (1.0f - drive * i[k] * p.b * slow);
                }
            } else {
                for (std::int64_t k = 0; k < size; ++k) {
                    const float pass = IGNORES ? gate[k] : 1.0f;
                    const Cell c = cell_of(p, pass * i[k], x[k]);
                    float input = c.inside_input ? by_input(table.mean, c) * p.per_input : 0.0f;
                    float place = c.inside_place ? by_place(table.mean, c) * p.places : 0.0f;
                    if (xi) {
                        input += c.inside_input ? by_input(table.deviation, c) * p.per_input * xi[k] : 0.0f;
                        place += c.inside_place ? by_place(table.deviation, c) * p.places * xi[k] : 0.0f;
                    }
                    gi[k] = p.decay * gi[k] + pass * input * gn[k];
                    gx[k] = gn[k] * (1.0f + place);
                    to_in[at + k] = gi[k];
                }
            }
        }
        if (truncation > 0 && t % truncation == 0)
            for (std::int64_t k = 0; k < size; ++k) gx[k] = gi[k] = 0.0f;
    }
}

template <int LAW, bool IGNORES>
INLINE void over_blocks_forward(std::int64_t count, const float* in, const float* noise, float* x0, float* i0,
                                float* r0, std::int64_t steps, const Numbers& p, const Table& table, float* spikes,
                                float* before, float* used, float* open) {
    for (std::int64_t k = 0; k < count; k += BLOCK)
        forward_block<LAW, IGNORES>(in + k, noise ? noise + k : nullptr, x0 + k, i0 + k, r0 + k, steps, count,
                                    std::min(BLOCK, count - k), p, table, spikes + k, before ? before + k : nullptr,
                                    used ? used + k : nullptr, open ? open + k : nullptr);
}

template <int LAW, bool IGNORES>
INLINE void over_blocks_backward(std::int64_t count, const float* to_spikes, const float* before, const float* used,
                                 const float* open, const float* noise, const float* x0, std::int64_t steps,
                                 const Numbers& p, const Table& table, std::int64_t shape, std::int64_t truncation,
                                 float* to_in) {
    for (std::int64_t k = 0; k < count; k += BLOCK)
        backward_block<LAW, IGNORES>(to_spikes + k, before + k, used ? used + k : nullptr, open ? open + k : nullptr,
                                     noise ? noise + k : nullptr, x0 + k, steps, count, std::min(BLOCK, count - k), p,
                                     table, shape, truncation, to_in + k);
}

}  // namespace

extern "C" {

// States are changed in place. `before` (states before the reset), `used` (currents) and `open` (whether the current
// counts) may be null where no gradient is wanted.
EXPORTED CLONES void barkhausen_spiking_forward(
    std::int64_t law, std::int64_t ignores, const float* numbers, const float* mean, const float* deviation,
    const float* in, const float* noise, float* x, float* i, float* r, std::int64_t steps, std::int64_t count,
    float* spikes, float* before, float* used, float* open) {
    const Numbers& p = *reinterpret_cast<const Numbers*>(numbers);
    const Table table{mean, deviation};
#define RUN(L, G) over_blocks_forward<L, G>(count, in, noise, x, i, r, steps, p, table, spikes, before, used, open)
    if (law == LEAKY) {
        if (ignores) RUN(LEAKY, true); else RUN(LEAKY, false);
    } else if (law == WALL) {
        if (ignores) RUN(WALL, true); else RUN(WALL, false);
    } else {
        if (ignores) RUN(TABLE, true); else RUN(TABLE, false);
    }
#undef RUN
}

EXPORTED CLONES void barkhausen_spiking_backward(
    std::int64_t law, std::int64_t ignores, const float* numbers, const float* mean, const float* deviation,
    std::int64_t shape, std::int64_t truncation, const float* to_spikes, const float* before, const float* used,
    const float* open, const float* noise, const float* x0, std::int64_t steps, std::int64_t count, float* to_in) {
    const Numbers& p = *reinterpret_cast<const Numbers*>(numbers);
    const Table table{mean, deviation};
#define RUN(L, G) \
    over_blocks_backward<L, G>(count, to_spikes, before, used, open, noise, x0, steps, p, table, shape, truncation, to_in)
    if (law == LEAKY) {
        if (ignores) RUN(LEAKY, true); else RUN(LEAKY, false);
    } else if (law == WALL) {
        if (ignores) RUN(WALL, true); else RUN(WALL, false);
    } else {
        if (ignores) RUN(TABLE, true); else RUN(TABLE, false);
    }
#undef RUN
}

// Mean and variance (division by the number of samples) of each feature at each time step, and the normalised values.
EXPORTED CLONES void barkhausen_step_norm(const float* x, std::int64_t steps, std::int64_t samples,
                                          std::int64_t features, float epsilon, const float* weight,
                                          const float* bias, float* mean, float* variance, float* out) {
    for (std::int64_t t = 0; t < steps; ++t) {
        const float* rows = x + t * samples * features;
        float *m = mean + t * features, *v = variance + t * features, *y = out + t * samples * features;
        for (std::int64_t f = 0; f < features; ++f) m[f] = v[f] = 0.0f;
        for (std::int64_t s = 0; s < samples; ++s)
            for (std::int64_t f = 0; f < features; ++f) m[f] += rows[s * features + f];
        for (std::int64_t f = 0; f < features; ++f) m[f] /= static_cast<float>(samples);
        for (std::int64_t s = 0; s < samples; ++s)
            for (std::int64_t f = 0; f < features; ++f) {
                const float d = rows[s * features + f] - m[f];
                v[f] += d * d;
            }
        for (std::int64_t start = 0; start < features; start += BLOCK) {
            const std::int64_t size = std::min(BLOCK, features - start);
            float scale[BLOCK], shift[BLOCK];
            for (std::int64_t k = 0; k < size; ++k) {
                const std::int64_t f = start + k;
                v[f] /= static_cast<float>(samples);
                scale[k] = weight[f] / std::sqrt(v[f] + epsilon);
                shift[k] = bias[f] - m[f] * scale[k];
            }
            for (std::int64_t s = 0; s < samples; ++s)
                for (std::int64_t k = 0; k < size; ++k)
                    y[s * features + start + k] = rows[s * features + start + k] * scale[k] + shift[k];
        }
    }
}

EXPORTED CLONES void barkhausen_step_norm_backward(const float* gradient, const float* x, const float* mean,
                                                   const float* variance, std::int64_t steps, std::int64_t samples,
                                                   std::int64_t features, float epsilon, const float* weight,
                                                   float* to_weight, float* to_bias, float* to_x) {
    for (std::int64_t start = 0; start < features; start += BLOCK) {
        const std::int64_t size = std::min(BLOCK, features - start);
        for (std::int64_t t = 0; t < steps; ++t) {
            const std::int64_t at = t * samples * features + start;
            const float *m = mean + t * features + start, *v = variance + t * features + start;
            float whole[BLOCK], product[BLOCK], inverse[BLOCK];
            for (std::int64_t k = 0; k < size; ++k) {
                whole[k] = product[k] = 0.0f;
                inverse[k] = 1.0f / std::sqrt(v[k] + epsilon);
            }
            for (std::int64_t s = 0; s < samples; ++s) {
                const float *g = gradient + at + s * features, *row = x + at + s * features;
                for (std::int64_t k = 0; k < size; ++k) {
                    whole[k] += g[k];
                    product[k] += g[k] * ((row[k] - m[k]) * inverse[k]);
                }
            }
            for (std::int64_t k = 0; k < size; ++k) {
                to_bias[start + k] += whole[k];
                to_weight[start + k] += product[k];
                whole[k] /= static_cast<float>(samples);
                product[k] /= static_cast<float>(samples);
            }
            for (std::int64_t s = 0; s < samples; ++s) {
                const float *g = gradient + at + s * features, *row = x + at + s * features;
                float* to = to_x + at + s * features;
                for (std::int64_t k = 0; k < size; ++k) {
                    const float hat = (row[k] - m[k]) * inverse[k];
                    to[k] = weight[start + k] * inverse[k] * (g[k] - whole[k] - hat * product[k]);
                }
            }
        }
    }
}

}  // extern "C"

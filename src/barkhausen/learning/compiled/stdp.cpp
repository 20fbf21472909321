// Presentation of samples to one layer of leaky integrate-and-fire neurons with lateral inhibition: Poisson input spikes,
// spikes of the neurons, and when each input spiked first and last. Every chip sees spikes of its own.
// learning/stdp/presentation.py computes the same with torch.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace {

// In the order in which Python writes them.
struct Numbers {
    float gain, leak, decay;  // potential for a unit of current, its loss in a step, factor of the current
    float threshold, floor_;
    float kept, added;  // a spike leaves kept * potential + added
    float inhibition;   // current that a spike takes off all other neurons in the next step
    float drive;        // current of an input spike at strength 1
};

// xoshiro256+ (Blackman and Vigna, ACM Trans. Math. Softw. 47, 36, 2021), seeded by splitmix64.
class Stream {
  public:
    Stream(std::uint64_t seed, std::uint64_t first, std::uint64_t second) {
        std::uint64_t x = seed + 0x9E3779B97F4A7C15ULL * (2 * first + 1) + 0xD1B54A32D192ED03ULL * (2 * second + 1);
        for (auto& word : state_) {
            x += 0x9E3779B97F4A7C15ULL;
            std::uint64_t z = x;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
            word = z ^ (z >> 31);
        }
    }

    // Uniform on (0, 1].
    double uniform() {
        const std::uint64_t result = state_[0] + state_[3];
        const std::uint64_t t = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= t;
        state_[3] = (state_[3] << 45) | (state_[3] >> 19);
        return (static_cast<double>(result >> 11) + 1.0) * 0x1.0p-53;
    }

  private:
    std::uint64_t state_[4];
};

}  // namespace

// probability [samples, inputs] of a spike in a step; strength [chips, outputs, inputs].
// counts [chips, samples, outputs]; first, last [chips, samples, inputs]: steps, -1 where there is no spike.
EXPORTED void barkhausen_stdp_present(
    std::int64_t chips, std::int64_t samples, std::int64_t steps, std::int64_t inputs, std::int64_t outputs,
    const float* numbers, const float* probability, const float* strength, std::uint64_t seed, float* counts,
    std::int32_t* first, std::int32_t* last) {
    const Numbers& p = *reinterpret_cast<const Numbers*>(numbers);
    // The number of steps without a spike before the next one is floor(ln u / ln(1 - p)).
    std::vector<double> inverse(samples * inputs);
    for (std::int64_t i = 0; i < samples * inputs; ++i) {
        const double q = probability[i];
        inverse[i] = q >= 1.0 ? 0.0 : q > 0.0 ? 1.0 / std::log1p(-q) : 1.0;  // 1 marks an input that never spikes
    }
    std::vector<float> driven(steps * outputs), potential(outputs), current(outputs), fired(outputs), next(outputs);
    for (std::int64_t chip = 0; chip < chips; ++chip) {
        const float* w = strength + chip * outputs * inputs;
        for (std::int64_t sample = 0; sample < samples; ++sample) {
            Stream stream(seed, static_cast<std::uint64_t>(chip), static_cast<std::uint64_t>(sample));
            std::fill(driven.begin(), driven.end(), 0.0f);
            std::int32_t* begins = first + (chip * samples + sample) * inputs;
            std::int32_t* ends = last + (chip * samples + sample) * inputs;
            for (std::int64_t input = 0; input < inputs; ++input) {
                begins[input] = ends[input] = -1;
                const double rate = inverse[sample * inputs + input];
                if (rate > 0.0) continue;
                double step = std::floor(std::log(stream.uniform()) * rate);
                while (step < static_cast<double>(steps)) {
                    const auto at = static_cast<std::int64_t>(step);
                    if (begins[input] < 0) begins[input] = static_cast<std::int32_t>(at);
                    ends[input] = static_cast<std::int32_t>(at);
                    for (std::int64_t k = 0; k < outputs; ++k) driven[at * outputs + k] += w[k * inputs + input];
                    step += 1.0 + std::floor(std::log(stream.uniform()) * rate);
                }
            }
            float* number = counts + (chip * samples + sample) * outputs;
            std::fill(number, number + outputs, 0.0f);
            std::fill(potential.begin(), potential.end(), 0.0f);
            std::fill(current.begin(), current.end(), 0.0f);
            std::fill(fired.begin(), fired.end(), 0.0f);
            for (std::int64_t step = 0; step < steps; ++step) {
                float all = 0.0f;
                for (std::int64_t k = 0; k < outputs; ++k) all += fired[k];
                for (std::int64_t k = 0; k < outputs; ++k) {
                    const float in = p.drive * driven[step * outputs + k] - p.inhibition * (all - fired[k]);
                    const float j = current[k] + in;
                    const float v = potential[k] + (p.gain * j - p.leak * potential[k]);
                    current[k] = p.decay * j;
                    const bool fires = v - p.threshold > 0.0f;
                    const float held = std::max(v, p.floor_);
                    potential[k] = fires ? p.kept * held + p.added : held;
                    next[k] = fires ? 1.0f : 0.0f;
                    number[k] += next[k];
                }
                fired.swap(next);
            }
        }
    }
}

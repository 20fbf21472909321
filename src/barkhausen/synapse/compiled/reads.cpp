// Sums of binomial reads: for every sample and output, how many of all reads of all its devices found the wall passed.
//
// A read is a comparison of a uniform number U with a probability p. For a few reads each U is a word of the random
// stream. For many, the comparison goes bit by bit through the binary expansion of p, for up to 64 reads at once, one
// in each bit of a word: at the first bit at which U differs from p, U < p if p has a one there. On average half of the
// open comparisons are decided by every random word, so 64 reads take about 8 words. Both are exact to 2^-63.
//
// Every sample has its own random stream, so samples may be computed in any order and in any parts.

#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__linux__)
#define CLONES __attribute__((target_clones("avx2", "default")))
#else
#define CLONES
#endif

namespace {

#define INLINE inline __attribute__((always_inline))

using Word = std::uint64_t;

constexpr int BITS = 63;
constexpr double UNIT = 9223372036854775808.0;  // 2^63
constexpr std::int64_t FEW = 8;                 // reads that are compared one by one

// The finaliser of splitmix64 (Steele, Lea and Flood, OOPSLA 2014).
INLINE Word mixed(Word z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

// xoshiro256++ (Blackman and Vigna, ACM Trans. Math. Softw. 47, 2021).
struct Stream {
    Word a, b, c, d;
    INLINE Stream(Word seed, Word number) {
        Word state = mixed(seed) ^ mixed(number * 0xD1B54A32D192ED03ull + 1);
        Word* parts[] = {&a, &b, &c, &d};
        for (Word* part : parts) *part = mixed(state += 0x9E3779B97F4A7C15ull);
    }
    INLINE static Word rotated(Word x, int k) { return (x << k) | (x >> (64 - k)); }
    INLINE Word next() {
        const Word result = rotated(a + d, 23) + a;
        const Word t = b << 17;
        c ^= a;
        d ^= b;
        b ^= c;
        a ^= d;
        c ^= t;
        d = rotated(d, 45);
        return result;
    }
};

// Number of n <= 64 uniform numbers below the threshold.
INLINE std::int64_t together(Stream& stream, Word threshold, int n) {
    Word open = n == 64 ? ~Word(0) : (Word(1) << n) - 1, below = 0;
    for (int bit = BITS - 1; bit >= 0; --bit) {
        const Word random = stream.next();
        const Word one = Word(0) - ((threshold >> bit) & 1);
        below |= open & ~random & one;
        open &= ~(random ^ one);
        if (open == 0) break;
    }
    return __builtin_popcountll(below);
}

// The same for two words, whose random streams do not wait for each other.
INLINE std::int64_t twice(Stream& first, Stream& second, Word threshold) {
    Word open1 = ~Word(0), open2 = ~Word(0), below1 = 0, below2 = 0;
    for (int bit = BITS - 1; bit >= 0; --bit) {
        const Word random1 = first.next(), random2 = second.next();
        const Word one = Word(0) - ((threshold >> bit) & 1);
        below1 |= open1 & ~random1 & one;
        below2 |= open2 & ~random2 & one;
        open1 &= ~(random1 ^ one);
        open2 &= ~(random2 ^ one);
        if ((open1 | open2) == 0) break;
    }
    return __builtin_popcountll(below1) + __builtin_popcountll(below2);
}

INLINE std::int64_t count(Stream& first, Stream& second, Word threshold, std::int64_t reads) {
    std::int64_t found = 0;
    if (reads <= FEW) {
        for (std::int64_t k = 0; k < reads; ++k) found += (first.next() >> 1) < threshold;
        return found;
    }
    for (; reads >= 128; reads -= 128) found += twice(first, second, threshold);
    for (; reads > 0; reads -= 64) found += together(first, threshold, reads < 64 ? static_cast<int>(reads) : 64);
    return found;
}

}  // namespace

extern "C" {

// input [row, input] and probability [output, input]; active is scratch for the places of a row's inputs above zero.
// The read of a device succeeds with the product of both. sums [row, output] are divided by the number of reads.
CLONES __attribute__((visibility("default"))) void barkhausen_read_sums(
    const float* input, const float* probability, std::int64_t rows, std::int64_t inputs, std::int64_t outputs,
    std::int64_t reads, std::uint64_t seed, std::int64_t first_row, std::int64_t* active, float* sums) {
    const double share = 1.0 / static_cast<double>(reads);
    for (std::int64_t row = 0; row < rows; ++row) {
        const float* x = input + row * inputs;
        const Word number = static_cast<Word>(first_row + row);
        Stream first(seed, 2 * number), second(seed, 2 * number + 1);
        std::int64_t length = 0;
        for (std::int64_t i = 0; i < inputs; ++i) {
            active[length] = i;
            length += x[i] > 0.0f;
        }
        for (std::int64_t j = 0; j < outputs; ++j) {
            const float* q = probability + j * inputs;
            std::int64_t found = 0;
            for (std::int64_t k = 0; k < length; ++k) {
                const std::int64_t i = active[k];
                const double p = static_cast<double>(x[i]) * static_cast<double>(q[i]);
                if (p >= 1.0) {
                    found += reads;
                } else if (p > 0.0) {
                    found += count(first, second, static_cast<Word>(static_cast<std::int64_t>(p * UNIT)), reads);
                }
            }
            sums[row * outputs + j] = static_cast<float>(static_cast<double>(found) * share);
        }
    }
}
}

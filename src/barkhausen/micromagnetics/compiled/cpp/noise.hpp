// Gaussian noise: a xoshiro128++ stream per replica (Blackman and Vigna, 2021), normals by Box and Muller (1958).
#pragma once

#include "vector.hpp"

namespace {

struct Generator {
  WordLanes state[4];
};

ALWAYS_INLINE WordLanes rotated(WordLanes word, int by) { return (word << by) | (word >> (32 - by)); }

ALWAYS_INLINE WordLanes next_word(Generator& g) {
  WordLanes* s = g.state;
  WordLanes result = rotated(s[0] + s[3], 7) + s[0], shifted = s[1] << 9;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = rotated(s[3], 11);
  return result;
}

// ln u for normal 0 < u <= 1, never above zero. u = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); the polynomial for
// ln(1 + f) is a minimax fit, relative error 2e-7.
ALWAYS_INLINE Lanes logarithm(Lanes u) {
  constexpr int32_t root_half = 0x3f3504f3;
  IntLanes offset = bits(u) - root_half;
  Lanes e = as_float(offset >> 23), f = from_bits((offset & 0x7fffff) + root_half) - 1.0f;
  Lanes p = f * -0.100821131f + 0.16180439f;
  p = p * f - 0.172432756f;
  p = p * f + 0.199068901f;
  p = p * f - 0.249712254f;
  p = p * f + 0.333347148f;
  p = p * f - 0.500003235f;
  return e * 0.69314718056f + (f + f * f * p);
}

// Two independent normals. The radius takes 31 random bits (the tail ends at 6.6 sigma, beyond which lies 4e-11 of the
// distribution), the angle 30 for the place within a quarter turn about the x axis and two to choose among the
// four quarters: a sign and an exchange of the two values. Within a quarter short polynomials give sine and cosine to
// float accuracy.
ALWAYS_INLINE void next_normals(Generator& g, Lanes scale, Lanes& first, Lanes& second) {
  constexpr float two_to_minus_31 = 4.656612873e-10f, quarter_pi_over_two_to_29 = 1.462918079e-9f;
  IntLanes radial = bits(next_word(g) >> 1), angular = bits(next_word(g));
  Lanes u = (as_float(radial) + 0.5f) * two_to_minus_31;
  Lanes radius = scale * square_root(-2.0f * logarithm(u));
  Lanes t = as_float(angular >> 2) * quarter_pi_over_two_to_29, t2 = t * t;
  Lanes sine = t + t * t2 * ((t2 * -0.000195183f + 0.00833219f) * t2 - 0.16666655f);
  Lanes cosine = 1.0f + t2 * (((t2 * 2.44382402e-5f - 1.38873651e-3f) * t2 + 4.16666468e-2f) * t2 - 0.5f);
  IntLanes sign = angular << 31, exchange = (angular & 2) != 0;
  Lanes a = from_bits(bits(radius * cosine) ^ sign), b = radius * sine;
  first = select(exchange, b, a);
  second = select(exchange, a, b);
}

// `count` normals into consecutive places. A row always draws whole pairs, so what a replica draws depends on the film
// alone.
__attribute__((noinline)) void fill_with_normals(Generator& generator, Lanes scale, float* to, int count) {
  Generator g = generator;  // a copy that may stay in registers
  Lanes first, second;
  for (; count >= 2; count -= 2, to += 2 * kLanes) {
    next_normals(g, scale, first, second);
    store(to, first);
    store(to + kLanes, second);
  }
  if (count > 0) {
    next_normals(g, scale, first, second);
    store(to, first);
  }
  generator = g;
}

}  // namespace

// Eight replicas side by side: the only vectors of the kernel. Every operation is lane by lane, so that what one
// replica gets never depends on its neighbours.
#pragma once

#include <stddef.h>
#include <stdint.h>

#if defined(__AVX__) || defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define ALWAYS_INLINE inline __attribute__((always_inline))

#include "pair.hpp"

// The kernel is compiled once per instruction set and linked into one library. All of it has internal linkage: a
// function compiled for AVX-512 must never be the copy that the linker keeps for the baseline.
namespace {

constexpr int kLanes = 8;

#if defined(__AVX__)
typedef float Lanes __attribute__((vector_size(4 * kLanes)));
typedef int32_t IntLanes __attribute__((vector_size(4 * kLanes)));
typedef uint32_t WordLanes __attribute__((vector_size(4 * kLanes)));

ALWAYS_INLINE Lanes all_lanes(float value) { return Lanes{} + value; }
ALWAYS_INLINE IntLanes bits(Lanes value) { return (IntLanes)value; }
ALWAYS_INLINE IntLanes bits(WordLanes value) { return (IntLanes)value; }
ALWAYS_INLINE Lanes from_bits(IntLanes value) { return (Lanes)value; }
ALWAYS_INLINE Lanes as_float(IntLanes value) { return __builtin_convertvector(value, Lanes); }
ALWAYS_INLINE Lanes select(IntLanes mask, Lanes a, Lanes b) { return mask ? a : b; }
ALWAYS_INLINE IntLanes select(IntLanes mask, IntLanes a, IntLanes b) { return mask ? a : b; }
// Compilers do not turn `a < b ? a : b` or a loop over sqrtf into one instruction on every target: said outright.
ALWAYS_INLINE Lanes minimum(Lanes a, Lanes b) { return (Lanes)_mm256_min_ps((__m256)a, (__m256)b); }
ALWAYS_INLINE Lanes square_root(Lanes a) { return (Lanes)_mm256_sqrt_ps((__m256)a); }
#else
typedef Pair<float> Lanes;
typedef Pair<int32_t> IntLanes;
typedef Pair<uint32_t> WordLanes;

ALWAYS_INLINE Lanes all_lanes(float value) { return Lanes::all(value); }
ALWAYS_INLINE IntLanes bits(Lanes value) { return reinterpreted<int32_t>(value); }
ALWAYS_INLINE IntLanes bits(WordLanes value) { return reinterpreted<int32_t>(value); }
ALWAYS_INLINE Lanes from_bits(IntLanes value) { return reinterpreted<float>(value); }
ALWAYS_INLINE Lanes as_float(IntLanes value) {
  return {__builtin_convertvector(value.low, Lanes::Native), __builtin_convertvector(value.high, Lanes::Native)};
}
ALWAYS_INLINE IntLanes select(IntLanes mask, IntLanes a, IntLanes b) { return b ^ (mask & (a ^ b)); }
ALWAYS_INLINE Lanes select(IntLanes mask, Lanes a, Lanes b) { return from_bits(select(mask, bits(a), bits(b))); }
#if defined(__SSE2__)
ALWAYS_INLINE Lanes minimum(Lanes a, Lanes b) {
  return {(Lanes::Native)_mm_min_ps(a.low, b.low), (Lanes::Native)_mm_min_ps(a.high, b.high)};
}
ALWAYS_INLINE Lanes square_root(Lanes a) {
  return {(Lanes::Native)_mm_sqrt_ps(a.low), (Lanes::Native)_mm_sqrt_ps(a.high)};
}
#elif defined(__aarch64__)
ALWAYS_INLINE Lanes minimum(Lanes a, Lanes b) {
  return {(Lanes::Native)vminq_f32((float32x4_t)a.low, (float32x4_t)b.low),
          (Lanes::Native)vminq_f32((float32x4_t)a.high, (float32x4_t)b.high)};
}
ALWAYS_INLINE Lanes square_root(Lanes a) {
  return {(Lanes::Native)vsqrtq_f32((float32x4_t)a.low), (Lanes::Native)vsqrtq_f32((float32x4_t)a.high)};
}
#else
ALWAYS_INLINE Lanes minimum(Lanes a, Lanes b) { return select(b > a, a, b); }
ALWAYS_INLINE Lanes square_root(Lanes a) {
  for (int lane = 0; lane < 4; lane++) {
    a.low[lane] = __builtin_sqrtf(a.low[lane]);
    a.high[lane] = __builtin_sqrtf(a.high[lane]);
  }
  return a;
}
#endif
#endif

struct Vector {
  Lanes x, y, z;
};

struct alignas(8 * kLanes) Complex {  // one cache line
  Lanes re, im;
};

ALWAYS_INLINE Lanes load(const float* from) { return *reinterpret_cast<const Lanes*>(from); }

ALWAYS_INLINE Lanes load_unaligned(const float* from) {
  Lanes value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}

ALWAYS_INLINE void store(float* to, Lanes value) { *reinterpret_cast<Lanes*>(to) = value; }

ALWAYS_INLINE Vector load_vector(const float* from) {
  return {load(from), load(from + kLanes), load(from + 2 * kLanes)};
}

ALWAYS_INLINE void store_vector(float* to, Vector value) {
  store(to, value.x);
  store(to + kLanes, value.y);
  store(to + 2 * kLanes, value.z);
}

// As integers, non-negative floats keep their order and a NaN comes above infinity: no NaN is ever lost here, as it
// is in a comparison of floats.
ALWAYS_INLINE IntLanes larger_magnitude(IntLanes worst, Lanes value) {
  IntLanes magnitude = bits(value) & 0x7fffffff;
  return select(magnitude > worst, magnitude, worst);
}

}  // namespace

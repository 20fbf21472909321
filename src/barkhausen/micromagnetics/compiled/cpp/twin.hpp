// Two cells side by side. The motions of one cell are one long chain of operations that wait for each other; two
// chains, written turn by turn, keep the processor busy. What a cell gets does not depend on which of the two it is.
#pragma once

#include "vector.hpp"

namespace {

struct Twin {
  Lanes first, second;
};

#define TWIN_ARITHMETIC(op)                                                                                        \
  ALWAYS_INLINE Twin operator op(Twin a, Twin b) { return {a.first op b.first, a.second op b.second}; }            \
  ALWAYS_INLINE Twin operator op(Twin a, float b) { return {a.first op b, a.second op b}; }                        \
  ALWAYS_INLINE Twin operator op(float a, Twin b) { return {a op b.first, a op b.second}; }

TWIN_ARITHMETIC(+)
TWIN_ARITHMETIC(-)
TWIN_ARITHMETIC(*)
TWIN_ARITHMETIC(/)
#undef TWIN_ARITHMETIC

// Plus or minus one.
ALWAYS_INLINE Lanes sign_of(Lanes a) { return from_bits((bits(a) & (int32_t)0x80000000) | bits(all_lanes(1.0f))); }
ALWAYS_INLINE Twin square_root(Twin a) { return {square_root(a.first), square_root(a.second)}; }
ALWAYS_INLINE Twin sign_of(Twin a) { return {sign_of(a.first), sign_of(a.second)}; }

ALWAYS_INLINE IntLanes larger_magnitude(IntLanes worst, Twin value) {
  return larger_magnitude(larger_magnitude(worst, value.first), value.second);
}

// A vector for each cell: Number is Lanes or Twin.
template <class Number>
struct Triple {
  Number x, y, z;
};

template <class N>
ALWAYS_INLINE Triple<N> operator+(Triple<N> a, Triple<N> b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
template <class N>
ALWAYS_INLINE Triple<N> operator-(Triple<N> a, Triple<N> b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
template <class N>
ALWAYS_INLINE Triple<N> operator*(N f, Triple<N> a) { return {f * a.x, f * a.y, f * a.z}; }
template <class N>
ALWAYS_INLINE N dot(Triple<N> a, Triple<N> b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
template <class N>
ALWAYS_INLINE Triple<N> cross(Triple<N> a, Triple<N> b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

}  // namespace

// Complex Fourier transforms of eight replicas at once, in place: decimation in frequency forward, decimation in time
// back. The spectrum in between stays in permuted order (the point-wise product with the tensor does not care), so
// nothing is ever reordered and a line occupies the first-level cache once.
//
// The first stage forward knows that the upper half of its input is zero padding, the last stage back that only the
// lower half of its output is wanted; both halves are neither read nor computed.
#pragma once

#include "arguments.hpp"
#include "vector.hpp"

namespace {

ALWAYS_INLINE Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
ALWAYS_INLINE Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
ALWAYS_INLINE Complex operator*(float factor, Complex a) { return {factor * a.re, factor * a.im}; }

// Times the factor forward, times its conjugate back.
template <bool back>
ALWAYS_INLINE Complex twiddled(Complex a, const float* factor) {
  float c = factor[0], s = factor[1];
  if (back) return {c * a.re + s * a.im, c * a.im - s * a.re};
  return {c * a.re - s * a.im, c * a.im + s * a.re};
}

// Times exp(-i pi/2) forward, exp(+i pi/2) back.
template <bool back>
ALWAYS_INLINE Complex quarter_turn(Complex a) {
  if (back) return {-a.im, a.re};
  return {a.im, -a.re};
}

// Times exp(-i pi/4) forward, exp(+i pi/4) back.
template <bool back>
ALWAYS_INLINE Complex eighth_turn(Complex a) {
  constexpr float root_half = 0.70710678118654752f;
  if (back) return root_half * Complex{a.re - a.im, a.im + a.re};
  return root_half * Complex{a.re + a.im, a.im - a.re};
}

template <bool back>
ALWAYS_INLINE void transform4(Complex a0, Complex a1, Complex a2, Complex a3, Complex& b0, Complex& b1, Complex& b2,
                              Complex& b3) {
  Complex even_sum = a0 + a2, even_difference = a0 - a2;
  Complex odd_sum = a1 + a3, odd_difference = quarter_turn<back>(a1 - a3);
  b0 = even_sum + odd_sum;
  b1 = even_difference + odd_difference;
  b2 = even_sum - odd_sum;
  b3 = even_difference - odd_difference;
}

// The transform of length `radix`, in place and in natural order.
template <int radix, bool back>
ALWAYS_INLINE void butterfly(Complex* a) {
  if constexpr (radix == 1) {
    return;
  } else if constexpr (radix == 2) {
    Complex sum = a[0] + a[1];
    a[1] = a[0] - a[1];
    a[0] = sum;
  } else if constexpr (radix == 3) {
    constexpr float root = 0.86602540378443865f;
    Complex sum = a[1] + a[2], side = quarter_turn<back>(root * (a[1] - a[2])), middle = a[0] - 0.5f * sum;
    a[0] = a[0] + sum;
    a[1] = middle + side;
    a[2] = middle - side;
  } else if constexpr (radix == 4) {
    transform4<back>(a[0], a[1], a[2], a[3], a[0], a[1], a[2], a[3]);
  } else if constexpr (radix == 5) {
    constexpr float c1 = 0.30901699437494742f, c2 = -0.80901699437494742f;
    constexpr float s1 = 0.95105651629515357f, s2 = 0.58778525229247313f;
    Complex outer = a[1] + a[4], inner = a[2] + a[3], outer_side = a[1] - a[4], inner_side = a[2] - a[3];
    Complex middle1 = a[0] + c1 * outer + c2 * inner, middle2 = a[0] + c2 * outer + c1 * inner;
    Complex side1 = quarter_turn<back>(s1 * outer_side + s2 * inner_side);
    Complex side2 = quarter_turn<back>(s2 * outer_side - s1 * inner_side);
    a[0] = a[0] + outer + inner;
    a[1] = middle1 + side1;
    a[2] = middle2 + side2;
    a[3] = middle2 - side2;
    a[4] = middle1 - side1;
  } else {
    static_assert(radix == 8, "no such butterfly");
    Complex d0 = a[0] - a[4], d1 = a[1] - a[5], d2 = a[2] - a[6], d3 = a[3] - a[7];
    transform4<back>(a[0] + a[4], a[1] + a[5], a[2] + a[6], a[3] + a[7], a[0], a[2], a[4], a[6]);
    transform4<back>(d0, eighth_turn<back>(d1), quarter_turn<back>(d2), quarter_turn<back>(eighth_turn<back>(d3)), a[1],
                     a[3], a[5], a[7]);
  }
}

// All `radix` outputs of a[0 .. radix/2 - 1], the rest being zero.
template <int radix>
ALWAYS_INLINE void butterfly_of_half(Complex* a) {
  if constexpr (radix == 2) {
    a[1] = a[0];
  } else if constexpr (radix == 4) {
    Complex turned = quarter_turn<false>(a[1]), first = a[0];
    a[0] = first + a[1];
    a[2] = first - a[1];
    a[1] = first + turned;
    a[3] = first - turned;
  } else {
    static_assert(radix == 8, "no such butterfly");
    Complex e0 = a[0], e1 = a[1], e2 = a[2], e3 = a[3];
    transform4<false>(e0, eighth_turn<false>(e1), quarter_turn<false>(e2),
                      quarter_turn<false>(eighth_turn<false>(e3)), a[1], a[3], a[5], a[7]);
    transform4<false>(e0, e1, e2, e3, a[0], a[2], a[4], a[6]);
  }
}

// The first radix/2 outputs of the transform back.
template <int radix>
ALWAYS_INLINE void butterfly_to_half(Complex* a) {
  if constexpr (radix == 2) {
    a[0] = a[0] + a[1];
  } else if constexpr (radix == 4) {
    Complex even = a[0] + a[2], difference = a[0] - a[2], odd = a[1] + a[3];
    a[1] = difference + quarter_turn<true>(a[1] - a[3]);
    a[0] = even + odd;
  } else {
    static_assert(radix == 8, "no such butterfly");
    Complex e0, e1, e2, e3, o0, o1, o2, o3;
    transform4<true>(a[0], a[2], a[4], a[6], e0, e1, e2, e3);
    transform4<true>(a[1], a[3], a[5], a[7], o0, o1, o2, o3);
    a[0] = e0 + o0;
    a[1] = e1 + eighth_turn<true>(o1);
    a[2] = e2 + quarter_turn<true>(o2);
    a[3] = e3 + quarter_turn<true>(eighth_turn<true>(o3));
  }
}

// Outermost stage forward: a line of length/2 values, the others zero, becomes `radix` blocks in `work`.
template <int radix>
ALWAYS_INLINE void open_line(int length, const Complex* from, Complex* work, const float* twiddle) {
  const int stride = length / radix;
  for (int p = 0; p < stride; p++, twiddle += 2 * (radix - 1)) {
    Complex a[radix];
    for (int j = 0; j < radix / 2; j++) a[j] = from[p + j * stride];
    butterfly_of_half<radix>(a);
    work[p] = a[0];
    for (int j = 1; j < radix; j++) work[p + j * stride] = twiddled<false>(a[j], twiddle + 2 * (j - 1));
  }
}

// Outermost stage back: the first length/2 values of the line.
template <int radix>
ALWAYS_INLINE void close_line(int length, const Complex* work, Complex* to, const float* twiddle) {
  const int stride = length / radix;
  for (int p = 0; p < stride; p++, twiddle += 2 * (radix - 1)) {
    Complex a[radix];
    a[0] = work[p];
    for (int j = 1; j < radix; j++) a[j] = twiddled<true>(work[p + j * stride], twiddle + 2 * (j - 1));
    butterfly_to_half<radix>(a);
    for (int j = 0; j < radix / 2; j++) to[p + j * stride] = a[j];
  }
}

// An inner stage over `blocks` consecutive blocks of `length`.
template <int radix>
ALWAYS_INLINE void inner_forward(int blocks, int length, Complex* work, const float* twiddle) {
  const int stride = length / radix;
  for (int block = 0; block < blocks; block++, work += length) {
    const float* factor = twiddle;
    for (int p = 0; p < stride; p++, factor += 2 * (radix - 1)) {
      Complex a[radix];
      for (int j = 0; j < radix; j++) a[j] = work[p + j * stride];
      butterfly<radix, false>(a);
      work[p] = a[0];
      for (int j = 1; j < radix; j++) work[p + j * stride] = twiddled<false>(a[j], factor + 2 * (j - 1));
    }
  }
}

template <int radix>
ALWAYS_INLINE void inner_back(int blocks, int length, Complex* work, const float* twiddle) {
  const int stride = length / radix;
  for (int block = 0; block < blocks; block++, work += length) {
    const float* factor = twiddle;
    for (int p = 0; p < stride; p++, factor += 2 * (radix - 1)) {
      Complex a[radix];
      a[0] = work[p];
      for (int j = 1; j < radix; j++) a[j] = twiddled<true>(work[p + j * stride], factor + 2 * (j - 1));
      butterfly<radix, true>(a);
      for (int j = 0; j < radix; j++) work[p + j * stride] = a[j];
    }
  }
}

// The innermost stage, whose twiddle factors are all one; from `from` to `to`, which may be the same with stride 1.
template <int radix, bool back>
ALWAYS_INLINE void innermost(int blocks, const Complex* from, ptrdiff_t from_stride, Complex* to, ptrdiff_t to_stride) {
  for (int block = 0; block < blocks; block++, from += radix * from_stride, to += radix * to_stride) {
    Complex a[radix];
    for (int j = 0; j < radix; j++) a[j] = from[j * from_stride];
    butterfly<radix, back>(a);
    for (int j = 0; j < radix; j++) to[j * to_stride] = a[j];
  }
}

// Calls the template for the radix known only at run time.
#define BY_RADIX(radix, call)              \
  switch (radix) {                         \
    case 8: { constexpr int R = 8; call; break; } \
    case 5: { constexpr int R = 5; call; break; } \
    case 4: { constexpr int R = 4; call; break; } \
    case 3: { constexpr int R = 3; call; break; } \
    case 2: { constexpr int R = 2; call; break; } \
    default: { constexpr int R = 1; call; break; } \
  }

#define BY_EVEN_RADIX(radix, call)         \
  switch (radix) {                         \
    case 8: { constexpr int R = 8; call; break; } \
    case 4: { constexpr int R = 4; call; break; } \
    default: { constexpr int R = 2; call; break; } \
  }

ALWAYS_INLINE int half_length(const Axis& axis) { return axis.length > 1 ? axis.length / 2 : 1; }
ALWAYS_INLINE int outer_radix(const Axis& axis) { return axis.stages > 0 ? axis.radix[0] : 1; }

// Of the twiddles of all stages, where those of the second start.
ALWAYS_INLINE const float* inner_twiddles(const Axis& axis) {
  int radix = outer_radix(axis);
  return axis.twiddle + 2 * (radix - 1) * (axis.length / radix);
}

__attribute__((noinline)) void open(const Axis& axis, const Complex* from, Complex* work) {
  if (axis.stages == 0) {
    work[0] = from[0];
    return;
  }
  BY_EVEN_RADIX(axis.radix[0], open_line<R>(axis.length, from, work, axis.twiddle))
}

__attribute__((noinline)) void close(const Axis& axis, const Complex* work, Complex* to) {
  if (axis.stages == 0) {
    to[0] = work[0];
    return;
  }
  BY_EVEN_RADIX(axis.radix[0], close_line<R>(axis.length, work, to, axis.twiddle))
}

// A line with less than two stages has no innermost one: then a radix of 1, whose stage does nothing.
ALWAYS_INLINE int innermost_radix(const Axis& axis) { return axis.stages < 2 ? 1 : axis.radix[axis.stages - 1]; }

// The stages between the outermost and the innermost, on `blocks` blocks that the outermost left.
__attribute__((noinline)) void middle_forward(const Axis& axis, int blocks, Complex* work) {
  int length = axis.length / outer_radix(axis);
  const float* twiddle = inner_twiddles(axis);
  for (int stage = 1; stage < axis.stages - 1; stage++) {
    int radix = axis.radix[stage];
    BY_RADIX(radix, inner_forward<R>(blocks, length, work, twiddle))
    length /= radix;
    blocks *= radix;
    twiddle += 2 * (radix - 1) * length;
  }
}

__attribute__((noinline)) void middle_back(const Axis& axis, int blocks, Complex* work) {
  int length = axis.length / outer_radix(axis);
  const int total = length * blocks;
  const float* twiddle = inner_twiddles(axis);
  for (int stage = 1; stage < axis.stages - 1; stage++) {
    length /= axis.radix[stage];
    twiddle += 2 * (axis.radix[stage] - 1) * length;
  }
  for (int stage = axis.stages - 2; stage >= 1; stage--) {
    int radix = axis.radix[stage];
    twiddle -= 2 * (radix - 1) * length;
    length *= radix;
    BY_RADIX(radix, inner_back<R>(total / length, length, work, twiddle))
  }
}

// Whole lines: the first `length / 2` values of `line` to a permuted spectrum, and back short of the factor 1/length.
__attribute__((noinline)) void line_forward(const Axis& axis, const Complex* line, Complex* work, Complex* to,
                                            ptrdiff_t stride) {
  open(axis, line, work);
  middle_forward(axis, outer_radix(axis), work);
  BY_RADIX(innermost_radix(axis), (innermost<R, false>(axis.length / R, work, 1, to, stride)))
}

__attribute__((noinline)) void line_back(const Axis& axis, const Complex* from, ptrdiff_t stride, Complex* work,
                                         Complex* line) {
  BY_RADIX(innermost_radix(axis), (innermost<R, true>(axis.length / R, from, stride, work, 1)))
  middle_back(axis, outer_radix(axis), work);
  close(axis, work, line);
}

}  // namespace

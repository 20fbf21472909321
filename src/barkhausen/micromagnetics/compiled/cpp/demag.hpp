// The stray field: convolution with the demagnetising tensor. Rows (along y, the short axis as a rule) are transformed
// two at a time and stored as columns of the spectra; columns (along x) are transformed, multiplied and transformed
// back one or two at a time without leaving the cache.
//
// m_x + i m_y of a replica is one complex field; m_z, on which the tensor of a single layer acts alone, is real, and
// two of its rows make one complex row. A transform thus never mixes two replicas.
#pragma once

#include "transform.hpp"

namespace {

struct Spectra {
  Complex* in_plane;  // [position along y][x]
  Complex* normal;    // [k along y, 0 .. length/2][x]
  ptrdiff_t pitch;    // odd, so that a row's values do not compete for the same cache sets
  Complex* work;      // two lines of the longer axis
};

ALWAYS_INLINE ptrdiff_t pitch_of(const Problem& problem) {
  int width = half_length(problem.along_x);
  return (width > problem.nx ? width : problem.nx + 1) | 1;
}

// Two adjacent rows: weighted magnetisation before the convolution, stray field after it. The values beyond the film
// are zero going in. `normal` holds the first row as real part, the second as imaginary part.
struct RowPair {
  Complex* in_plane[2];
  Complex* normal;
};

// Rows x and x + 1 (the latter only if there is one) into the spectra.
__attribute__((noinline)) void rows_to_spectra(const Problem& problem, const RowPair& rows, bool second, int x,
                                               const Spectra& spectra) {
  const Axis& axis = problem.along_y;
  Complex* work = spectra.work;
  for (int row = 0; row <= (int)second; row++)
    line_forward(axis, rows.in_plane[row], work, spectra.in_plane + x + row, spectra.pitch);
  line_forward(axis, rows.normal, work, work, 1);
  // Z = R1 + i R2 with R(-k) = conj R(k); twice R1 and R2 are stored, the tensor holds the half.
  for (int k = 0; k <= axis.length / 2; k++) {
    Complex z = work[axis.position[k]], mirrored = work[axis.position[k == 0 ? 0 : axis.length - k]];
    Complex* to = spectra.normal + k * spectra.pitch + x;
    to[0] = {z.re + mirrored.re, z.im - mirrored.im};
    if (second) to[1] = {z.im + mirrored.im, mirrored.re - z.re};
  }
}

__attribute__((noinline)) void rows_from_spectra(const Problem& problem, const Spectra& spectra, bool second, int x,
                                                 const RowPair& rows) {
  const Axis& axis = problem.along_y;
  Complex* work = spectra.work;
  for (int k = 0; k <= axis.length / 2; k++) {
    const Complex* from = spectra.normal + k * spectra.pitch + x;
    Complex a = from[0], b = second ? from[1] : Complex{};
    if (k > 0) work[axis.position[axis.length - k]] = {a.re + b.im, b.re - a.im};
    work[axis.position[k]] = {a.re - b.im, a.im + b.re};
  }
  line_back(axis, work, 1, work, rows.normal);
  for (int row = 0; row <= (int)second; row++)
    line_back(axis, spectra.in_plane + x + row, spectra.pitch, work, rows.in_plane[row]);
}

// With Z = X + iY and W(k) = conj Z(-k):  Kxx X + Kxy Y + i (Kxy X + Kyy Y) = p Z + (u + iv) W, where p and u are half
// the sum and half the difference of Kxx and Kyy, and v is Kxy. All three are the same at k and -k.
ALWAYS_INLINE void couple(Complex& at, Complex& opposite, const float* spectrum) {
  const float p = spectrum[0], u = spectrum[1], v = spectrum[2];
  const Complex z = at, y = opposite;
  at = {p * z.re + u * y.re + v * y.im, p * z.im - u * y.im + v * y.re};
  opposite = {p * y.re + u * z.re + v * z.im, p * y.im - u * z.im + v * z.re};
}

// The padding that a column starts with; the transform back leaves values there that nobody wants.
ALWAYS_INLINE void clear_padding(const Problem& problem, Complex* column) {
  for (int x = problem.nx; x < half_length(problem.along_x); x++) column[x] = Complex{};
}

template <int radix>
ALWAYS_INLINE void scale_innermost(int size, Complex* work, const float* spectrum) {
  for (int t = 0; t < size; t += radix, work += radix, spectrum += radix) {
    Complex a[radix];
    for (int j = 0; j < radix; j++) a[j] = work[j];
    butterfly<radix, false>(a);
    for (int j = 0; j < radix; j++) a[j] = spectrum[j] * a[j];
    butterfly<radix, true>(a);
    for (int j = 0; j < radix; j++) work[j] = a[j];
  }
}

// The columns k and -k along y of the in-plane spectrum. After the first stage block j holds the frequencies that
// leave the remainder j, so block j of one column meets block -j of the other, and only those two have to be in the
// first-level cache until they are multiplied.
void convolve_in_plane(const Problem& problem, const Spectra& spectra, int pair) {
  const Axis& axis = problem.along_x;
  const int radix = outer_radix(axis), size = axis.length / radix;
  Complex* first = spectra.in_plane + problem.column_pair[2 * pair] * spectra.pitch;
  Complex* second = spectra.in_plane + problem.column_pair[2 * pair + 1] * spectra.pitch;
  const float* spectrum = problem.in_plane_spectrum + (ptrdiff_t)3 * axis.length * pair;
  const bool alone = first == second;
  Complex* work = spectra.work;
  Complex* opposite = alone ? work : work + axis.length;
  open(axis, first, work);
  if (!alone) open(axis, second, opposite);
  for (int block = 0; block < radix; block++) {
    const int mirrored = (radix - block) % radix;
    if (alone && mirrored < block) continue;
    const bool same = alone && mirrored == block;
    Complex *here = work + block * size, *there = opposite + mirrored * size;
    middle_forward(axis, 1, here);
    if (!same) middle_forward(axis, 1, there);
    BY_RADIX(innermost_radix(axis), (innermost<R, false>(size / R, here, 1, here, 1)))
    if (!same) BY_RADIX(innermost_radix(axis), (innermost<R, false>(size / R, there, 1, there, 1)))
    for (int t = block * size; t < (block + 1) * size; t++) {
      int partner = axis.partner[t];
      if (same && partner < t) continue;
      couple(work[t], opposite[partner], spectrum + 3 * t);
    }
    BY_RADIX(innermost_radix(axis), (innermost<R, true>(size / R, here, 1, here, 1)))
    if (!same) BY_RADIX(innermost_radix(axis), (innermost<R, true>(size / R, there, 1, there, 1)))
    middle_back(axis, 1, here);
    if (!same) middle_back(axis, 1, there);
  }
  close(axis, work, first);
  clear_padding(problem, first);
  if (alone) return;
  close(axis, opposite, second);
  clear_padding(problem, second);
}

void convolve_normal(const Problem& problem, const Spectra& spectra, int k) {
  const Axis& axis = problem.along_x;
  const int radix = outer_radix(axis), size = axis.length / radix;
  Complex *column = spectra.normal + k * spectra.pitch, *work = spectra.work;
  const float* spectrum = problem.normal_spectrum + (ptrdiff_t)axis.length * k;
  open(axis, column, work);
  for (int block = 0; block < radix; block++) {
    Complex* here = work + block * size;
    middle_forward(axis, 1, here);
    BY_RADIX(innermost_radix(axis), scale_innermost<R>(size, here, spectrum + block * size))
    middle_back(axis, 1, here);
  }
  close(axis, work, column);
  clear_padding(problem, column);
}

__attribute__((noinline)) void convolve(const Problem& problem, const Spectra& spectra) {
  for (int pair = 0; pair < problem.column_pairs; pair++) convolve_in_plane(problem, spectra, pair);
  for (int k = 0; k <= problem.along_y.length / 2; k++) convolve_normal(problem, spectra, k);
}

}  // namespace

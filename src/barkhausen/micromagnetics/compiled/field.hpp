// The effective field of one cell but for its stray and thermal parts, and the torque it exerts.
#pragma once

#include "arguments.hpp"
#include "vector.hpp"

namespace {

// What is uniform over the film at one time, per replica.
struct Drive {
  Lanes damping_like, field_like, gate;
  Vector external;
  Lanes spin_transfer;  // -u / (2 gamma cell_x)
  bool transfers;       // whether it differs from 0 in any replica
};

ALWAYS_INLINE Drive load_drive(const Run& run, int row, int block) {
  const float* from = run.drive + 7 * run.padded * row + (int64_t)kLanes * block;
  Lanes value[7];
  for (int quantity = 0; quantity < 7; quantity++) value[quantity] = load_unaligned(from + quantity * run.padded);
  bool transfers = false;
  for (int lane = 0; lane < kLanes; lane++) transfers |= value[6][lane] != 0.0f;
  return {value[0], value[1], value[2], {value[3], value[4], value[5]}, value[6], transfers};
}

ALWAYS_INLINE Vector operator+(Vector a, Vector b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
ALWAYS_INLINE Vector operator-(Vector a, Vector b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
ALWAYS_INLINE Vector operator*(Lanes f, Vector a) { return {f * a.x, f * a.y, f * a.z}; }
ALWAYS_INLINE Vector operator*(float f, Vector a) { return {f * a.x, f * a.y, f * a.z}; }
ALWAYS_INLINE Lanes dot(Vector a, Vector b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
ALWAYS_INLINE Vector cross(Vector a, Vector b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

// The cells two rows further on, for the slope along x of the fourth order: the halo, which is empty, where there are none.
struct Beyond {
  ptrdiff_t right, left;  // in cells
};

ALWAYS_INLINE Beyond beyond(const Problem& problem, int x) {
  const ptrdiff_t row = problem.ny + 1;
  return {x + 2 <= problem.nx ? 2 * row : row, x >= 1 ? 2 * row : row};
}

// `centre` and `fill` point at the cell in arrays with a halo of empty cells, `row` cells from one x to the next. A
// bond counts as much as the emptier of its two cells is filled, per filled volume of this one; the halo is empty, so
// the edges of the film need no case of their own. `anisotropy` points at the fields per m_z and per m_x.
ALWAYS_INLINE Vector local_field(const Problem& problem, const Drive& drive, const float* centre, const float* fill,
                                 const float* inverse_fill, ptrdiff_t row, Beyond two, const float* anisotropy,
                                 float gate) {
  const Vector m = load_vector(centre);
  const Lanes own = load(fill);
  const Vector to_right = load_vector(centre + 3 * kLanes * row), to_left = load_vector(centre - 3 * kLanes * row);
  const Vector to_up = load_vector(centre + 3 * kLanes), to_down = load_vector(centre - 3 * kLanes);
  const Lanes right = minimum(own, load(fill + kLanes * row)), left = minimum(own, load(fill - kLanes * row));
  const Lanes up = minimum(own, load(fill + kLanes)), down = minimum(own, load(fill - kLanes));

  const Vector from_right = right * (to_right - m), from_left = left * (to_left - m);
  const Vector from_up = up * (to_up - m), from_down = down * (to_down - m);
  Vector bonds = problem.exchange[0] * (from_right + from_left) + problem.exchange[1] * (from_up + from_down);

  const float dx = problem.dmi[0], dy = problem.dmi[1];
  bonds.x += dx * (right * to_right.z - left * to_left.z);
  bonds.y += dy * (up * to_up.z - down * to_down.z);
  bonds.z -= dx * (right * to_right.x - left * to_left.x) + dy * (up * to_up.y - down * to_down.y);

  if (drive.transfers) {
    Vector slope = from_right - from_left;
    // From the second order to the fourth, as far as all five cells are filled.
    const Lanes ends = minimum(load(fill + kLanes * two.right), load(fill - kLanes * two.left));
    const Lanes all = minimum(minimum(right, left), ends);
    const Vector outer = load_vector(centre + 3 * kLanes * two.right) - load_vector(centre - 3 * kLanes * two.left);
    slope = slope + ((1.0f / 6.0f) * all) * (2.0f * (to_right - to_left) - outer);
    bonds = bonds + drive.spin_transfer * (cross(m, slope) + problem.non_adiabaticity * slope);
  }

  const float* p = problem.polarisation;
  Vector b = load(inverse_fill) * bonds + drive.external;
  b.x += drive.damping_like * (p[2] * m.y - p[1] * m.z) + drive.field_like * p[0];
  b.y += drive.damping_like * (p[0] * m.z - p[2] * m.x) + drive.field_like * p[1];
  b.z += drive.damping_like * (p[1] * m.x - p[0] * m.y) + drive.field_like * p[2];
  b.x += load(anisotropy + kLanes) * m.x;
  b.z += (load(anisotropy) + gate * drive.gate) * m.z;
  return b;
}

// Change of m in one step of the explicit Landau-Lifshitz-Gilbert equation; `rate` is -gamma dt / (1 + alpha^2).
ALWAYS_INLINE Vector torque(const Problem& problem, float rate, Vector m, Vector b) {
  const Vector precession = cross(m, b);
  return rate * (precession + problem.damping * cross(m, precession));
}

}  // namespace

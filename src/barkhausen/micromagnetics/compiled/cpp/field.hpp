// The effective field of one cell but for its stray and thermal parts, and the torque it exerts.
#pragma once

#include "maps.hpp"

namespace {

// What is uniform over the film at one time, per replica.
struct Drive {
  Lanes damping_like, field_like, gate;
  Vector external;
  Lanes spin_transfer;  // -u / (2 gamma cell_x)
  Lanes local, heat;    // with maps: amplitude of the local field, factor of the thermal field
};

template <bool mapped>
ALWAYS_INLINE Drive load_drive(const Run& run, int row, int block) {
  constexpr int columns = mapped ? 9 : 7;
  const float* from = run.drive + columns * run.padded * row + (int64_t)kLanes * block;
  Lanes value[9] = {};
  for (int quantity = 0; quantity < columns; quantity++) value[quantity] = load_unaligned(from + quantity * run.padded);
  return {value[0], value[1], value[2], {value[3], value[4], value[5]}, value[6], value[7], value[8]};
}

// The polarisation of the spins that a current of any direction brings, times its strength.
ALWAYS_INLINE Vector polarisation_of_cell(const Problem& problem, const CellMaps& maps, ptrdiff_t cell) {
  const Values<kCurrent> j = maps.at<kCurrent>(cell);
  const float* p = problem.polarisation;
  return {p[0] * j[0] - p[1] * j[1], p[0] * j[1] + p[1] * j[0], p[2] * j[2]};
}

// Fields that need no neighbour, of films with maps: currents of any direction, tilted axes, cubic anisotropy, a local
// field.
ALWAYS_INLINE void add_mapped_fields(const Problem& problem, const Drive& drive, const CellMaps& maps, ptrdiff_t cell,
                                     Vector m, Lanes inverse_magnetisation, const float* anisotropy, float gate,
                                     Vector& b) {
  const int features = problem.features;
  if (features & kTorques) {
    const Vector sigma = polarisation_of_cell(problem, maps, cell);
    b = b + drive.damping_like * cross(m, sigma) + drive.field_like * sigma;
  }
  const Lanes easy = load(anisotropy) + (gate * drive.gate) * inverse_magnetisation;
  b.x += load(anisotropy + kLanes) * m.x;
  if (features & kTilted) {
    const Vector axis = maps.at<kAxis>(cell).vector();
    b = b + (easy * dot(m, axis)) * axis;
    b.z += load(anisotropy + 2 * kLanes) * m.z;
  } else {
    b.z += easy * m.z;
  }
  if (features & kLocal) b = b + drive.local * maps.at<kLocalField>(cell).vector();
  if (features & kCubic) {
    const float* c = problem.cubic_axes;
    Vector along{c[0] * m.x + c[1] * m.y + c[2] * m.z, c[3] * m.x + c[4] * m.y + c[5] * m.z,
                 c[6] * m.x + c[7] * m.y + c[8] * m.z};
    const Vector square{along.x * along.x, along.y * along.y, along.z * along.z};
    const Lanes factor = problem.cubic * inverse_magnetisation;
    along = {factor * (along.x * (square.y + square.z)), factor * (along.y * (square.z + square.x)),
             factor * (along.z * (square.x + square.y))};
    b.x += c[0] * along.x + c[3] * along.y + c[6] * along.z;
    b.y += c[1] * along.x + c[4] * along.y + c[7] * along.z;
    b.z += c[2] * along.x + c[5] * along.y + c[8] * along.z;
  }
}

// The cells two further on, for a slope of the fourth order: the halo, which is empty, where there are none.
struct Beyond {
  ptrdiff_t right, left;  // in cells
};

ALWAYS_INLINE Beyond beyond(const Problem& problem, int x) {
  const ptrdiff_t row = problem.ny + 1;
  return {x + 2 <= problem.nx ? 2 * row : row, x >= 1 ? 2 * row : row};
}

// Twice the slope along one axis, per cell and filled volume, the neighbours being `step` cells away: of the fourth
// order where all five cells are filled, of the second at edges.
ALWAYS_INLINE Vector twice_the_slope(const float* centre, const float* fill, ptrdiff_t step, Beyond two) {
  const Vector m = load_vector(centre);
  const Vector next = load_vector(centre + 3 * kLanes * step), last = load_vector(centre - 3 * kLanes * step);
  const Lanes own = load(fill);
  const Lanes ahead = minimum(own, load(fill + kLanes * step)), behind = minimum(own, load(fill - kLanes * step));
  const Lanes ends = minimum(load(fill + kLanes * two.right), load(fill - kLanes * two.left));
  const Lanes all = minimum(minimum(ahead, behind), ends);
  const Vector outer = load_vector(centre + 3 * kLanes * two.right) - load_vector(centre - 3 * kLanes * two.left);
  return ahead * (next - m) - behind * (last - m) + ((1.0f / 6.0f) * all) * (2.0f * (next - last) - outer);
}

// The torque of a current in the film, of any direction in each cell, as a field.
ALWAYS_INLINE Vector mapped_transfer(const Problem& problem, const Drive& drive, const CellMaps& maps, ptrdiff_t cell,
                                     const float* centre, const float* fill, const float* inverse_fill, ptrdiff_t row,
                                     Beyond two, int y) {
  const Beyond two_up{y + 2 <= problem.ny ? 2 : 1, y >= 1 ? 2 : 1};
  const Values<kCurrent> j = maps.at<kCurrent>(cell);
  const Lanes factor = load(inverse_fill) * drive.spin_transfer;
  const Vector slope = (factor * j[0]) * twice_the_slope(centre, fill, row, two) +
                       (factor * (problem.cell_ratio * j[1])) * twice_the_slope(centre, fill, 1, two_up);
  return cross(load_vector(centre), slope) + problem.non_adiabaticity * slope;
}

// The field of a film with maps; arguments as below.
ALWAYS_INLINE Vector mapped_field(const Problem& problem, const Drive& drive, const float* centre, const float* fill,
                                  const float* inverse_fill, ptrdiff_t row, Beyond two, const float* anisotropy,
                                  float gate, const CellMaps& maps, ptrdiff_t cell, int y) {
  const Vector m = load_vector(centre);
  const Vector to_right = load_vector(centre + 3 * kLanes * row), to_left = load_vector(centre - 3 * kLanes * row);
  const Vector to_up = load_vector(centre + 3 * kLanes), to_down = load_vector(centre - 3 * kLanes);
  const Values<kBonds> ahead = maps.at<kBonds>(cell), behind = maps.at<kBonds>(cell - row);
  const Values<kBonds> below = maps.at<kBonds>(cell - 1);

  Vector bonds = ahead[0] * (to_right - m) + behind[0] * (to_left - m) + ahead[2] * (to_up - m) +
                 below[2] * (to_down - m);
  bonds.x += ahead[1] * to_right.z - behind[1] * to_left.z;
  bonds.y += ahead[3] * to_up.z - below[3] * to_down.z;
  bonds.z -= ahead[1] * to_right.x - behind[1] * to_left.x + ahead[3] * to_up.y - below[3] * to_down.y;

  const Values<kMoment> moment = maps.at<kMoment>(cell);
  Vector b = moment[1] * bonds + drive.external;
  if (problem.transfers)
    b = b + mapped_transfer(problem, drive, maps, cell, centre, fill, inverse_fill, row, two, y);
  add_mapped_fields(problem, drive, maps, cell, m, moment[2], anisotropy, gate, b);
  return b;
}

// `centre` and `fill` point at the cell in arrays with a halo of empty cells, `row` cells from one x to the next. A
// bond counts as much as the emptier of its two cells is filled, per filled volume of this one; the halo is empty, so
// the edges of the film need no case of their own. `anisotropy` points at the fields per m_z and per m_x; with tilted
// axes, per m along the axis, per m_x and per m_z. `cell` is the place in the maps, `y` that in the row.
template <bool mapped, bool transfers>
ALWAYS_INLINE Vector local_field(const Problem& problem, const Drive& drive, const float* centre, const float* fill,
                                 const float* inverse_fill, ptrdiff_t row, Beyond two, const float* anisotropy,
                                 float gate, const CellMaps& maps, ptrdiff_t cell, int y) {
  if constexpr (mapped)
    return mapped_field(problem, drive, centre, fill, inverse_fill, row, two, anisotropy, gate, maps, cell, y);
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

  if constexpr (!transfers) {
    // Adds zero: without it the compiler would fuse other products and sums, and the last bits would be others.
    const Vector slope = from_right - from_left;
    bonds = bonds + drive.spin_transfer * (cross(m, slope) + problem.non_adiabaticity * slope);
  } else {
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

ALWAYS_INLINE Vector torque(Lanes damping, Lanes rate, Vector m, Vector b) {
  const Vector precession = cross(m, b);
  return rate * (precession + damping * cross(m, precession));
}

}  // namespace

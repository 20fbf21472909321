// The field that the neighbours of a cell, the drive and its spin-orbit torque exert on it, as far as it does not depend
// on the cell's own magnetisation. The splitting turns a cell in exactly this field while its neighbours rest.
#pragma once

#include "field.hpp"

namespace {

// The field is `field + m x torque`, m being the cell's own magnetisation; anisotropy comes on top.
struct FrozenField {
  Vector field, torque;
};

ALWAYS_INLINE Vector operator*(Vector a, Vector b) { return {a.x * b.x, a.y * b.y, a.z * b.z}; }
ALWAYS_INLINE Vector uniform(const float* value) {
  return {all_lanes(value[0]), all_lanes(value[1]), all_lanes(value[2])};
}

// The same of a film with maps.
ALWAYS_INLINE FrozenField mapped_frozen_field(const Problem& problem, const Drive& drive, const float* centre,
                                              ptrdiff_t row, const CellMaps& maps, ptrdiff_t cell) {
  const Vector to_right = load_vector(centre + 3 * kLanes * row), to_left = load_vector(centre - 3 * kLanes * row);
  const Vector to_up = load_vector(centre + 3 * kLanes), to_down = load_vector(centre - 3 * kLanes);
  const Values<kBonds> ahead = maps.at<kBonds>(cell), behind = maps.at<kBonds>(cell - row);
  const Values<kBonds> below = maps.at<kBonds>(cell - 1);
  Vector bonds = ahead[0] * to_right + behind[0] * to_left + ahead[2] * to_up + below[2] * to_down;
  bonds.x += ahead[1] * to_right.z - behind[1] * to_left.z;
  bonds.y += ahead[3] * to_up.z - below[3] * to_down.z;
  bonds.z -= ahead[1] * to_right.x - behind[1] * to_left.x + ahead[3] * to_up.y - below[3] * to_down.y;

  const Vector beside = maps.at<kMoment>(cell + row)[0] * to_right + maps.at<kMoment>(cell - row)[0] * to_left;
  const Vector above = maps.at<kMoment>(cell + 1)[0] * to_up + maps.at<kMoment>(cell - 1)[0] * to_down;
  FrozenField frozen{maps.at<kMoment>(cell)[1] * bonds + uniform(problem.near_x) * beside +
                         uniform(problem.near_y) * above + drive.external,
                     {}};
  if (problem.features & kLocal) frozen.field = frozen.field + drive.local * maps.at<kLocalField>(cell).vector();
  if (problem.features & kTorques) {
    const Vector sigma = polarisation_of_cell(problem, maps, cell);
    frozen.field = frozen.field + drive.field_like * sigma;
    frozen.torque = drive.damping_like * sigma;
  }
  return frozen;
}

// Arguments as those of local_field(). What is parallel to m exerts no torque and is left out: the cell's own share of
// exchange. Zhang and Li's torque, whose slope reaches two cells far, is not known here.
template <bool mapped>
ALWAYS_INLINE FrozenField frozen_field(const Problem& problem, const Drive& drive, const float* centre,
                                       const float* fill, const float* inverse_fill, ptrdiff_t row,
                                       const CellMaps& maps, ptrdiff_t cell) {
  if constexpr (mapped) return mapped_frozen_field(problem, drive, centre, row, maps, cell);
  const Lanes own = load(fill);
  const Vector to_right = load_vector(centre + 3 * kLanes * row), to_left = load_vector(centre - 3 * kLanes * row);
  const Vector to_up = load_vector(centre + 3 * kLanes), to_down = load_vector(centre - 3 * kLanes);
  const Lanes right_fill = load(fill + kLanes * row), left_fill = load(fill - kLanes * row);
  const Lanes up_fill = load(fill + kLanes), down_fill = load(fill - kLanes);

  const Vector from_right = minimum(own, right_fill) * to_right, from_left = minimum(own, left_fill) * to_left;
  const Vector from_up = minimum(own, up_fill) * to_up, from_down = minimum(own, down_fill) * to_down;
  const Vector slope = from_right - from_left, climb = from_up - from_down;
  Vector bonds = problem.exchange[0] * (from_right + from_left) + problem.exchange[1] * (from_up + from_down);
  bonds.x += problem.dmi[0] * slope.z;
  bonds.y += problem.dmi[1] * climb.z;
  bonds.z -= problem.dmi[0] * slope.x + problem.dmi[1] * climb.y;

  // The nearest cells' share of the stray field, which the transforms leave out.
  const Vector beside = right_fill * to_right + left_fill * to_left, above = up_fill * to_up + down_fill * to_down;
  const Vector near = uniform(problem.near_x) * beside + uniform(problem.near_y) * above;

  const Lanes inverse = load(inverse_fill);
  const float* p = problem.polarisation;
  const Vector polarisation = uniform(p);
  return {inverse * bonds + near + drive.external + drive.field_like * polarisation,
          drive.damping_like * polarisation};
}

}  // namespace

// Parameters that differ from cell to cell: read as one number for all replicas, or as one for each lane.
#pragma once

#include "arguments.hpp"
#include "vector.hpp"

namespace {

constexpr int kMapValues[kMaps] = {4, 3, 3, 3, 3, 3};

ALWAYS_INLINE Vector operator+(Vector a, Vector b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
ALWAYS_INLINE Vector operator-(Vector a, Vector b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
ALWAYS_INLINE Vector operator*(Lanes f, Vector a) { return {f * a.x, f * a.y, f * a.z}; }
ALWAYS_INLINE Vector operator*(float f, Vector a) { return {f * a.x, f * a.y, f * a.z}; }
ALWAYS_INLINE Lanes dot(Vector a, Vector b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
ALWAYS_INLINE Vector cross(Vector a, Vector b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

template <MapName name>
struct Values {
  Lanes value[kMapValues[name]];
  ALWAYS_INLINE Lanes operator[](int number) const { return value[number]; }
  ALWAYS_INLINE Vector vector() const { return {value[0], value[1], value[2]}; }
};

// The maps as a block of replicas sees them.
struct CellMaps {
  const Map* map;
  const float* values[kMaps];

  // What is not used by the caller is not loaded. The branch goes the same way for all cells.
  template <MapName name>
  ALWAYS_INLINE Values<name> at(ptrdiff_t cell) const {
    const float* from = values[name] + cell * map[name].cell_stride;
    Values<name> to;
    if (map[name].lanes == 1)
      for (int number = 0; number < kMapValues[name]; number++) to.value[number] = all_lanes(from[number]);
    else
      for (int number = 0; number < kMapValues[name]; number++) to.value[number] = load(from + kLanes * number);
    return to;
  }
};

ALWAYS_INLINE CellMaps maps_of_block(const Problem& problem, int block) {
  CellMaps maps{problem.maps, {}};
  for (int name = 0; name < kMaps; name++)
    maps.values[name] = problem.maps[name].values + problem.maps[name].block_stride * block;
  return maps;
}

}  // namespace

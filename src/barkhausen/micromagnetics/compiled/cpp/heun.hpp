// Stochastic Heun steps of one block of eight replicas. A stage is two sweeps: over the columns of the spectra (the
// convolution) and over pairs of rows, where the stray field comes back from the spectra, all other terms are added,
// the magnetisation moves on, and its new rows go into the spectra for the next stage while they are in the cache.
#pragma once

#include "demag.hpp"
#include "field.hpp"
#include "noise.hpp"

namespace {

enum Stage { kPredict, kCorrect, kFieldOnly, kStrayFieldOnly };

struct Workspace {
  float* predicted;  // laid out as the magnetisation
  float* noise;      // [cell][3][8]
  RowPair rows;
  Spectra spectra;
};

ALWAYS_INLINE ptrdiff_t haloed_cells(const Problem& problem) {
  // The cell after the last of a row is also the one before the first of the next: one column of halo serves both.
  return (ptrdiff_t)(problem.nx + 2) * (problem.ny + 1) + 1;
}

ALWAYS_INLINE ptrdiff_t haloed_index(const Problem& problem, int x) {
  return (ptrdiff_t)(x + 1) * (problem.ny + 1) + 1;
}

// Hands out the workspace piece by piece; with no memory it only counts.
struct Arena {
  unsigned char* base;
  int64_t used;
  void* take(int64_t bytes) {
    void* piece = base ? base + used : nullptr;
    used += (bytes + 63) / 64 * 64;
    return piece;
  }
};

inline int64_t lay_out(const Problem& problem, unsigned char* memory, Workspace& w) {
  Arena arena{memory, 0};
  const int64_t vector = 3 * sizeof(Lanes);
  w.predicted = (float*)arena.take(haloed_cells(problem) * vector);
  // Three normals a cell, and a fourth of a row that has an odd number of them (the splitting's).
  w.noise = (float*)arena.take((int64_t)problem.nx * (problem.ny + 1) * vector);
  const Axis &x = problem.along_x, &y = problem.along_y;
  const int64_t row = (half_length(y) > problem.ny ? half_length(y) : problem.ny) * sizeof(Complex);
  w.rows.in_plane[0] = (Complex*)arena.take(row);
  w.rows.in_plane[1] = (Complex*)arena.take(row);
  w.rows.normal = (Complex*)arena.take(row);
  if (problem.has_demag) {
    w.spectra.pitch = pitch_of(problem);
    w.spectra.in_plane = (Complex*)arena.take(w.spectra.pitch * y.length * sizeof(Complex));
    w.spectra.normal = (Complex*)arena.take(w.spectra.pitch * (y.length / 2 + 1) * sizeof(Complex));
    const int64_t longest = 2 * x.length > y.length ? 2 * x.length : y.length;
    w.spectra.work = (Complex*)arena.take(longest * sizeof(Complex));
  }
  return arena.used;
}

struct Block {
  const Problem& problem;
  const Run& run;
  int index;
  float* magnetisation;
  const float *fill, *inverse_fill, *anisotropy;
  Workspace work;
  Generator generator;
  Lanes thermal;
  bool thermal_on;
  IntLanes worst;  // largest | |m|^2 - 1 | of the present step, as bits
  CellMaps maps;
};

// How much of its m a cell adds to the sources of the stray field: its filled fraction, or its relative moment.
template <bool mapped>
ALWAYS_INLINE Lanes weight_of_cell(const Block& block, ptrdiff_t haloed) {
  if constexpr (mapped) return block.maps.at<kMoment>(haloed)[0];
  return load(block.fill + kLanes * haloed);
}

// A row without a second one must not find what an earlier pair left in the imaginary part.
ALWAYS_INLINE void clear_beyond_film(const Problem& problem, const RowPair& rows, bool second) {
  for (int y = 0; y < problem.ny && !second; y++) rows.normal[y].im = Lanes{};
  for (int y = problem.ny; y < half_length(problem.along_y); y++)
    rows.in_plane[0][y] = rows.in_plane[1][y] = rows.normal[y] = Complex{};
}

// Puts a cell's filled share of m where the transform of the rows takes it from.
ALWAYS_INLINE void put_weighted(const RowPair& rows, int row, int y, Lanes fill, Vector m) {
  rows.in_plane[row][y] = {fill * m.x, fill * m.y};
  (row == 0 ? rows.normal[y].re : rows.normal[y].im) = fill * m.z;
}

template <Stage stage, bool demag, bool mapped, bool transfers>
ALWAYS_INLINE void sweep_row(Block& block, const Drive& drive, const float* source, int x, int row) {
  const Problem& problem = block.problem;
  const RowPair& rows = block.work.rows;
  const ptrdiff_t haloed = haloed_index(problem, x), cell = (ptrdiff_t)x * problem.ny;
  const float* anisotropy = block.anisotropy + cell * problem.anisotropy_cell_stride;
  const float* gate = problem.gate + cell * problem.gate_cell_stride;
  const float *fill = block.fill + kLanes * haloed, *inverse_fill = block.inverse_fill + kLanes * haloed;
  const float* centre = source + 3 * kLanes * haloed;
  float* own = block.magnetisation + 3 * kLanes * haloed;
  float* predicted = block.work.predicted + 3 * kLanes * haloed;
  float* noise = block.work.noise + 3 * kLanes * cell;
  float* field = block.run.field + (stage >= kFieldOnly ? 3 * kLanes * (block.index * (ptrdiff_t)problem.nx * problem.ny + cell) : 0);
  IntLanes worst = block.worst;
  const Beyond two = beyond(problem, x);

  if (stage == kPredict && block.thermal_on)
    fill_with_normals(block.generator, mapped ? block.thermal * drive.heat : block.thermal, noise, 3 * problem.ny);

  for (int y = 0; y < problem.ny; y++) {
    const ptrdiff_t scalar = (ptrdiff_t)kLanes * y, vector = 3 * scalar;
    Vector b{};
    if (demag) {
      const Complex in_plane = rows.in_plane[row][y], normal = rows.normal[y];
      b = {in_plane.re, in_plane.im, row == 0 ? normal.re : normal.im};
    }
    if (stage == kStrayFieldOnly) {
      store_vector(field + vector, b);
      continue;
    }
    b = b + local_field<mapped, transfers>(problem, drive, centre + vector, fill + scalar, inverse_fill + scalar, problem.ny + 1,
                                two, anisotropy + y * problem.anisotropy_cell_stride,
                                gate[y * problem.gate_cell_stride], block.maps, haloed + y, y);
    if (stage == kFieldOnly) {
      store_vector(field + vector, b);
      continue;
    }
    Vector m = load_vector(centre + vector), change;
    if constexpr (mapped) {
      const Values<kMotion> motion = block.maps.at<kMotion>(haloed + y);
      b = b + motion[2] * load_vector(noise + vector);
      change = torque(motion[0], block.run.rate * motion[1], m, b);
    } else {
      // sigma / sqrt(fill); the inverse is stored as zero where a cell is empty.
      b = b + square_root(load(inverse_fill + scalar)) * load_vector(noise + vector);
      change = torque(problem, block.run.rate, m, b);
    }
    if (stage == kPredict) {
      m = m + change;
      store_vector(predicted + vector, m);
    } else {
      // m + (k1 + k2) / 2, where k1 is what the predictor added.
      const Vector start = load_vector(own + vector);
      m = start + 0.5f * ((m - start) + change);
      // An empty cell counts as one of unit length, so that it neither divides by zero nor looks deviant.
      const Lanes unit_if_empty = from_bits((load(fill + scalar) == 0.0f) & bits(all_lanes(1.0f)));
      const Lanes square = dot(m, m) + unit_if_empty;
      worst = larger_magnitude(worst, square - 1.0f);
      m = (1.0f / square_root(square)) * m;
      store_vector(own + vector, m);
    }
    if (demag) put_weighted(rows, row, y, weight_of_cell<mapped>(block, haloed + y), m);
  }
  block.worst = worst;
}

template <Stage stage, bool demag, bool mapped, bool transfers>
__attribute__((noinline)) void sweep_rows(Block& block, int drive_row, const float* source, bool more) {
  const Problem& problem = block.problem;
  const Drive drive = load_drive<mapped>(block.run, drive_row, block.index);
  for (int x = 0; x < problem.nx; x += 2) {
    const bool second = x + 1 < problem.nx;
    if (demag) rows_from_spectra(problem, block.work.spectra, second, x, block.work.rows);
    sweep_row<stage, demag, mapped, transfers>(block, drive, source, x, 0);
    if (second) sweep_row<stage, demag, mapped, transfers>(block, drive, source, x + 1, 1);
    if (demag && stage < kFieldOnly && more) {
      clear_beyond_film(problem, block.work.rows, second);
      rows_to_spectra(problem, block.work.rows, second, x, block.work.spectra);
    }
  }
}

// What the row sweep of a previous stage would have left in the spectra.
template <bool mapped>
__attribute__((noinline)) void transform_rows(Block& block) {
  const Problem& problem = block.problem;
  for (int x = 0; x < problem.nx; x += 2) {
    const bool second = x + 1 < problem.nx;
    for (int row = 0; row <= (int)second; row++) {
      const ptrdiff_t haloed = haloed_index(problem, x + row);
      for (int y = 0; y < problem.ny; y++)
        put_weighted(block.work.rows, row, y, weight_of_cell<mapped>(block, haloed + y),
                     load_vector(block.magnetisation + 3 * kLanes * (haloed + y)));
    }
    clear_beyond_film(problem, block.work.rows, second);
    rows_to_spectra(problem, block.work.rows, second, x, block.work.spectra);
  }
}

template <bool demag, bool mapped, bool transfers>
void step(Block& block, int number) {
  const Problem& problem = block.problem;
  block.worst = IntLanes{};
  if (demag) convolve(problem, block.work.spectra);
  sweep_rows<kPredict, demag, mapped, transfers>(block, number, block.magnetisation, true);
  if (demag) convolve(problem, block.work.spectra);
  sweep_rows<kCorrect, demag, mapped, transfers>(block, number + 1, block.work.predicted, number + 1 < block.run.steps);
}

// Notes this step's deviations; whether a real replica went beyond the limit.
inline bool beyond_limit(const Block& block, int number) {
  const Run& run = block.run;
  const Lanes worst = from_bits(block.worst);
  bool any = false;
  for (int lane = 0; lane < kLanes; lane++) {
    const int64_t replica = (int64_t)block.index * kLanes + lane;
    float& deviation = run.deviation[replica];
    if (!(worst[lane] <= deviation)) deviation = worst[lane];
    if (worst[lane] <= run.norm_limit) continue;  // false for a NaN
    run.failed_step[replica] = number;
    any = true;
  }
  return any;
}

template <bool demag, bool mapped, bool transfers>
void advance(Block& block) {
  const Run& run = block.run;
  const Generator before = block.generator;
  for (int number = 0; number < run.steps; number++) {
    step<demag, mapped, transfers>(block, number);
    if (beyond_limit(block, number)) break;
  }
  // A replica without thermal field draws nothing, whoever shares its block.
  const IntLanes drew = block.thermal != 0.0f;
  uint32_t* random = run.random + (int64_t)4 * kLanes * block.index;
  for (int word = 0; word < 4; word++)
    for (int lane = 0; lane < kLanes; lane++)
      random[word * kLanes + lane] = (drew[lane] ? block.generator : before).state[word][lane];
}

// All that is read before it is written: the halo of the predictor, the padding of the columns, and the noise where
// there is none.
inline void clear_workspace(const Problem& problem, const Workspace& w) {
  const size_t vector = 3 * sizeof(Lanes);
  __builtin_memset(w.predicted, 0, (size_t)haloed_cells(problem) * vector);
  __builtin_memset(w.noise, 0, (size_t)problem.nx * (problem.ny + 1) * vector);
  if (!problem.has_demag) return;
  for (int k = 0; k < problem.along_y.length; k++)
    __builtin_memset(w.spectra.in_plane + k * w.spectra.pitch + problem.nx, 0,
                     (size_t)(w.spectra.pitch - problem.nx) * sizeof(Complex));
  for (int k = 0; k <= problem.along_y.length / 2; k++)
    __builtin_memset(w.spectra.normal + k * w.spectra.pitch + problem.nx, 0,
                     (size_t)(w.spectra.pitch - problem.nx) * sizeof(Complex));
}

// Points a block at its share of what the run works on.
inline void open_block(Block& block, unsigned char* memory) {
  const Problem& problem = block.problem;
  const Run& run = block.run;
  const int index = block.index;
  lay_out(problem, memory, block.work);
  clear_workspace(problem, block.work);
  block.magnetisation = run.magnetisation + 3 * kLanes * haloed_cells(problem) * index;
  block.fill = problem.fill + problem.fill_block_stride * index;
  block.inverse_fill = problem.inverse_fill + problem.fill_block_stride * index;
  block.anisotropy = problem.anisotropy + problem.anisotropy_block_stride * index;
  block.thermal = load_unaligned(run.thermal + (int64_t)kLanes * index);
  for (int lane = 0; lane < kLanes; lane++) block.thermal_on |= block.thermal[lane] != 0.0f;
  for (int word = 0; word < 4; word++)
    block.generator.state[word] = *(const WordLanes*)(run.random + (int64_t)kLanes * (4 * index + word));
  if (problem.mapped) block.maps = maps_of_block(problem, index);
}

template <bool mapped, bool transfers>
void run_tasks(Block& block) {
  const Problem& problem = block.problem;
  const Run& run = block.run;
  if (run.task == kAdvance) {
    if (problem.has_demag) {
      transform_rows<mapped>(block);
      advance<true, mapped, transfers>(block);
    } else {
      advance<false, mapped, transfers>(block);
    }
    return;
  }
  const int repetitions = run.task == kTransform ? run.steps : 1;
  for (int repetition = 0; repetition < repetitions; repetition++) {
    if (problem.has_demag) {
      transform_rows<mapped>(block);
      convolve(problem, block.work.spectra);
    }
    if (run.task == kTransform)
      sweep_rows<kStrayFieldOnly, true, mapped, transfers>(block, 0, block.magnetisation, false);
    else if (problem.has_demag)
      sweep_rows<kFieldOnly, true, mapped, transfers>(block, 0, block.magnetisation, false);
    else
      sweep_rows<kFieldOnly, false, mapped, transfers>(block, 0, block.magnetisation, false);
  }
}

inline void run_block(const Problem& problem, const Run& run, int index, unsigned char* memory) {
  Block block{problem, run, index, nullptr, nullptr, nullptr, nullptr, {}, {}, {}, false, {}, {}};
  open_block(block, memory);
  if (problem.mapped)
    run_tasks<true, true>(block);
  else if (problem.transfers)
    run_tasks<false, true>(block);
  else
    run_tasks<false, false>(block);
}

}  // namespace

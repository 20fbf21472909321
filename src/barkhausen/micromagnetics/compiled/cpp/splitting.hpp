// Steps of a symmetric splitting of the stochastic Landau-Lifshitz-Gilbert equation, for one block of eight replicas.
//
// Exchange and DMI couple a cell only to cells of the other colour of a checkerboard. While the other colour rests, a
// cell sees a fixed field and turns in it exactly, which keeps its length, the energy and with it Boltzmann's
// distribution, whatever the step. One step is
//   half a turn of the even cells, the odd cells, half a turn of the even cells,
// each with relaxation (D), precession about the anisotropies' axes (A), precession about the field (P) and noise (N):
// even D N T | odd D T T N D | even T N D, where T is A P A in half a step and N of the even cells has half the variance
// each time. (With the odd cells' two T as one A P A the temperature of the long modes would come out wrong by some
// 0.4 % at 5e-13 s, with these by a tenth of that; with all noise of the even cells after their turns by the damping
// times a third.) Among others A, D and N have a weight, since long waves would feel them too strongly.
// The stray field but for its share of the cell itself and its nearest neighbours, which count among the local terms, is
// extrapolated to the middle of the step from this step's start and the last one's: one convolution a step.
//
// The three parts follow each other from row to row, one row behind each other, so that they meet in the cache.
#pragma once

#include "heun.hpp"
#include "neighbours.hpp"
#include "rotations.hpp"

namespace {

// Whether the film has maps, and its easy axis another direction than z.
enum Kind { kPlain, kMapped, kOblique };

enum Part { kEvenOpen, kOdd, kEvenClose };

constexpr int kRing = 8;  // rows for which extrapolated field and noise are kept

// Normals of one row: two for each cell, then two more for each even one.
inline int normals_of_row(const Problem& problem) { return 2 * problem.ny + 2 * ((problem.ny + 1) / 2); }

// Where the ring keeps those of row x.
ALWAYS_INLINE float* noise_of_row(const Block& block, int x) {
  return block.work.noise + (ptrdiff_t)kLanes * normals_of_row(block.problem) * (x % kRing);
}

// All that a cell turns by in one part of a step.
template <class Number>
struct Motion {
  Triple<Number> m, turn, pull;
  Easy<Number> easy_turn, easy_pull;
  Number kick[2], spread;  // normals, and the variance of a turn by noise about an axis in a step
  Number oblique_turn;
  Tilt<Number> oblique;
};

// One row of cells and what acts on it.
struct Row {
  float* magnetisation;
  const float *fill, *inverse_fill, *anisotropy, *gate, *stray, *noise;
  ptrdiff_t haloed;  // its first cell in the maps
  Drive drive;
};

ALWAYS_INLINE Row row_of(const Block& block, const Drive& drive, int x) {
  const Problem& problem = block.problem;
  const ptrdiff_t haloed = haloed_index(problem, x), cell = (ptrdiff_t)x * problem.ny;
  const ptrdiff_t ring = (ptrdiff_t)(x % kRing) * problem.ny;
  return {block.magnetisation + 3 * kLanes * haloed,
          block.fill + kLanes * haloed,
          block.inverse_fill + kLanes * haloed,
          block.anisotropy + cell * problem.anisotropy_cell_stride,
          problem.gate + cell * problem.gate_cell_stride,
          block.work.predicted + 3 * kLanes * ring,
          noise_of_row(block, x),
          haloed,
          drive};
}

// gamma dt / (1 + alpha^2) of a cell, and zero if it is empty, so that its magnetisation stays zero.
ALWAYS_INLINE Lanes rate_of_cell(const Block& block, Lanes fill) {
  return from_bits((fill != 0.0f) & bits(all_lanes(-block.run.rate)));
}

ALWAYS_INLINE void load_kick(const Row& row, int normals, Motion<Lanes>& motion) {
  motion.kick[0] = load(row.noise + (ptrdiff_t)kLanes * normals);
  motion.kick[1] = load(row.noise + (ptrdiff_t)kLanes * (normals + 1));
}

// The same of a film with maps; `normals`: place of the cell's two normals in those of the row.
template <bool demag, bool noisy, bool along_x, Kind kind>
ALWAYS_INLINE Motion<Lanes> mapped_motion(const Block& block, const Row& row, int y, int normals) {
  const Problem& problem = block.problem;
  const ptrdiff_t vector = 3 * (ptrdiff_t)kLanes * y, cell = row.haloed + y;
  FrozenField frozen = frozen_field<true>(problem, row.drive, row.magnetisation + vector, nullptr, nullptr,
                                          problem.ny + 1, block.maps, cell);
  if (demag) frozen.field = frozen.field + load_vector(row.stray + vector);
  const Values<kMotion> own = block.maps.at<kMotion>(cell);
  const Lanes damping = own[0], half = (-0.5f * block.run.rate) * own[1], weak = damping * half;
  const Vector turn = half * (frozen.field - damping * frozen.torque);
  const Vector pull = half * (damping * frozen.field + frozen.torque), m = load_vector(row.magnetisation + vector);
  const float* easy = row.anisotropy + y * problem.anisotropy_cell_stride;
  const Lanes main = load(easy) + (row.gate[y * problem.gate_cell_stride] * row.drive.gate) *
                                      block.maps.at<kMoment>(cell)[2];
  const Lanes easy_z = kind == kOblique ? load(easy + 2 * kLanes) : main;
  const Lanes easy_x = along_x ? load(easy + kLanes) : Lanes{};
  Motion<Lanes> motion{{m.x, m.y, m.z}, {turn.x, turn.y, turn.z}, {pull.x, pull.y, pull.z},
                       {0.5f * half * easy_x, 0.5f * half * easy_z}, {weak * easy_x, weak * easy_z}, {}, {}, {}, {}};
  if (kind == kOblique) {
    const Vector axis = block.maps.at<kAxis>(cell).vector();
    motion.oblique_turn = 0.5f * half * main;
    motion.oblique = {{axis.x, axis.y, axis.z}, weak * main};
  }
  if (noisy) {
    load_kick(row, normals, motion);
    const Lanes turn = block.thermal * row.drive.heat * own[2];
    motion.spread = turn * turn * own[1];
  }
  return motion;
}

template <bool demag, bool noisy, bool along_x, Kind kind>
ALWAYS_INLINE Motion<Lanes> motion_of_cell(const Block& block, const Row& row, int y, int normals) {
  if constexpr (kind != kPlain) return mapped_motion<demag, noisy, along_x, kind>(block, row, y, normals);
  const Problem& problem = block.problem;
  const ptrdiff_t scalar = (ptrdiff_t)kLanes * y, vector = 3 * scalar;
  FrozenField frozen = frozen_field<false>(problem, row.drive, row.magnetisation + vector, row.fill + scalar,
                                           row.inverse_fill + scalar, problem.ny + 1, block.maps, row.haloed + y);
  if (demag) frozen.field = frozen.field + load_vector(row.stray + vector);
  const float* easy = row.anisotropy + y * problem.anisotropy_cell_stride;
  const float damping = problem.damping;
  const Lanes rate = rate_of_cell(block, load(row.fill + scalar)), half = 0.5f * rate, weak = damping * half;
  // m x (m x V) is part of the relaxation, and -alpha V of the precession.
  const Vector turn = half * (frozen.field - damping * frozen.torque);
  const Vector pull = half * (damping * frozen.field + frozen.torque), m = load_vector(row.magnetisation + vector);
  const Lanes easy_z = load(easy) + row.gate[y * problem.gate_cell_stride] * row.drive.gate;
  const Lanes easy_x = along_x ? load(easy + kLanes) : Lanes{};
  Motion<Lanes> motion{{m.x, m.y, m.z}, {turn.x, turn.y, turn.z}, {pull.x, pull.y, pull.z},
                       {0.5f * half * easy_x, 0.5f * half * easy_z}, {weak * easy_x, weak * easy_z}, {}, {}, {}, {}};
  if (noisy) {
    // The turn by noise goes with 1/sqrt(moment); the inverse is stored as zero where a cell is empty.
    load_kick(row, normals, motion);
    motion.spread = block.thermal * block.thermal * load(row.inverse_fill + scalar);
  }
  return motion;
}

ALWAYS_INLINE Twin both(Lanes a, Lanes b) { return {a, b}; }
ALWAYS_INLINE Triple<Twin> both(Triple<Lanes> a, Triple<Lanes> b) { return {{a.x, b.x}, {a.y, b.y}, {a.z, b.z}}; }
ALWAYS_INLINE Easy<Twin> both(Easy<Lanes> a, Easy<Lanes> b) { return {{a.x, b.x}, {a.z, b.z}}; }
ALWAYS_INLINE Motion<Twin> both(const Motion<Lanes>& a, const Motion<Lanes>& b) {
  return {both(a.m, b.m), both(a.turn, b.turn), both(a.pull, b.pull), both(a.easy_turn, b.easy_turn),
          both(a.easy_pull, b.easy_pull), {both(a.kick[0], b.kick[0]), both(a.kick[1], b.kick[1])},
          both(a.spread, b.spread), both(a.oblique_turn, b.oblique_turn),
          {both(a.oblique.axis, b.oblique.axis), both(a.oblique.pull, b.oblique.pull)}};
}

// The squared turn of a cell and the weight of what acts beside it.
template <class Number>
struct Weight {
  Number square, sine, beside;  // `sine` over the tangent of the angle by which a cell among others turns
};

template <class Number>
ALWAYS_INLINE Weight<Number> weight_of(const Motion<Number>& motion, bool coupled) {
  const Number square = dot(motion.turn, motion.turn);
  if (!coupled) return {square, square, weight_alone(square)};
  const Number root = square_root(1.0f + square), more = 1.0f + root, inverse = 1.0f / (root * more);
  return {square, more * inverse, (2.0f * root) * inverse};
}

// Weighs the anisotropy, and where cells are coupled all else that is not a turn about the field.
template <Kind kind, class Number>
ALWAYS_INLINE void weigh(Motion<Number>& motion, Number weight, bool coupled) {
  motion.easy_turn = {weight * motion.easy_turn.x, weight * motion.easy_turn.z};
  if (kind == kOblique) motion.oblique_turn = weight * motion.oblique_turn;
  if (!coupled) return;
  motion.pull = weight * motion.pull;
  motion.easy_pull = {weight * motion.easy_pull.x, weight * motion.easy_pull.z};
  motion.spread = weight * motion.spread;
  if (kind == kOblique) motion.oblique.pull = weight * motion.oblique.pull;
}

// Half a turn about the axes of anisotropy, one about the field, half a turn about the axes in the opposite order.
template <bool along_x, Kind kind, class Number>
ALWAYS_INLINE Triple<Number> precession(const Motion<Number>& motion, Triple<Number> m, const Weight<Number>& weight,
                                        bool coupled) {
  if (kind == kOblique) m = turned_about(motion.oblique.axis, motion.oblique_turn, m);
  m = turned<along_x, false>(m, motion.easy_turn);
  m = coupled ? precessed_among_others(m, motion.turn, weight.sine, weight.beside)
              : precessed(m, motion.turn, weight.square);
  m = turned<along_x, true>(m, motion.easy_turn);
  if (kind == kOblique) m = turned_about(motion.oblique.axis, motion.oblique_turn, m);
  return m;
}

// A step of Brownian motion of that share of the variance; the correction makes a tangent decorrelate m as diffusion on
// the sphere does.
template <class Number>
ALWAYS_INLINE Triple<Number> kicked(const Motion<Number>& motion, Triple<Number> m, float share) {
  const Number variance = share * motion.spread, size = square_root(variance) * (1.0f - 0.75f * variance);
  return displaced(m, tangent(m, size * motion.kick[0], size * motion.kick[1]));
}

template <Part part, bool noisy, bool along_x, Kind kind, class Number>
ALWAYS_INLINE Triple<Number> moved(Motion<Number> motion, bool coupled, IntLanes& worst) {
  Triple<Number> m = motion.m;
  constexpr bool tilted = kind == kOblique;
  const Weight<Number> weight = weight_of(motion, coupled);
  weigh<kind>(motion, weight.beside, coupled);
  worst = larger_magnitude(worst, weight.square);
  if (part != kEvenClose) m = relaxed<along_x, tilted>(m, motion.pull, motion.easy_pull, motion.oblique);
  if (noisy && part == kEvenOpen) m = kicked(motion, m, 0.5f);
  m = precession<along_x, kind>(motion, m, weight, coupled);
  if (part == kOdd) m = precession<along_x, kind>(motion, m, weight, coupled);
  if (part != kEvenOpen) {
    if (noisy) m = kicked(motion, m, part == kOdd ? 1.0f : 0.5f);
    m = relaxed<along_x, tilted>(m, motion.pull, motion.easy_pull, motion.oblique);
    m = (1.5f - 0.5f * dot(m, m)) * m;  // what rounding and the series add
  }
  return m;
}

template <Part part, bool demag, bool noisy, bool along_x, Kind kind>
ALWAYS_INLINE void split_row(Block& block, const Drive& drive, int x) {
  const Row row = row_of(block, drive, x);
  const bool coupled = block.problem.coupled != 0;
  IntLanes worst = block.worst;
  const int start = part == kOdd ? 1 - x % 2 : x % 2;
  // The even cells' second normals, in the order of these cells.
  const int normals = part == kEvenOpen ? 2 * block.problem.ny - start : 0, each = part == kEvenOpen ? 1 : 2;
  int y = start;
  for (; y + 2 < block.problem.ny; y += 4) {
    const Triple<Twin> m = moved<part, noisy, along_x, kind>(
        both(motion_of_cell<demag, noisy, along_x, kind>(block, row, y, normals + each * y),
             motion_of_cell<demag, noisy, along_x, kind>(block, row, y + 2, normals + each * (y + 2))), coupled, worst);
    store_vector(row.magnetisation + 3 * kLanes * y, {m.x.first, m.y.first, m.z.first});
    store_vector(row.magnetisation + 3 * kLanes * (y + 2), {m.x.second, m.y.second, m.z.second});
  }
  if (y < block.problem.ny) {
    const Triple<Lanes> m =
        moved<part, noisy, along_x, kind>(motion_of_cell<demag, noisy, along_x, kind>(block, row, y, normals + each * y),
                                          coupled, worst);
    store_vector(row.magnetisation + 3 * kLanes * y, {m.x, m.y, m.z});
  }
  block.worst = worst;
}

// The stray field of rows x and x + 1 from the spectra, extrapolated by half a step; the last one's is replaced.
ALWAYS_INLINE void extrapolate_rows(Block& block, int x, bool second) {
  const Problem& problem = block.problem;
  const RowPair& rows = block.work.rows;
  float* last = block.run.stray + 3 * kLanes * ((ptrdiff_t)block.index * problem.nx + x) * problem.ny;
  for (int row = 0; row <= (int)second; row++) {
    float* to = block.work.predicted + 3 * kLanes * (ptrdiff_t)((x + row) % kRing) * problem.ny;
    for (int y = 0; y < problem.ny; y++, to += 3 * kLanes, last += 3 * kLanes) {
      const Complex in_plane = rows.in_plane[row][y], normal = rows.normal[y];
      const Vector now{in_plane.re, in_plane.im, row == 0 ? normal.re : normal.im};
      store_vector(to, 1.5f * now - 0.5f * load_vector(last));
      store_vector(last, now);
    }
  }
}

// Rows x and, where there is one, x + 1 into the spectra.
template <bool mapped>
ALWAYS_INLINE void weigh_rows(Block& block, int x, bool second) {
  const Problem& problem = block.problem;
  for (int row = 0; row <= (int)second; row++) {
    const ptrdiff_t haloed = haloed_index(problem, x + row);
    for (int y = 0; y < problem.ny; y++)
      put_weighted(block.work.rows, row, y, weight_of_cell<mapped>(block, haloed + y),
                   load_vector(block.magnetisation + 3 * kLanes * (haloed + y)));
  }
  clear_beyond_film(problem, block.work.rows, second);
  rows_to_spectra(problem, block.work.rows, second, x, block.work.spectra);
}

template <bool demag, bool noisy, bool along_x, Kind kind>
__attribute__((noinline)) void split_step(Block& block, int number) {
  const Problem& problem = block.problem;
  const int nx = problem.nx;
  block.worst = IntLanes{};
  const Drive drive = load_drive<kind != kPlain>(block.run, number, block.index);
  if (demag) convolve(problem, block.work.spectra);
  for (int x = 0; x < nx + 2; x++) {
    if (x < nx) {
      if (demag && x % 2 == 0) {
        const bool second = x + 1 < nx;
        rows_from_spectra(problem, block.work.spectra, second, x, block.work.rows);
        extrapolate_rows(block, x, second);
      }
      if (noisy)
        fill_with_normals(block.generator, all_lanes(1.0f), noise_of_row(block, x), normals_of_row(problem));
      split_row<kEvenOpen, demag, noisy, along_x, kind>(block, drive, x);
    }
    if (x >= 1 && x <= nx) split_row<kOdd, demag, noisy, along_x, kind>(block, drive, x - 1);
    const int done = x - 2;
    if (done < 0) continue;
    split_row<kEvenClose, demag, noisy, along_x, kind>(block, drive, done);
    if (demag && (done % 2 == 1 || done == nx - 1))
      weigh_rows<kind != kPlain>(block, done - done % 2, done % 2 == 1);
  }
}

template <bool demag, bool noisy, bool along_x, Kind kind>
void split_steps(Block& block) {
  for (int number = 0; number < block.run.steps; number++) {
    split_step<demag, noisy, along_x, kind>(block, number);
    if (beyond_limit(block, number)) break;
  }
}

template <bool demag, Kind kind>
void split_advance(Block& block) {
  const Run& run = block.run;
  const Generator before = block.generator;
  if (block.thermal_on && (kind == kOblique || block.problem.easy_x))
    split_steps<demag, true, true, kind>(block);
  else if (block.thermal_on)
    split_steps<demag, true, kind == kOblique, kind>(block);
  else
    split_steps<demag, false, true, kind>(block);
  // A replica without thermal field draws nothing, whoever shares its block.
  const IntLanes drew = block.thermal != 0.0f;
  uint32_t* random = run.random + (int64_t)4 * kLanes * block.index;
  for (int word = 0; word < 4; word++)
    for (int lane = 0; lane < kLanes; lane++)
      random[word * kLanes + lane] = (drew[lane] ? block.generator : before).state[word][lane];
}

template <Kind kind>
void split_block(Block& block) {
  if (block.problem.has_demag) {
    transform_rows<kind != kPlain>(block);
    split_advance<true, kind>(block);
  } else {
    split_advance<false, kind>(block);
  }
}

inline void run_splitting(const Problem& problem, const Run& run, int index, unsigned char* memory) {
  Block block{problem, run, index, nullptr, nullptr, nullptr, nullptr, {}, {}, {}, false, {}, {}};
  open_block(block, memory);
  if (!problem.mapped)
    split_block<kPlain>(block);
  else if (problem.features & kTilted)
    split_block<kOblique>(block);
  else
    split_block<kMapped>(block);
}

}  // namespace

// What crosses from Python to the kernel: plain structures, mirrored field by field in layout.py.
#pragma once

#include <stdint.h>

// To be raised, here and in layout.py, with every change of a structure or of what its fields mean: a library built
// before it would read wrong memory.
constexpr int64_t kInterface = 3;

struct Axis {
  int32_t cells;             // of the film along this axis
  int32_t length;            // padded: 1, or even and at least twice `cells`
  int32_t stages;            // of the transform; 0 when length is 1
  int32_t radix[20];         // outermost first; the first is even
  const float* twiddle;      // per stage and position p: radix - 1 complex factors exp(-2 pi i p j / block length)
  const int32_t* position;   // where the permuted spectrum holds a frequency
  const int32_t* partner;    // position of -q for each position of q
};

// Values of each cell of the haloed film: one number for all replicas where `lanes` is 1, otherwise 8 lanes. Strides in
// floats, 0 where cells or blocks share them.
struct Map {
  const float* values;
  int64_t block_stride, cell_stride;
  int32_t lanes;
};

// What a map holds, in this order.
enum MapName : int32_t {
  kBonds,       // exchange and DMI of the bond with the next cell along x, then along y (tesla on a full moment)
  kMoment,      // moment, 1/moment (0 where empty) and 1/Ms, relative to a full cell of the material
  kMotion,      // damping; rate relative to the run's, 0 where frozen; thermal field relative to the run's
  kCurrent,     // current along x and along y, and its size; relative to the drive's and divided by the relative Ms
  kAxis,        // easy axis
  kLocalField,  // field per unit of the drive's local amplitude (tesla)
  kMaps
};

// Terms that only films with maps have, and those that such films may lack.
enum Feature : int32_t { kTilted = 1, kTorques = 2, kLocal = 4, kCubic = 8 };

struct Problem {
  int32_t nx, ny, has_demag, column_pairs;
  Axis along_x, along_y;
  float exchange[2], dmi[2];  // tesla, along x and y
  float polarisation[3];
  float damping, non_adiabaticity;
  // Per cell of the haloed film, 8 lanes each; the stride is 0 when all blocks share one film.
  const float* fill;
  const float* inverse_fill;
  int64_t fill_block_stride;
  // Per cell, 8 lanes each for z and for x; strides in floats, 0 where shared.
  const float* anisotropy;
  int64_t anisotropy_block_stride, anisotropy_cell_stride;
  const float* gate;  // per cell one float
  int64_t gate_cell_stride;
  const int32_t* column_pair;      // two rows of the in-plane spectrum each: k and -k along y
  const float* in_plane_spectrum;  // [pair][position along x][3]
  const float* normal_spectrum;    // [k along y][position along x]
  // For the splitting alone: the stray field of the next cell along x and along y, per component of its m (tesla), and
  // whether any cell has an anisotropy along x.
  float near_x[3], near_y[3];
  int32_t easy_x, coupled;  // coupled: by exchange
  // Films whose parameters differ from cell to cell; nothing of this is read for others.
  int32_t mapped, features;
  int32_t transfers;                 // whether there is a Zhang-Li torque, in films with and without maps
  float cell_ratio;                  // dx/dy
  float cubic, cubic_axes[9];        // -2 Kc/Ms (tesla), three unit vectors
  Map maps[kMaps];
};

enum Task : int32_t { kAdvance = 0, kField = 1, kTransform = 2, kSplit = 3 };

struct Run {
  int32_t task, steps, blocks, threads;
  int64_t padded;             // replicas, rounded up to whole blocks
  const float* drive;         // [steps + 1][7][padded]: B_DL, B_FL, gate, Bx, By, Bz (tesla), STT factor (tesla);
                              // with maps [9]: amplitude of the local field, factor of the thermal field;
                              // for kSplit [steps], in the middle of each step
  const float* thermal;       // [padded] tesla; for kSplit the turn by noise along one axis
  float rate;                 // -gamma dt / (1 + alpha^2)
  float norm_limit;           // of | |m|^2 - 1 |; for kSplit of the squared turn in radians
  float* magnetisation;       // [block][haloed cell][3][8]
  uint32_t* random;           // [block][4][8]
  float* deviation;           // [padded], out
  int32_t* failed_step;       // [padded], out
  float* field;               // [block][cell][3][8], out, for kField and kTransform
  unsigned char* workspace;   // `threads` pieces of workspace_bytes each, 64-byte aligned
  int64_t workspace_bytes;
  float* stray;               // [block][cell][3][8], for kSplit: of the magnetisation one step ago
};

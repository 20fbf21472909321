// Motions of unit vectors that keep their length: precession about a fixed field, about the field of a uniaxial
// anisotropy, relaxation along a field, and a step of Brownian motion on the sphere. Number is Lanes or Twin.
#pragma once

#include "twin.hpp"

namespace {

// About `turn` by its length, right-handed (Rodrigues); `square`: of its length. The series are good to 1e-6 up to 1 rad;
// whatever the angle, the axis, and with it the energy, is exact.
template <class Number>
ALWAYS_INLINE Triple<Number> precessed(Triple<Number> m, Triple<Number> turn, Number square) {
  const Number sine = 1.0f + square * (square * (8.3333333e-3f - 1.98412698e-4f * square) - 0.16666667f);
  const Number versine = 0.5f + square * (square * (1.38888889e-3f - 2.48015873e-5f * square) - 4.16666667e-2f);
  const Triple<Number> once = cross(turn, m);
  return m + sine * once + versine * cross(turn, once);
}

// As precessed(), by the arc tangent of the length h of `turn`, given `sine` = 1/r and `weight` = 2/(1 + r) with
// r = sqrt(1 + h^2): for half a step of a cell among others that exchange couples. Turns of the two colours by h, h and h
// in turn make long waves too fast by tan(h)/h.
template <class Number>
ALWAYS_INLINE Triple<Number> precessed_among_others(Triple<Number> m, Triple<Number> turn, Number sine, Number weight) {
  const Triple<Number> once = cross(turn, m);
  return m + sine * once + (0.5f * sine * weight) * cross(turn, once);
}

// Weight of an anisotropy whose turns lie half before and half after one whose square is given: tan(h)/h, h half of it;
// to 1e-6 up to turns of 0.6 rad, to 1e-3 up to 2 rad.
template <class Number>
ALWAYS_INLINE Number weight_alone(Number square) {
  const Number half = 0.25f * square;
  return 1.0f + half * (0.33333333f + half * (0.13333333f + half * (5.3968254e-2f + half * (2.1869489e-2f +
                half * (8.8632355e-3f + half * (3.5921280e-3f + half * 2.4e-3f))))));
}

template <class Number>
ALWAYS_INLINE void turn_plane(Number angle, Number& first, Number& second) {
  const Number square = angle * angle;
  const Number cosine = 1.0f + square * (square * (4.16666667e-2f - 1.38888889e-3f * square) - 0.5f);
  const Number sine = angle * (1.0f + square * (square * 8.3333333e-3f - 0.16666667f));
  const Number turned = cosine * first - sine * second;
  second = sine * first + cosine * second;
  first = turned;
}

// Fields, turns or pulls per component of m along the two axes of anisotropy.
template <class Number>
struct Easy {
  Number x, z;
};

// The precession about z by angle.z m_z, which keeps m_z, and about x likewise; `back`: in the opposite order.
template <bool along_x, bool back, class Number>
ALWAYS_INLINE Triple<Number> turned(Triple<Number> m, Easy<Number> angle) {
  if (along_x && back) turn_plane(angle.x * m.x, m.y, m.z);
  turn_plane(angle.z * m.z, m.x, m.y);
  if (along_x && !back) turn_plane(angle.x * m.x, m.y, m.z);
  return m;
}

// Precession about an axis of any direction by `angle` times the component along it.
template <class Number>
ALWAYS_INLINE Triple<Number> turned_about(Triple<Number> axis, Number angle, Triple<Number> m) {
  const Triple<Number> turn = (angle * dot(axis, m)) * axis;
  return precessed(m, turn, dot(turn, turn));
}

// By the tangent `by`, which is small: the length is kept to a quarter of its fourth power.
template <class Number>
ALWAYS_INLINE Triple<Number> displaced(Triple<Number> m, Triple<Number> by) {
  return (1.0f - 0.5f * dot(by, by)) * m + by;
}

// A field per component along an axis of any direction.
template <class Number>
struct Tilt {
  Triple<Number> axis;
  Number pull;
};

// Towards `pull` (field times rate times time), the second order in it included, and the pull of the anisotropies,
// which changes as m does.
template <bool along_x, bool tilted, class Number>
ALWAYS_INLINE Triple<Number> relaxed(Triple<Number> m, Triple<Number> pull, Easy<Number> easy, Tilt<Number> tilt) {
  if constexpr (tilted) pull = pull + (tilt.pull * dot(tilt.axis, m)) * tilt.axis;
  if (along_x) pull.x = pull.x + easy.x * m.x;
  pull.z = pull.z + easy.z * m.z;
  const Number along = dot(pull, m);
  const Triple<Number> across = pull - along * m;
  // The pull of the middle of the way.
  Triple<Number> way = (1.0f - 0.5f * along) * across;
  const Number change_z = (0.5f * easy.z) * across.z;
  Number inward = change_z * m.z;
  way.z = way.z + change_z;
  if (along_x) {
    const Number change_x = (0.5f * easy.x) * across.x;
    inward = inward + change_x * m.x;
    way.x = way.x + change_x;
  }
  if constexpr (tilted) {
    const Triple<Number> change = (0.5f * tilt.pull * dot(tilt.axis, across)) * tilt.axis;
    inward = inward + dot(change, m);
    way = way + change;
  }
  return displaced(m, way - inward * m);
}

// Two independent tangents of lengths `first` and `second` (Duff et al., J. Comput. Graph. Tech. 6, 1 (2017)).
template <class Number>
ALWAYS_INLINE Triple<Number> tangent(Triple<Number> m, Number first, Number second) {
  const Number sign = sign_of(m.z), a = -1.0f / (sign + m.z), b = m.x * m.y * a;
  return {first * (1.0f + sign * m.x * m.x * a) + second * b, first * (sign * b) + second * (sign + m.y * m.y * a),
          -1.0f * (first * sign * m.x + second * m.y)};
}

}  // namespace

// Eight lanes as two registers of four, for processors without registers of eight. Compilers accept a vector wider
// than the registers, but take it apart by way of memory, which is ten times slower than saying how.
#pragma once

#include <stdint.h>

namespace {

template <typename Element>
struct alignas(8 * sizeof(Element)) Pair {
  typedef Element Scalar;
  typedef Element Native __attribute__((vector_size(4 * sizeof(Element))));
  Native low, high;
  ALWAYS_INLINE Element operator[](int lane) const { return lane < 4 ? low[lane] : high[lane - 4]; }
  static ALWAYS_INLINE Pair all(Element value) { return {Native{} + value, Native{} + value}; }
};

#define PAIR_ARITHMETIC(op)                                                                                  \
  template <typename E>                                                                                      \
  ALWAYS_INLINE Pair<E> operator op(Pair<E> a, Pair<E> b) {                                                  \
    return {a.low op b.low, a.high op b.high};                                                               \
  }                                                                                                          \
  template <typename E>                                                                                      \
  ALWAYS_INLINE Pair<E> operator op(Pair<E> a, typename Pair<E>::Scalar b) {                                 \
    return a op Pair<E>::all(b);                                                                             \
  }                                                                                                          \
  template <typename E>                                                                                      \
  ALWAYS_INLINE Pair<E> operator op(typename Pair<E>::Scalar a, Pair<E> b) {                                 \
    return Pair<E>::all(a) op b;                                                                             \
  }                                                                                                          \
  template <typename E>                                                                                      \
  ALWAYS_INLINE Pair<E>& operator op##=(Pair<E>& a, Pair<E> b) {                                             \
    return a = a op b;                                                                                       \
  }

PAIR_ARITHMETIC(+)
PAIR_ARITHMETIC(-)
PAIR_ARITHMETIC(*)
PAIR_ARITHMETIC(/)
PAIR_ARITHMETIC(&)
PAIR_ARITHMETIC(|)
PAIR_ARITHMETIC(^)
#undef PAIR_ARITHMETIC

#define PAIR_SHIFT(op)                                  \
  template <typename E>                                 \
  ALWAYS_INLINE Pair<E> operator op(Pair<E> a, int by) { \
    return {a.low op by, a.high op by};                 \
  }

PAIR_SHIFT(<<)
PAIR_SHIFT(>>)
#undef PAIR_SHIFT

#define PAIR_COMPARISON(op)                                                                            \
  template <typename E>                                                                                \
  ALWAYS_INLINE Pair<int32_t> operator op(Pair<E> a, Pair<E> b) {                                      \
    return {(Pair<int32_t>::Native)(a.low op b.low), (Pair<int32_t>::Native)(a.high op b.high)};       \
  }                                                                                                    \
  template <typename E>                                                                                \
  ALWAYS_INLINE Pair<int32_t> operator op(Pair<E> a, typename Pair<E>::Scalar b) {                     \
    return a op Pair<E>::all(b);                                                                       \
  }

PAIR_COMPARISON(>)
PAIR_COMPARISON(==)
PAIR_COMPARISON(!=)
#undef PAIR_COMPARISON

template <typename E>
ALWAYS_INLINE Pair<E> operator-(Pair<E> a) {
  return {-a.low, -a.high};
}

template <typename To, typename From>
ALWAYS_INLINE Pair<To> reinterpreted(Pair<From> a) {
  return {(typename Pair<To>::Native)a.low, (typename Pair<To>::Native)a.high};
}

}  // namespace

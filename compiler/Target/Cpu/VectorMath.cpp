#include "compiler/Target/Cpu/VectorMath.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <limits>

using namespace mlir;

namespace sn::target {
VectorType floatVector(MLIRContext *context) { return VectorType::get({kBlock}, Float32Type::get(context)); }

namespace {
using P = arith::CmpFPredicate;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Arithmetic on vectors of one floating type and of the integers of its width.
class Vec {
public:
  Vec(ImplicitLocOpBuilder &b, FloatType element)
      : b(b), floats(VectorType::get({kBlock}, element)),
        integers(VectorType::get({kBlock}, b.getIntegerType(element.getWidth()))) {}

  Value real(double v) {
    return b.create<arith::ConstantOp>(DenseElementsAttr::get(floats, b.getFloatAttr(floats.getElementType(), v)));
  }
  Value integer(int64_t v) {
    return b.create<arith::ConstantOp>(
        DenseElementsAttr::get(integers, b.getIntegerAttr(integers.getElementType(), v)));
  }
  Value add(Value x, Value y) { return b.create<arith::AddFOp>(x, y); }
  Value sub(Value x, Value y) { return b.create<arith::SubFOp>(x, y); }
  Value mul(Value x, Value y) { return b.create<arith::MulFOp>(x, y); }
  Value div(Value x, Value y) { return b.create<arith::DivFOp>(x, y); }
  Value abs(Value x) { return b.create<math::AbsFOp>(x); }
  Value floor(Value x) { return b.create<math::FloorOp>(x); }
  /// x * y + z, fused where the level has it.
  Value fma(Value x, Value y, Value z) { return b.create<LLVM::FMulAddOp>(x, y, z); }
  Value fma(Value x, double y, Value z) { return fma(x, real(y), z); }
  Value compare(P predicate, Value x, Value y) { return b.create<arith::CmpFOp>(predicate, x, y); }
  Value compare(P predicate, Value x, double y) { return compare(predicate, x, real(y)); }
  Value select(Value c, Value x, Value y) { return b.create<arith::SelectOp>(c, x, y); }
  Value both(Value x, Value y) { return b.create<arith::AndIOp>(x, y); }
  Value either(Value x, Value y) { return b.create<arith::OrIOp>(x, y); }
  Value min(Value x, Value y) { return select(compare(P::OLT, x, y), x, y); }
  Value max(Value x, Value y) { return select(compare(P::OGT, x, y), x, y); }
  /// x, but no more than `bound`; NaN passes.
  Value atMost(Value x, double bound) { return select(compare(P::OGT, x, bound), real(bound), x); }
  Value atLeast(Value x, double bound) { return select(compare(P::OLT, x, bound), real(bound), x); }

  Value bits(Value x) { return b.create<arith::BitcastOp>(integers, x); }
  Value fromBits(Value x) { return b.create<arith::BitcastOp>(floats, x); }
  Value addBits(Value x, Value y) { return b.create<arith::AddIOp>(x, y); }
  Value subBits(Value x, Value y) { return b.create<arith::SubIOp>(x, y); }
  Value andBits(Value x, Value y) { return b.create<arith::AndIOp>(x, y); }
  Value xorBits(Value x, Value y) { return b.create<arith::XOrIOp>(x, y); }
  Value shiftLeft(Value x, int64_t by) { return b.create<arith::ShLIOp>(x, integer(by)); }

  /// c[0] + c[1] x + c[2] x^2 + ... by Estrin's scheme: the chain of dependent operations is half as long as Horner's,
  /// and the loop's speed is bound by it.
  Value polynomial(Value x, ArrayRef<double> c) {
    SmallVector<Value> terms;
    for (size_t i = 0; i < c.size(); i += 2)
      terms.push_back(i + 1 < c.size() ? fma(x, c[i + 1], real(c[i])) : real(c[i]));
    for (Value power = mul(x, x); terms.size() > 1; power = mul(power, power)) {
      SmallVector<Value> halved;
      for (size_t i = 0; i < terms.size(); i += 2)
        halved.push_back(i + 1 < terms.size() ? fma(power, terms[i + 1], terms[i]) : terms[i]);
      terms = std::move(halved);
    }
    return terms.front();
  }

  ImplicitLocOpBuilder &b;
  VectorType floats, integers;
};

Vec single(ImplicitLocOpBuilder &b) { return Vec(b, b.getF32Type()); }
Vec twice(ImplicitLocOpBuilder &b) { return Vec(b, b.getF64Type()); }

/// x = n ln 2 + r with |r| <= ln(2)/2. `exponent` holds n in the position of a float's exponent; `expm1` is exp(r) - 1.
/// Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits, without a conversion that NaN would
/// make undefined.
struct ExpParts {
  Value exponent, expm1;
};
ExpParts splitExp(Vec v, Value x) {
  Value magic = v.real(0x1.8p23);
  Value shifted = v.fma(x, 1.44269504088896341, magic);
  Value n = v.sub(shifted, magic);
  // 355/512 has few bits, so that the product with n is exact with and without a fused multiply-add.
  Value r = v.fma(n, -0.693359375, x);
  r = v.fma(n, 2.12194440055e-4, r);
  Value q = v.polynomial(r, {0.49999997, 0.166665435, 0.0416672006, 0.00836654752, 0.00138825167});
  return {v.shiftLeft(v.bits(shifted), 23), v.fma(v.mul(r, r), q, r)};
}
/// y = m 2^e with m in [sqrt(1/2), sqrt(2)). `exponent` holds e in the position of a float's exponent.
struct LogParts {
  Value m, exponent;
};
LogParts splitLog(Vec v, Value y) {
  Value bits = v.bits(y);
  Value exponent = v.andBits(v.subBits(bits, v.integer(0x3f3504f3)), v.integer(-0x800000));
  return {v.fromBits(v.subBits(bits, exponent)), exponent};
}
/// e ln 2 + log(1 + f).
Value joinLog(Vec v, Value f, Value exponent) {
  Value shifted = v.b.create<arith::ShRSIOp>(exponent, v.integer(23));
  Value e = v.b.create<arith::SIToFPOp>(v.floats, shifted);
  Value square = v.mul(f, f);
  Value p = v.polynomial(
      f, {0.333333313, -0.250008225, 0.200012311, -0.166232511, 0.142015636, -0.131610915, 0.127635032, -0.0763444677});
  Value tail = v.fma(e, -2.12194440055e-4, v.mul(v.mul(square, f), p));
  tail = v.fma(square, -0.5, tail);
  return v.fma(e, 0.693359375, v.add(f, tail));
}
} // namespace

Value buildExp(ImplicitLocOpBuilder &builder, Value x) {
  Vec v = single(builder);
  ExpParts parts = splitExp(v, x);
  Value y = v.fromBits(v.addBits(v.bits(v.add(parts.expm1, v.real(1))), parts.exponent));
  // Outside, the exponent has wrapped around. x + inf is inf, or NaN for NaN.
  y = v.select(v.compare(P::OLE, x, 88.7228317), y, v.add(x, v.real(kInf)));
  return v.select(v.compare(P::OLT, x, -87.3365402), v.real(0), y);
}

Value buildExpOfNegative(ImplicitLocOpBuilder &builder, Value x) {
  Vec v = single(builder);
  ExpParts parts = splitExp(v, x);
  Value scale = v.fromBits(v.addBits(v.bits(v.real(1)), parts.exponent));
  Value y = v.mul(v.add(parts.expm1, v.real(1)), scale);
  return v.select(v.compare(P::OLT, x, -87.3365402), v.real(0), y);
}

Value buildLog(ImplicitLocOpBuilder &builder, Value x) {
  Vec v = single(builder);
  LogParts parts = splitLog(v, x);
  Value y = joinLog(v, v.sub(parts.m, v.real(1)), parts.exponent);
  Value below = v.select(v.compare(P::ULT, x, 0), v.real(kNan), v.real(-kInf));
  y = v.select(v.compare(P::OGE, x, 0x1p-126), y, below);
  return v.select(v.compare(P::OEQ, x, kInf), x, y);
}

Value buildLog1p(ImplicitLocOpBuilder &builder, Value x) {
  Vec v = single(builder);
  Value one = v.real(1), y = v.add(one, x);
  // What the rounding of 1 + x lost, scaled with the mantissa (the scale 2^-e of huge x, where nothing is lost, becomes
  // 0).
  Value lost = v.sub(v.min(one, x), v.sub(y, v.max(one, x)));
  LogParts parts = splitLog(v, y);
  Value scale = v.subBits(v.bits(one), parts.exponent);
  scale = builder.create<arith::MaxSIOp>(scale, v.integer(0));
  Value f = v.fma(lost, v.fromBits(scale), v.sub(parts.m, one));
  Value result = joinLog(v, f, parts.exponent);
  Value below = v.select(v.compare(P::ULT, x, -1), v.real(kNan), v.real(-kInf));
  result = v.select(v.compare(P::OGT, x, -1), result, below);
  return v.select(v.compare(P::OEQ, x, kInf), x, result);
}

Value buildLog1pOfFraction(ImplicitLocOpBuilder &builder, Value x) {
  Vec v = single(builder);
  Value one = v.real(1), y = v.add(one, x);
  Value lost = v.sub(x, v.sub(y, one));
  LogParts parts = splitLog(v, y);
  Value scale = v.fromBits(v.subBits(v.bits(one), parts.exponent));
  return joinLog(v, v.fma(lost, scale, v.sub(parts.m, one)), parts.exponent);
}

// tanh(a) = -E / (E + 2) with E = exp(-2a) - 1 for a = |x|: one exponential, no cancellation near 0.
Value buildTanh(ImplicitLocOpBuilder &builder, Value x) {
  Vec v = single(builder);
  ExpParts parts = splitExp(v, v.mul(v.atMost(v.abs(x), 10), v.real(-2)));
  Value scale = v.fromBits(v.addBits(v.bits(v.real(1)), parts.exponent));
  Value e = v.fma(scale, parts.expm1, v.sub(scale, v.real(1)));
  return builder.create<math::CopySignOp>(v.div(e, v.add(e, v.real(2))), x);
}

namespace {
/// log2(x) in double precision for finite x > 0, relative error 4e-12: x = m 2^e, s = (m-1)/(m+1), log2 m = 2 atanh(s)
/// / ln 2.
Value buildLog2Twice(ImplicitLocOpBuilder &b, Value x) {
  Vec v = single(b), d = twice(b);
  Value bits = d.bits(x);
  Value high = b.create<arith::TruncIOp>(v.integers, b.create<arith::ShRUIOp>(bits, d.integer(32)));
  Value exponent = v.andBits(v.subBits(high, v.integer(0x3fe6a09e)), v.integer(-0x100000));
  Value e = b.create<arith::SIToFPOp>(d.floats, b.create<arith::ShRSIOp>(exponent, v.integer(20)));
  Value m = d.fromBits(d.subBits(bits, d.shiftLeft(b.create<arith::ExtUIOp>(d.integers, exponent), 32)));
  Value s = d.div(d.sub(m, d.real(1)), d.add(m, d.real(1)));
  Value p = d.polynomial(d.mul(s, s), {2.8853900817902041, 0.96179667318208462, 0.57708361746313719,
                                       0.41167066125219764, 0.34076999805711861});
  return d.fma(s, p, e);
}

/// 2^t in double precision, relative error 4e-11, for |t| clamped to 300.
Value buildExp2Twice(ImplicitLocOpBuilder &b, Value t) {
  Vec d = twice(b);
  t = d.atLeast(d.atMost(t, 300), -300);
  Value magic = d.real(0x1.8p52);
  Value shifted = d.add(t, magic);
  Value p =
      d.polynomial(d.sub(t, d.sub(shifted, magic)),
                   {0.99999999996162237, 0.6931471807287064, 0.24022651198749317, 0.055504103528746705,
                    0.0096180271733131706, 0.0013333922818088988, 0.00015469317176340587, 1.5201909990138666e-05});
  return d.fromBits(d.addBits(d.bits(p), d.shiftLeft(d.bits(shifted), 52)));
}
} // namespace

// |a|^b = 2^(b log2 |a|) in double precision, so that one rounding to single precision remains; then the signs and
// special cases.
Value buildPow(ImplicitLocOpBuilder &builder, Value base, Value exponent) {
  Vec v = single(builder), d = twice(builder);
  Value magnitude = v.abs(base);
  Value log = buildLog2Twice(builder, builder.create<arith::ExtFOp>(d.floats, magnitude));
  log = d.select(v.compare(P::OEQ, magnitude, 0), d.real(-kInf), log);
  log = d.select(v.compare(P::OEQ, magnitude, kInf), d.real(kInf), log);
  Value power = buildExp2Twice(builder, d.mul(log, builder.create<arith::ExtFOp>(d.floats, exponent)));
  Value y = builder.create<arith::TruncFOp>(v.floats, power);
  y = v.select(v.compare(P::OEQ, magnitude, 1), v.real(1), y);

  Value whole = v.compare(P::OEQ, v.floor(exponent), exponent);
  Value half = v.mul(exponent, v.real(0.5));
  Value odd = v.both(whole, v.compare(P::UNE, v.floor(half), half));
  Value sign = v.andBits(v.bits(base), v.integer(std::numeric_limits<int32_t>::min()));
  y = v.select(odd, v.fromBits(v.xorBits(v.bits(y), sign)), y);
  Value negative = v.both(v.compare(P::OLT, base, 0), v.compare(P::OGT, base, -kInf));
  Value fractional = v.compare(P::UNE, v.floor(exponent), exponent);
  Value undefined = v.either(v.compare(P::UNO, base, exponent), v.both(negative, fractional));
  y = v.select(undefined, v.real(kNan), y);
  Value always1 = v.either(v.compare(P::OEQ, exponent, 0), v.compare(P::OEQ, base, 1));
  return v.select(always1, v.real(1), y);
}

// With n = round(x/pi - 1/2) and r = x - (n + 1/2) pi in [-pi/2, pi/2]: cos x = -sin r for even n, sin r for odd n. pi
// is split in three so that the products with n + 1/2 (at most 26 bits) are exact; near a zero of the cosine r keeps
// its relative precision.
Value buildCos(ImplicitLocOpBuilder &builder, Value x) {
  Vec v = single(builder), d = twice(builder);
  Value wide = builder.create<arith::ExtFOp>(d.floats, x);
  Value magic = d.real(0x1.8p52);
  Value shifted = d.add(d.fma(wide, 0.31830988618379067, d.real(-0.5)), magic);
  Value q = d.add(d.sub(shifted, magic), d.real(0.5));
  Value r = d.fma(q, -0x1.921fb5p+1, wide);
  r = d.fma(q, -0x1.110b46p-25, r);
  r = d.fma(q, -0x1.1a62633145c07p-53, r);
  Value p = d.polynomial(d.mul(r, r), {0.99999999997882283, -0.16666666608766895, 0.0083333307184291841,
                                       -0.0001984083255760633, 2.7523957643430136e-06, -2.386811040937387e-08});
  Value sine = d.mul(r, p);
  Value sign = d.shiftLeft(d.addBits(d.bits(shifted), d.integer(1)), 63);
  Value y = builder.create<arith::TruncFOp>(v.floats, d.fromBits(d.xorBits(d.bits(sine), sign)));
  return v.select(v.compare(P::OLE, v.abs(x), 0x1p26), y, v.real(kNan));
}
} // namespace sn::target

#include "test/fuzz/support/Hdf5Builder.h"
#include "test/fuzz/support/Target.h"
#include <algorithm>
#include <functional>

namespace sn::fuzz {
namespace {
constexpr hsize_t kMostElements = 4096; // a file may claim more than it holds; these targets are about content

/// Closes an identifier of any kind.
class Handle {
public:
  explicit Handle(hid_t id) : id_(id) {}
  ~Handle() {
    if (id_ >= 0)
      H5Idec_ref(id_);
  }
  Handle(const Handle &) = delete;
  Handle &operator=(const Handle &) = delete;
  operator hid_t() const { return id_; }

private:
  hid_t id_;
};

hid_t textType(size_t size, H5T_str_t padding) {
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, size);
  H5Tset_strpad(type, padding);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

hid_t enumeration(hid_t base) {
  hid_t type = H5Tenum_create(base);
  int64_t value = 0; // little-endian: the first bytes are the value of any width
  H5Tenum_insert(type, "FALSE", &value);
  value = 1;
  H5Tenum_insert(type, "TRUE", &value);
  return type;
}

/// Any element type; the numeric ones first.
constexpr int kNumeric = 16;
hid_t typeOf(int which) {
  const hid_t simple[kNumeric] = {H5T_STD_I64LE,  H5T_STD_I32LE,  H5T_STD_I16LE,  H5T_STD_I8LE,
                                  H5T_STD_U64LE,  H5T_STD_U32LE,  H5T_STD_U16LE,  H5T_STD_U8LE,
                                  H5T_STD_I64BE,  H5T_STD_U32BE,  H5T_STD_I16BE,  H5T_IEEE_F32LE,
                                  H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_IEEE_F64BE, H5T_NATIVE_LDOUBLE};
  if (which < kNumeric)
    return H5Tcopy(simple[which]);
  hsize_t two = 2;
  hid_t type = -1;
  switch (which - kNumeric) {
  case 0:
    return enumeration(H5T_STD_I8LE);
  case 1:
    return enumeration(H5T_STD_I32LE);
  case 2:
    return textType(3, H5T_STR_NULLPAD);
  case 3:
    return textType(2, H5T_STR_SPACEPAD);
  case 4:
    return textType(1, H5T_STR_NULLTERM);
  case 5:
    return textType(H5T_VARIABLE, H5T_STR_NULLTERM);
  case 6:
    type = H5Tcreate(H5T_COMPOUND, 8);
    H5Tinsert(type, "r", 0, H5T_IEEE_F32LE);
    H5Tinsert(type, "i", 4, H5T_IEEE_F32LE);
    return type;
  case 7:
    return H5Tcreate(H5T_OPAQUE, 5);
  case 8:
    return H5Tvlen_create(H5T_STD_I32LE);
  case 9:
    return H5Tarray_create2(H5T_STD_I32LE, 1, &two);
  case 10:
    return H5Tcopy(H5T_STD_REF_OBJ);
  default:
    return H5Tcopy(H5T_STD_B8LE);
  }
}
constexpr int kTypes = kNumeric + 12;

Handle spaceOf(const std::vector<hsize_t> &extents, bool scalar, bool none) {
  return Handle(none     ? H5Screate(H5S_NULL)
                : scalar ? H5Screate(H5S_SCALAR)
                         : H5Screate_simple(int(extents.size()), extents.data(), nullptr));
}
} // namespace

hsize_t Hdf5Builder::Shape::count() const {
  if (none)
    return 0;
  hsize_t product = 1;
  for (hsize_t extent : extents)
    product *= extent;
  return product;
}

Hdf5Builder::Hdf5Builder(const std::string &path) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  // Half a megabyte for each open file is kept and used again, instead of mapped and unmapped.
  H5set_free_list_limits(-1, -1, -1, -1, -1, -1);
  Handle access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110);
  file_ = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access);
  demand(file_ >= 0, "no HDF5 file can be made");
}
Hdf5Builder::~Hdf5Builder() { H5Fclose(file_); }

void Hdf5Builder::group(const std::string &path) {
  Handle links(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_create_intermediate_group(links, 1);
  Handle made(H5Gcreate2(file_, path.c_str(), links, H5P_DEFAULT, H5P_DEFAULT));
}
void Hdf5Builder::hardLink(const std::string &existing, const std::string &path) {
  H5Lcreate_hard(file_, existing.c_str(), file_, path.c_str(), H5P_DEFAULT, H5P_DEFAULT);
}
void Hdf5Builder::softLink(const std::string &target, const std::string &path) {
  H5Lcreate_soft(target.c_str(), file_, path.c_str(), H5P_DEFAULT, H5P_DEFAULT);
}

void Hdf5Builder::oddShape(Shape &shape, Choices &choices) {
  shape.scalar = shape.none = false;
  shape.extents.clear();
  int rank = choices.below(6);
  shape.scalar = rank == 4;
  shape.none = rank == 5;
  for (int axis = 0; axis < rank && rank < 4; ++axis)
    shape.extents.push_back(hsize_t(choices.below(32)));
  if (shape.count() > kMostElements)
    shape.extents = {5};
  if (shape.extents.empty() && !shape.none)
    shape.scalar = true;
}

/// Fills an array or attribute of a type that numbers do not convert to.
void Hdf5Builder::writeRaw(hid_t object, bool attribute, hid_t type, hsize_t count, Choices &choices) {
  auto write = [&](const void *from) {
    if (attribute)
      H5Awrite(object, type, from);
    else
      H5Dwrite(object, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, from);
  };
  if (H5Tis_variable_str(type) > 0) {
    std::vector<std::string> texts;
    std::vector<const char *> pointers;
    for (hsize_t i = 0; i < count; ++i)
      texts.push_back(choices.text(12));
    for (const std::string &text : texts)
      pointers.push_back(text == "\x01" ? nullptr : text.c_str());
    write(pointers.data());
  } else if (H5Tget_class(type) != H5T_VLEN && H5Tget_class(type) != H5T_REFERENCE) {
    std::string content(count * H5Tget_size(type), '\0');
    for (char &c : content)
      c = char(choices.byte());
    write(content.data());
  } // else: left at the fill value
}

void Hdf5Builder::create(const std::string &path, hid_t type, const Shape &shape, const void *values, hid_t memoryType,
                         Choices &choices) {
  Handle links(H5Pcreate(H5P_LINK_CREATE)), layout(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_create_intermediate_group(links, 1);
  int storage = choices.below(8);
  bool several = !shape.scalar && !shape.none && shape.count() > 0;
  if (storage == 1)
    H5Pset_layout(layout, H5D_COMPACT);
  if (storage >= 2 && storage <= 5 && several) {
    std::vector<hsize_t> chunk = shape.extents;
    chunk[0] = std::max<hsize_t>(1, chunk[0] / 2);
    H5Pset_chunk(layout, int(chunk.size()), chunk.data());
    if (storage == 3)
      H5Pset_deflate(layout, 1);
    if (storage == 4)
      H5Pset_shuffle(layout), H5Pset_fletcher32(layout);
    if (storage == 5)
      H5Pset_szip(layout, H5_SZIP_NN_OPTION_MASK, 8);
  }
  Handle space = spaceOf(shape.extents, shape.scalar, shape.none);
  Handle array(H5Dcreate2(file_, path.c_str(), type, space, links, layout, H5P_DEFAULT));
  if (array < 0 || shape.count() == 0 || storage == 6) // 6: never written
    return;
  if (values)
    H5Dwrite(array, memoryType, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  else
    writeRaw(array, false, type, shape.count(), choices);
}

void Hdf5Builder::attribute(const std::string &object, const std::string &name, hid_t type, const Shape &shape,
                            const void *values, hid_t memoryType, Choices &choices) {
  Handle space = spaceOf(shape.extents, shape.scalar, shape.none);
  Handle made(
      H5Acreate_by_name(file_, object.c_str(), name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  if (made < 0 || shape.count() == 0)
    return;
  if (values)
    H5Awrite(made, memoryType, values);
  else
    writeRaw(made, true, type, shape.count(), choices);
}

void Hdf5Builder::numbers(const std::string &path, hid_t type, std::vector<hsize_t> extents,
                          std::vector<long double> values, Choices &choices) {
  Shape shape{std::move(extents)};
  Choices none(nullptr, 0);
  if (!choices.odd())
    return create(path, type, shape, values.data(), H5T_NATIVE_LDOUBLE, none);
  int what = choices.byte();
  if (what & 1)
    return; // missing
  int which = what & 2 ? choices.below(kTypes) : -1;
  Handle other(which < 0 ? H5Tcopy(type) : typeOf(which));
  if (what & 4)
    oddShape(shape, choices);
  if (what & 8) {
    for (int changes = 1 + choices.below(4); changes > 0 && !values.empty(); --changes) {
      size_t at = size_t(choices.byte()) % values.size();
      values[at] = what & 16 ? static_cast<long double>(choices.number()) : static_cast<long double>(choices.integer());
    }
  }
  values.resize(shape.count() ? shape.count() : 1, values.empty() ? 0 : values.back());
  Choices *storage = what & 32 ? &choices : &none;
  create(path, other, shape, which >= kNumeric ? nullptr : values.data(), H5T_NATIVE_LDOUBLE, *storage);
}

void Hdf5Builder::strings(const std::string &path, std::vector<std::string> texts, bool scalar, Choices &choices) {
  Shape shape{{hsize_t(texts.size())}, scalar};
  Choices none(nullptr, 0);
  bool odd = choices.odd();
  int what = odd ? choices.byte() : 0;
  if (what & 1)
    return;
  if (what & 2) {
    Handle other(typeOf(choices.below(kTypes)));
    if (what & 4)
      oddShape(shape, choices);
    return create(path, other, shape, nullptr, -1, what & 32 ? choices : none);
  }
  if (what & 4)
    oddShape(shape, choices);
  for (int changes = what & 8 ? 1 + choices.below(4) : 0; changes > 0 && !texts.empty(); --changes)
    texts[size_t(choices.byte()) % texts.size()] = choices.text(20);
  texts.resize(std::max<hsize_t>(1, shape.count()));
  std::vector<const char *> pointers;
  for (const std::string &text : texts)
    pointers.push_back(text.c_str());
  Handle type(textType(H5T_VARIABLE, H5T_STR_NULLTERM));
  create(path, type, shape, pointers.data(), type, what & 32 ? choices : none);
}

void Hdf5Builder::textAttribute(const std::string &object, const std::string &name, std::string text,
                                Choices &choices) {
  Shape shape{{}, true};
  int what = choices.odd() ? choices.byte() : 0;
  if (what & 1)
    return;
  if (what & 4)
    oddShape(shape, choices);
  if (what & 8)
    text = choices.text(24);
  Handle type(what & 2 ? typeOf(choices.below(kTypes)) : textType(H5T_VARIABLE, H5T_STR_NULLTERM));
  std::vector<const char *> pointers(std::max<hsize_t>(1, shape.count()), text.c_str());
  attribute(object, name, type, shape, what & 2 ? nullptr : pointers.data(), type, choices);
}

void Hdf5Builder::integerAttribute(const std::string &object, const std::string &name, std::vector<long double> values,
                                   bool scalar, Choices &choices) {
  Shape shape{{hsize_t(values.size())}, scalar};
  int what = choices.odd() ? choices.byte() : 0;
  if (what & 1)
    return;
  int which = what & 2 ? choices.below(kTypes) : 0;
  Handle type(typeOf(which));
  if (what & 4)
    oddShape(shape, choices);
  if (what & 8)
    for (long double &value : values)
      value = static_cast<long double>(choices.integer());
  values.resize(std::max<hsize_t>(1, shape.count()), values.back());
  attribute(object, name, type, shape, which >= kNumeric ? nullptr : values.data(), H5T_NATIVE_LDOUBLE, choices);
}
} // namespace sn::fuzz

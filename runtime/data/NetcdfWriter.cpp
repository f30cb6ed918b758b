// NetCDF-4 as the netCDF library lays it out in HDF5: dimensions are "dimension scales" without data, variables are
// arrays attached to them, creation order is kept (the library refuses to change files without it).
#include "runtime/data/Netcdf.h"
#include "runtime/plan/Error.h"
#include <cassert>
#include <hdf5_hl.h>

namespace sn::rt::nc {
namespace {
h5::Id orderedArray() {
  h5::Id list(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_obj_track_times(list.get(), false);
  H5Pset_attr_creation_order(list.get(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  return list;
}

h5::Id characters(size_t size) {
  h5::Id type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), size);
  H5Tset_strpad(type.get(), H5T_STR_NULLTERM);
  return type;
}

hid_t storedType(Writer::Element element) {
  switch (element) {
  case Writer::Element::UInt:
    return H5T_STD_U32LE;
  case Writer::Element::UInt64:
    return H5T_STD_U64LE;
  case Writer::Element::UByte:
    return H5T_STD_U8LE;
  default:
    return H5T_IEEE_F32LE;
  }
}

herr_t setAttribute(hid_t object, const std::string &name, hid_t type, hid_t space, const void *value) {
  h5::Id attribute(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT));
  return attribute.get() < 0 || !value ? herr_t(attribute.get() < 0 ? -1 : 0) : H5Awrite(attribute.get(), type, value);
}
} // namespace

Writer::Writer(const std::string &path, const std::string &shownAs)
    : file_(h5::File::create(path, shownAs, /*ordered=*/true)) {
  const h5::Guard guard = h5::exclusively();
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  attribute("_NCProperties", fmt::format("version=2,snc=0.1,hdf5={}.{}.{}", major, minor, release));
}

void Writer::attribute(const std::string &name, std::string_view text) {
  const h5::Guard guard = h5::exclusively();
  h5::Id root = file_.checked(H5Gopen2(file_.id(), "/", H5P_DEFAULT), name, "cannot be written");
  h5::Id space(H5Screate(text.empty() ? H5S_NULL : H5S_SCALAR)), type = characters(std::max<size_t>(1, text.size()));
  file_.check(setAttribute(root.get(), name, type.get(), space.get(), text.empty() ? nullptr : text.data()), name,
              "cannot be written");
}

void Writer::number(const std::string &name, hid_t stored, const void *value) {
  const h5::Guard guard = h5::exclusively();
  const hsize_t one = 1;
  h5::Id root = file_.checked(H5Gopen2(file_.id(), "/", H5P_DEFAULT), name, "cannot be written");
  h5::Id space(H5Screate_simple(1, &one, nullptr));
  file_.check(setAttribute(root.get(), name, stored, space.get(), value), name, "cannot be written");
}
void Writer::attribute(const std::string &name, uint32_t value) { number(name, H5T_STD_U32LE, &value); }
void Writer::attribute(const std::string &name, int32_t value) { number(name, H5T_STD_I32LE, &value); }
void Writer::attribute(const std::string &name, uint64_t value) { number(name, H5T_STD_U64LE, &value); }
void Writer::attribute(const std::string &name, float value) { number(name, H5T_IEEE_F32LE, &value); }

void Writer::dimension(const std::string &name, int64_t length) {
  const h5::Guard guard = h5::exclusively();
  assert(length > 0);
  const auto id = static_cast<int32_t>(dimensions_.size());
  dimensions_[name] = length;
  const hsize_t extent = static_cast<hsize_t>(length);
  h5::Id space(H5Screate_simple(1, &extent, nullptr)), list = orderedArray();
  h5::Id scale = file_.checked(
      H5Dcreate2(file_.id(), name.c_str(), H5T_IEEE_F32BE, space.get(), H5P_DEFAULT, list.get(), H5P_DEFAULT), name,
      "cannot be created");
  // The words by which the library knows a dimension that is not a variable as well.
  const std::string label = fmt::format("This is a netCDF dimension but not a netCDF variable.{:10d}", length);
  file_.check(H5DSset_scale(scale.get(), label.c_str()), name, "cannot be written");
  h5::Id scalar(H5Screate(H5S_SCALAR));
  file_.check(setAttribute(scale.get(), "_Netcdf4Dimid", H5T_STD_I32LE, scalar.get(), &id), name, "cannot be written");
}

void Writer::variable(const std::string &name, Element element, const std::string &dimension) {
  const h5::Guard guard = h5::exclusively();
  const auto extent = static_cast<hsize_t>(dimensions_.at(dimension));
  h5::Id space(H5Screate_simple(1, &extent, nullptr)), list = orderedArray(), character = characters(1);
  const hid_t type = element == Element::Char ? character.get() : storedType(element);
  h5::Id array =
      file_.checked(H5Dcreate2(file_.id(), name.c_str(), type, space.get(), H5P_DEFAULT, list.get(), H5P_DEFAULT), name,
                    "cannot be created");
  h5::Id scale = file_.checked(H5Dopen2(file_.id(), dimension.c_str(), H5P_DEFAULT), dimension, "cannot be opened");
  file_.check(H5DSattach_scale(array.get(), scale.get(), 0), name, "cannot be written");
}

void Writer::write(const std::string &name, int64_t first, int64_t count, const char *from) {
  const h5::Guard guard = h5::exclusively();
  h5::Id array = file_.checked(H5Dopen2(file_.id(), name.c_str(), H5P_DEFAULT), name, "cannot be opened");
  h5::Id space(H5Dget_space(array.get())), type = characters(1);
  const hsize_t start = static_cast<hsize_t>(first), length = static_cast<hsize_t>(count);
  H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &start, nullptr, &length, nullptr);
  h5::Id local(H5Screate_simple(1, &length, nullptr));
  file_.check(H5Dwrite(array.get(), type.get(), local.get(), space.get(), H5P_DEFAULT, from), name,
              "cannot be written");
}
} // namespace sn::rt::nc

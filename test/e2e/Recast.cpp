// sn-e2e-recast IN.h5 binary|analog|dense OUT.h5: the data set "input" stored in another way, every entry 1, linked as
// "output" too.
#include "runtime/data/DataFile.h"
#include <cstdio>
#include <string>

static sn::rt::DataSet recast(sn::rt::DataSet data, sn::rt::Loader loader) {
  data.loader = loader;
  if (loader == sn::rt::Loader::CsrAnalog)
    data.values.assign(data.indices.size(), 1.f);
  if (loader == sn::rt::Loader::Dense) {
    data.values.assign(data.rows * data.columns, 0.f);
    for (int64_t row = 0; row < data.rows; ++row)
      for (auto [at, end] = sn::rt::rowOf(data, row); at != end; ++at)
        data.values[row * data.columns + *at] = 1.f;
    data.indices.clear(), data.indptr.clear();
  }
  return data;
}

int main(int argc, char **argv) {
  if (argc != 4)
    return std::fprintf(stderr, "usage: sn-e2e-recast IN.h5 binary|analog|dense OUT.h5\n"), 1;
  std::string kind = argv[2];
  auto loader = kind == "dense"    ? sn::rt::Loader::Dense
                : kind == "analog" ? sn::rt::Loader::CsrAnalog
                                   : sn::rt::Loader::CsrBinary;
  auto data = sn::rt::DataFile::open(argv[1]).load("input");
  sn::rt::DataFileWriter out(argv[3], /*force=*/true);
  out.write("input", recast(*data, loader));
  out.link("input", "output");
  out.commit();
}

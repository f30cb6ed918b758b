// sn-e2e-recast IN.h5 HOW OUT.h5: the data set "input" stored in another way, linked as "output" too. HOW is binary,
// analog or dense, every entry 1; indexed-binary, indexed-dense: the same with the rows stored from the last to the
// first and an index that names them; or, of sparse data whose values stay, unsorted (each row from its end) or
// duplicates (each entry of a binary row twice, of an analog one in two halves).
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

static sn::rt::DataSet disordered(sn::rt::DataSet data, bool twice) {
  sn::rt::DataSet to = data;
  to.indices.clear(), to.values.clear();
  bool analog = data.loader == sn::rt::Loader::CsrAnalog;
  for (int64_t row = 0; row < data.rows; ++row) {
    for (int copy = 0; copy < (twice ? 2 : 1); ++copy)
      for (int64_t at = data.indptr[row + 1]; at-- > data.indptr[row];) {
        to.indices.push_back(data.indices[at]);
        if (analog)
          to.values.push_back(twice ? data.values[at] / 2 : data.values[at]);
      }
    to.indptr[row + 1] = static_cast<int64_t>(to.indices.size());
  }
  return to;
}

static sn::rt::DataSet indexed(const sn::rt::DataSet &data) {
  sn::rt::DataSet to = data;
  to.indices.clear(), to.values.clear(), to.index.clear();
  for (int64_t row = data.rows - 1; row >= 0; --row) {
    to.index.push_back(int32_t(row));
    if (data.loader == sn::rt::Loader::Dense) {
      auto first = data.values.begin() + row * data.columns;
      to.values.insert(to.values.end(), first, first + data.columns);
      continue;
    }
    auto [at, end] = sn::rt::rowOf(data, row);
    to.indices.insert(to.indices.end(), at, end);
    to.indptr[data.rows - row] = static_cast<int64_t>(to.indices.size());
  }
  return to;
}

int main(int argc, char **argv) {
  if (argc != 4)
    return std::fprintf(
               stderr,
               "usage: sn-e2e-recast IN.h5 [indexed-]binary|analog|[indexed-]dense|unsorted|duplicates OUT.h5\n"),
           1;
  std::string kind = argv[2];
  const bool byIndex = kind.rfind("indexed-", 0) == 0;
  kind = byIndex ? kind.substr(8) : kind;
  auto loader = kind == "dense"    ? sn::rt::Loader::Dense
                : kind == "analog" ? sn::rt::Loader::CsrAnalog
                                   : sn::rt::Loader::CsrBinary;
  auto data = sn::rt::DataFile::open(argv[1]).load("input");
  sn::rt::DataFileWriter out(argv[3], /*force=*/true);
  bool disorder = kind == "unsorted" || kind == "duplicates";
  sn::rt::DataSet made = disorder ? disordered(*data, kind == "duplicates") : recast(*data, loader);
  out.write("input", byIndex ? indexed(made) : made);
  out.link("input", "output");
  out.commit();
}

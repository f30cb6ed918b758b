// NetCDF files as tests want them, right and wrong: told once, written as CDF-1, CDF-2, CDF-5 (by the bytes, as the
// format's specification says) or NetCDF-4.
#pragma once
#include "runtime/data/Netcdf.h"
#include <bit>
#include <cmath>
#include <fstream>
#include <functional>

namespace sn::rt::test {
struct NcAttribute {
  std::string name;
  bool isText = false;
  std::string text;
  double number = 0;
};
struct NcVariable {
  std::string name, dimension;
  char type = 'u'; // u: unsigned int, f: float, b: unsigned byte, c: char
  std::vector<double> values;
};

struct NcFile {
  std::vector<NcAttribute> attributes;
  std::vector<std::pair<std::string, int64_t>> dimensions; // in classic files 0: unlimited
  std::vector<NcVariable> variables;
  int64_t records = 0; // of the unlimited dimension

  /// Sets (or replaces) an attribute, a dimension, a variable with a dimension of its own length.
  NcFile &set(const std::string &name, double value) { return put({name, false, "", value}); }
  NcFile &set(const std::string &name, const std::string &text) { return put({name, true, text, 0}); }
  NcFile &dimension(const std::string &name, int64_t length) {
    std::erase_if(dimensions, [&](auto &each) { return each.first == name; });
    dimensions.emplace_back(name, length);
    return *this;
  }
  NcFile &variable(const std::string &name, const std::string &along, char type, std::vector<double> values) {
    std::erase_if(variables, [&](auto &each) { return each.name == name; });
    if (std::none_of(dimensions.begin(), dimensions.end(), [&](auto &each) { return each.first == along; }))
      dimension(along, int64_t(values.size()));
    variables.push_back({name, along, type, std::move(values)});
    return *this;
  }
  NcFile &drop(const std::string &name) {
    std::erase_if(attributes, [&](auto &each) { return each.name == name; });
    std::erase_if(variables, [&](auto &each) { return each.name == name; });
    return *this;
  }

  void writeHdf5(const std::string &path) const {
    nc::Writer file(path, path);
    for (const NcAttribute &each : attributes)
      if (each.isText)
        file.attribute(each.name, each.text);
      else if (each.number == std::floor(each.number) && each.number >= 0 && each.number < 4e9)
        file.attribute(each.name, uint32_t(each.number));
      else
        file.attribute(each.name, float(each.number));
    for (const auto &[name, length] : dimensions)
      file.dimension(name, length);
    for (const NcVariable &each : variables) {
      using Element = nc::Writer::Element;
      const bool bytes = each.type == 'b' || each.type == 'c';
      file.variable(each.name,
                    each.type == 'u'   ? Element::UInt
                    : each.type == 'f' ? Element::Float
                    : each.type == 'b' ? Element::UByte
                                       : Element::Char,
                    each.dimension);
      const auto count = int64_t(each.values.size());
      if (each.type == 'c')
        file.write(each.name, 0, count, std::string(each.values.begin(), each.values.end()).data());
      else if (bytes)
        file.write(each.name, 0, count, std::vector<uint8_t>(each.values.begin(), each.values.end()).data());
      else if (each.type == 'f')
        file.write(each.name, 0, count, std::vector<float>(each.values.begin(), each.values.end()).data());
      else
        file.write(each.name, 0, count, std::vector<int64_t>(each.values.begin(), each.values.end()).data());
    }
    file.close();
  }

  /// The bytes of a classic file. `version`: 1, 2 or 5.
  std::string classic(int version) const;
  void writeClassic(const std::string &path, int version) const {
    std::ofstream(path, std::ios::binary) << classic(version);
  }

private:
  NcFile &put(NcAttribute attribute) {
    std::erase_if(attributes, [&](auto &each) { return each.name == attribute.name; });
    attributes.push_back(std::move(attribute));
    return *this;
  }
};

/// Writes big-endian numbers, padded as the format wants.
class ClassicBytes {
public:
  explicit ClassicBytes(int version) : version(version) {}
  void number(uint64_t value, int size) {
    for (int i = size - 1; i >= 0; --i)
      out += char(value >> (8 * i) & 0xFF);
  }
  void count(uint64_t value) { number(value, version == 5 ? 8 : 4); }
  void pad() { out.resize((out.size() + 3) / 4 * 4); }
  void name(const std::string &text) {
    count(text.size());
    out += text;
    pad();
  }
  void element(char type, double value) {
    if (type == 'f')
      number(std::bit_cast<uint32_t>(float(value)), 4);
    else
      number(uint64_t(int64_t(value)), type == 'u' ? 4 : 1);
  }
  int version;
  std::string out;
};

inline std::string NcFile::classic(int version) const {
  auto typeOf = [&](char type) { // before CDF-5 there are signed integers only
    return type == 'f' ? 5 : type == 'c' ? 2 : type == 'b' ? (version == 5 ? 7 : 1) : version == 5 ? 9 : 4;
  };
  auto lengthOf = [&](const std::string &name) {
    return std::find_if(dimensions.begin(), dimensions.end(), [&](auto &each) { return each.first == name; })->second;
  };
  auto size = [](char type) { return type == 'u' || type == 'f' ? int64_t(4) : int64_t(1); };
  std::vector<uint64_t> begins(variables.size());
  // The header's size does not depend on the offsets in it: the first pass finds it out.
  for (int pass = 0;; ++pass) {
    ClassicBytes bytes(version);
    bytes.out = std::string("CDF") + char(version);
    bytes.count(uint64_t(records));
    auto list = [&](uint64_t tag, size_t length) {
      bytes.number(length ? tag : 0, 4);
      bytes.count(length);
    };
    list(10, dimensions.size());
    for (const auto &[name, length] : dimensions) {
      bytes.name(name);
      bytes.count(uint64_t(length));
    }
    list(12, attributes.size());
    for (const NcAttribute &each : attributes) {
      const bool whole = each.number == std::floor(each.number) && std::fabs(each.number) < 2e9;
      bytes.name(each.name);
      bytes.number(each.isText ? 2 : whole ? 4 : 6, 4);
      bytes.count(each.isText ? each.text.size() : 1);
      if (each.isText)
        bytes.out += each.text;
      else
        bytes.number(whole ? uint64_t(int64_t(each.number)) : std::bit_cast<uint64_t>(each.number), whole ? 4 : 8);
      bytes.pad();
    }
    list(11, variables.size());
    for (size_t i = 0; i < variables.size(); ++i) {
      const NcVariable &each = variables[i];
      bytes.name(each.name);
      bytes.count(1);
      bytes.count(uint64_t(
          std::find_if(dimensions.begin(), dimensions.end(), [&](auto &d) { return d.first == each.dimension; }) -
          dimensions.begin()));
      list(12, 0);
      bytes.number(uint64_t(typeOf(each.type)), 4);
      bytes.count(each.values.size() * uint64_t(size(each.type)));
      bytes.number(begins[i], version == 1 ? 4 : 8);
    }
    for (size_t i = 0; i < variables.size(); ++i)
      if (lengthOf(variables[i].dimension) > 0) {
        begins[i] = bytes.out.size();
        for (double value : variables[i].values)
          bytes.element(variables[i].type, value);
        bytes.pad();
      }
    // Records: one element of each variable along the unlimited dimension, in turn.
    uint64_t at = bytes.out.size();
    int64_t inRecords = 0;
    for (size_t i = 0; i < variables.size(); ++i)
      inRecords += lengthOf(variables[i].dimension) == 0;
    for (size_t i = 0; i < variables.size(); ++i)
      if (lengthOf(variables[i].dimension) == 0) {
        begins[i] = at;
        at += inRecords == 1 ? uint64_t(size(variables[i].type)) : 4;
      }
    for (int64_t record = 0; record < records; ++record)
      for (const NcVariable &each : variables)
        if (lengthOf(each.dimension) == 0) {
          bytes.element(each.type, each.values[size_t(record)]);
          if (inRecords > 1)
            bytes.pad();
        }
    if (pass == 1)
      return bytes.out;
  }
}
} // namespace sn::rt::test

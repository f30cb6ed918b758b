// Text to import: the first byte chooses the format, the second and third the options, the rest is the file. Gives
// data files whose data sets are valid, or a UserError and no file.
#include "runtime/data/Import.h"
#include "runtime/plan/Error.h"
#include "test/fuzz/support/Choices.h"
#include "test/fuzz/support/DataSets.h"
#include "test/fuzz/support/Target.h"
#include <filesystem>

namespace {
using namespace sn;

rt::ImportOptions optionsFrom(fuzz::Choices &choices) {
  constexpr const char *kFormats[] = {"auto", "csv", "lines", "dsstne", "libsvm"};
  rt::ImportOptions options;
  options.format = kFormats[choices.below(std::size(kFormats))];
  int bits = choices.byte(), more = choices.byte();
  if (bits & 1)
    options.values = true;
  if (bits & 2)
    options.minimum = 3;
  if (bits & 4)
    options.duplicates = rt::Duplicates::Last;
  if (bits & 8)
    options.mostRejects = "100%";
  if (bits & 16)
    options.holdOut = 0.5, options.testOutput = fuzz::scratch("test.h5");
  if (bits & 32)
    options.name = "ratings";
  if (bits & 64)
    options.columns.user = more & 1 ? "2" : "user";
  if (bits & 128)
    options.columns.item = more & 1 ? "1" : "item";
  if (more & 2)
    options.columns.value = more & 4 ? "3" : "rating";
  options.output = fuzz::scratch("out.h5");
  return options;
}

/// Whether a libsvm text would make a layer of millions of columns: allowed, but their names take seconds to write.
bool isWide(const std::string &text) {
  constexpr size_t kDigits = 7;
  std::string first = text.substr(0, text.find('\n'));
  for (size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
    begin = std::min(text.find_first_of("0123456789", begin), text.size());
    end = std::min(text.find_first_not_of("0123456789", begin), text.size());
    bool number = end < text.size() ? text[end] == ':' : false;
    if (end - begin >= kDigits && (number || (end <= first.size() && first.find_first_of(",;|") == first.npos)))
      return true;
  }
  return false;
}

/// The same text a second time, under the vocabulary of the first: every name is known, nothing is dropped.
void importAgain(rt::ImportOptions options, const rt::ImportResult &first) {
  options.vocabulary = options.output;
  options.output = fuzz::scratch("second.h5");
  options.testOutput.clear();
  options.holdOut = 0;
  std::filesystem::remove(options.output);
  try {
    rt::ImportResult second = rt::importText(options);
    fuzz::demand(second.files[0].columns == first.files[0].columns, "a fixed vocabulary changes the width");
  } catch (const UserError &error) {
    fuzz::demand(!std::filesystem::exists(options.output), "a failed import leaves a file");
  }
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz::Choices choices(data, size);
  rt::ImportOptions options = optionsFrom(choices);
  std::string content = choices.rest();
  if (isWide(content))
    return 0;
  fuzz::MemoryFile text(content);
  options.source = text.path();
  for (const std::string &path : {options.output, options.testOutput})
    if (!path.empty())
      std::filesystem::remove(path);
  try {
    rt::ImportResult result = rt::importText(options);
    for (const rt::ImportResult::File &file : result.files)
      fuzz::loadAll(file.path, file.names);
    rt::DataFile written = rt::DataFile::open(options.output);
    std::shared_ptr<const rt::DataSet> set = written.load(result.files[0].names[0]);
    fuzz::demand(set->rows == result.files[0].rows && set->columns == result.files[0].columns &&
                     set->entries() == result.files[0].entries,
                 "the report does not say what is in the file");
    importAgain(options, result);
  } catch (const UserError &error) {
    fuzz::say(error.what());
    fuzz::demand(!std::filesystem::exists(options.output), "a failed import leaves a file");
  }
  fuzz::closeAbandonedFiles();
  return 0;
}

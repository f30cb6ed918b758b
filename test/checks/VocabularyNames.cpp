// Prints every name and alias of the vocabulary, one per line: the words that tools/check/names.py looks for elsewhere.
#include "dialects/Vocabulary/Records.h"
#include <iostream>

template <typename Record> static void print(std::span<const Record> table) {
  for (const Record &record : table) {
    std::cout << record.name << '\n';
    for (std::string_view alias : record.aliases)
      std::cout << alias << '\n';
  }
}

int main() {
  using namespace sn::vocab;
  print(activations());
  print(losses());
  print(optimizers());
  print(initializers());
  print(schedules());
  print(poolings());
}

// Files that appear whole or not at all: every write may fail, writers may die, and two may want the same name.
#include "runtime/data/AtomicFile.h"
#include "runtime/checkpoint/Checkpoint.h"
#include "runtime/data/DsstneData.h"
#include "test/unit/data/Support.h"
#include <csignal>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>

namespace sn::rt {
namespace {
using namespace test;

TEST(AtomicFile, AppearsAtCommitAndLeavesNothingBehind) {
  Folder folder;
  {
    AtomicFile file(folder / "a", false);
    writeFile(file.temporary(), "x");
    EXPECT_FALSE(std::filesystem::exists(folder / "a"));
    EXPECT_EQ(folder.files().size(), 1u);
  }
  EXPECT_EQ(folder.files().size(), 0u) << "not committed";
  writeWhole(folder / "a", "one", false);
  EXPECT_USER_ERROR(AtomicFile(folder / "a", false), "exists already; --force overwrites it");
  writeWhole(folder / "a", "two", true);
  EXPECT_EQ(contentOf(folder / "a"), "two");
  EXPECT_EQ(folder.files(), std::vector<std::string>{"a"});
}

TEST(AtomicFile, WhatAppearsMeanwhileStays) {
  Folder folder;
  AtomicFile file(folder / "a", false);
  writeFile(file.temporary(), "ours");
  writeFile(folder / "a", "another's");
  EXPECT_USER_ERROR(file.commit(), "appeared while it was being written; --force overwrites it");
  EXPECT_EQ(contentOf(folder / "a"), "another's");
}

TEST(AtomicFile, LeftOversOfDeadWritersGoOthersStay) {
  Folder folder;
  for (const char *name : {"w.h5.tmp123", "w.h5.tmp99-2", "w.h5.tmp", "w.h5.tmpx", "w.h5.tmp7.bak", "v.h5.tmp5"})
    writeFile(folder / name, "left over");
  AtomicFile alive(folder / "w.h5", false);
  {
    AtomicFile second(folder / "w.h5", false);
    EXPECT_NE(second.temporary(), alive.temporary());
  }
  std::vector<std::string> expected = {std::filesystem::path(alive.temporary()).filename(), "v.h5.tmp5", "w.h5.tmp",
                                       "w.h5.tmp7.bak", "w.h5.tmpx"};
  std::vector<std::string> found = folder.files();
  std::sort(expected.begin(), expected.end());
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, expected);
}

TEST(AtomicFile, ATemporaryOfALivingProcessIsNotTaken) {
  Folder folder;
  int ready[2], end[2];
  ASSERT_EQ(::pipe(ready) + ::pipe(end), 0);
  pid_t child = ::fork();
  if (child == 0) {
    AtomicFile file(folder / "w.h5", true);
    writeFile(file.temporary(), "mine");
    char byte = 1;
    if (::write(ready[1], &byte, 1) != 1 || ::read(end[0], &byte, 1) != 1)
      ::_exit(1);
    file.commit();
    ::_exit(0);
  }
  char byte = 1;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  writeWhole(folder / "w.h5", "other", true);
  EXPECT_EQ(folder.files().size(), 2u) << "the child's is still there";
  ASSERT_EQ(::write(end[1], &byte, 1), 1);
  int status = 1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(contentOf(folder / "w.h5"), "mine");
}

TEST(AtomicFile, AWriterThatIsKilledLeavesTheOldFileAndItsLeftOverGoes) {
  Folder folder;
  writeWhole(folder / "w.h5", "old", false);
  pid_t child = ::fork();
  if (child == 0) {
    AtomicFile file(folder / "w.h5", true);
    writeFile(file.temporary(), "half of the n");
    ::raise(SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(contentOf(folder / "w.h5"), "old");
  EXPECT_EQ(folder.files().size(), 2u);
  writeWhole(folder / "w.h5", "new", true);
  EXPECT_EQ(folder.files(), std::vector<std::string>{"w.h5"});
}

/// A process that may write files of `bytes` at most runs `action`; its exit status.
template <typename Action> int limited(rlim_t bytes, Action action) {
  pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{bytes, bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      action();
    } catch (const UserError &) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(AtomicFile, ATextThatCannotBeWrittenLeavesNothing) {
  Folder folder;
  writeWhole(folder / "whole.txt", "all of it", false);
  EXPECT_EQ(contentOf(folder / "whole.txt"), "all of it");
  EXPECT_EQ(limited(4096, [&] { writeWhole(folder / "cut.txt", std::string(10000, 'x'), false); }), 1);
  EXPECT_EQ(folder.files(), (std::vector<std::string>{"whole.txt"}));
}

TEST(AtomicFile, ANetcdfFileThatCannotBeWrittenLeavesNothing) {
  Folder folder;
  std::vector<std::vector<int32_t>> rows(3000, {1, 5, 9});
  const DataSet data = binary(10, rows);
  auto write = [&] { writeDsstneData(folder / "x.nc", false, {{"input", &data}, {"output", &data}}); };
  for (rlim_t bytes : {0, 100, 3000, 20000, 60000})
    EXPECT_EQ(limited(bytes, write), 1) << bytes;
  EXPECT_TRUE(folder.files().empty());
  EXPECT_EQ(limited(1 << 20, write), 0);
}

TEST(AtomicFile, AWeightsFileThatCannotBeWrittenLeavesTheOldOne) {
  Folder folder;
  std::string path = folder / "w.h5";
  auto write = [&](int64_t out, bool force) {
    TensorSpec spec{.name = "a->b/weights", .in = 64, .out = out};
    CheckpointWriter writer(path, force);
    writer.writeHeader({});
    writer.writeParameter(spec, [](const Tile &tile, float *block) { std::fill_n(block, tile.count(), 1.0f); });
    writer.commit();
  };
  write(100, false);
  std::string old = contentOf(path);
  write(101, true);
  auto size = static_cast<rlim_t>(std::filesystem::file_size(path));
  std::filesystem::remove(path);
  writeFile(path, old);
  int failures = 0;
  for (rlim_t bytes = 0; bytes < size; bytes += 977) {
    int status = limited(bytes, [&] { write(101, true); });
    EXPECT_EQ(status, 1) << bytes;
    failures += status == 1;
    EXPECT_EQ(contentOf(path), old) << bytes;
    EXPECT_EQ(folder.files(), std::vector<std::string>{"w.h5"}) << bytes;
  }
  EXPECT_GT(failures, 10);
  EXPECT_EQ(limited(size, [&] { write(101, true); }), 0);
  EXPECT_NE(contentOf(path), old);
}

TEST(OutputLock, ASecondHolderIsRefused) {
  Folder folder;
  std::string path = folder / "w.h5";
  {
    OutputLock lock(path);
    EXPECT_USER_ERROR(OutputLock second(path), "w.h5: another snrt (process " + std::to_string(::getpid()) + ")",
                      "is writing it", "-o");
    OutputLock elsewhere(folder / "v.h5");
  }
  EXPECT_EQ(folder.files().size(), 0u);
  OutputLock again(path);
}

TEST(OutputLock, BehindALinkItIsTheSameFile) {
  Folder folder;
  writeFile(folder / "w.h5", "x");
  std::filesystem::create_symlink(folder / "w.h5", folder / "link.h5");
  OutputLock lock(folder / "link.h5");
  EXPECT_USER_ERROR(OutputLock second(folder / "w.h5"), "is writing it");
}

TEST(OutputLock, OneLeftByAKillLocksNothing) {
  Folder folder;
  pid_t child = ::fork();
  if (child == 0) {
    OutputLock lock(folder / "w.h5");
    ::raise(SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(folder.files(), std::vector<std::string>{"w.h5.lock"});
  { OutputLock lock(folder / "w.h5"); }
  EXPECT_EQ(folder.files().size(), 0u);
}

TEST(OutputLock, OnlyOneOfManyGetsIt) {
  Folder folder;
  std::atomic<int> holders = 0, most = 0, turns = 0;
  auto contend = [&] {
    for (int attempt = 0; attempt < 300; ++attempt)
      try {
        OutputLock lock(folder / "w.h5");
        most = std::max(most.load(), ++holders);
        ++turns;
        std::this_thread::yield();
        --holders;
      } catch (const UserError &) {
      }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back(contend);
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(most, 1);
  EXPECT_GT(turns, 1); // how often depends on the scheduler
}

TEST(OutputLock, AFolderThatIsNotThere) {
  Folder folder;
  EXPECT_USER_ERROR(OutputLock(folder / "no/w.h5"), "no/w.h5: cannot be written: No such file or directory");
}
} // namespace
} // namespace sn::rt

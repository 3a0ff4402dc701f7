// A disk that fails when it is told to, below SQLite.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>

namespace hearth::test {

/// While one is there, all databases that are opened read and write through it. For errors that no
/// healthy machine can be made to show.
class FaultyDisk {
 public:
  FaultyDisk() : real_(sqlite3_vfs_find(nullptr)), vfs_(*real_) {
    current() = this;
    vfs_.zName = "faulty";
    vfs_.pNext = nullptr;
    vfs_.xOpen = [](sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
      return current()->open(name, file, flags, out);
    };
    if (sqlite3_vfs_register(&vfs_, 1) != SQLITE_OK) throw std::runtime_error("no VFS");
  }
  ~FaultyDisk() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_, 1);
    current() = nullptr;
  }
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  // SQLite's code that the call gives, SQLITE_OK for what the disk itself says.
  std::atomic<int> read{SQLITE_OK};
  std::atomic<int> write{SQLITE_OK};
  std::atomic<int> sync{SQLITE_OK};
  std::atomic<int> failed{0};  // calls so far

 private:
  static FaultyDisk*& current() {
    static FaultyDisk* disk = nullptr;
    return disk;
  }

  int open(const char* name, sqlite3_file* file, int flags, int* out) {
    const int result = real_->xOpen(real_, name, file, flags, out);
    if (result != SQLITE_OK || file->pMethods == nullptr) return result;
    const std::lock_guard<std::mutex> lock(mutex_);
    auto& [own, theirs] = methods_[file->pMethods];
    theirs = file->pMethods;
    own = *theirs;
    own.xRead = [](sqlite3_file* f, void* data, int size, sqlite3_int64 at) {
      const int fault = current()->fault(current()->read);
      return fault ? fault : current()->theirs(f).xRead(f, data, size, at);
    };
    own.xWrite = [](sqlite3_file* f, const void* data, int size, sqlite3_int64 at) {
      const int fault = current()->fault(current()->write);
      return fault ? fault : current()->theirs(f).xWrite(f, data, size, at);
    };
    own.xSync = [](sqlite3_file* f, int how) {
      const int fault = current()->fault(current()->sync);
      return fault ? fault : current()->theirs(f).xSync(f, how);
    };
    file->pMethods = &own;
    return result;
  }
  int fault(const std::atomic<int>& of) {
    const int code = of;
    if (code != SQLITE_OK) ++failed;
    return code;
  }
  const sqlite3_io_methods& theirs(sqlite3_file* file) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& entry : methods_)
      if (&entry.second.first == file->pMethods) return *entry.second.second;
    throw std::logic_error("a file of another disk");
  }

  sqlite3_vfs* const real_;
  sqlite3_vfs vfs_;
  std::mutex mutex_;
  // By the disk's own: the replacement, and the disk's own.
  std::map<const sqlite3_io_methods*, std::pair<sqlite3_io_methods, const sqlite3_io_methods*>>
      methods_;
};

}  // namespace hearth::test

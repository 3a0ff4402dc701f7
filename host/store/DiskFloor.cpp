#include "store/DiskFloor.h"

#include <sys/statvfs.h>

#include <cstdio>
#include <utility>

#include "support/Log.h"

namespace hearth::host {

namespace {

std::string megabytes(std::uint64_t bytes) {
  char text[40];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

std::optional<std::uint64_t> askSystem(const std::string& folder) {
  struct ::statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
}

}  // namespace

DiskFloor::DiskFloor(const std::string& folder, std::uint64_t bytes)
    : DiskFloor(
          folder, bytes, [folder] { return askSystem(folder); }, std::chrono::seconds(1)) {}

DiskFloor::DiskFloor(std::string folder, std::uint64_t bytes, Ask ask,
                     std::chrono::milliseconds every)
    : folder_(std::move(folder)), bytes_(bytes), ask_(std::move(ask)), every_(every) {}

std::string DiskFloor::refusal() {
  if (bytes_ == 0) return std::string();
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (looked_ && now - *looked_ < every_) return refusal_;
  looked_ = now;
  std::string found = look();
  if (found.empty() && !refusal_.empty()) log().info("{} has space again", folder_);
  if (!found.empty() && refusal_.empty()) log().warn("new work is refused: {}", found);
  refusal_ = std::move(found);
  return refusal_;
}

// A disk that cannot be asked does not stop the work: writes tell what is wrong with it.
std::string DiskFloor::look() {
  const auto free = ask_();
  if (!free || *free >= bytes_) return std::string();
  return "the disk of " + folder_ + " has " + megabytes(*free) + " left, and store.disk_floor is " +
         megabytes(bytes_) +
         ": nothing new is accepted until there is space again, what runs goes on";
}

}  // namespace hearth::host

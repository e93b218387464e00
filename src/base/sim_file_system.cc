#include "base/sim_file_system.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <random>
#include <utility>

#include "base/check.h"

namespace elanus {

/// A file or a folder. Beside its present state it keeps what undoes the changes since the last
/// sync.
struct SimFileSystem::Node {
  bool is_directory = false;

  std::string bytes;
  uint64_t durable_size = 0;
  std::map<uint64_t, std::string> unsynced;  ///< sector -> its durable bytes

  struct Change {
    std::string erase;  ///< the name that goes, if any
    std::string name;   ///< the name that comes, if any
    NodePtr node;
  };
  std::map<std::string, NodePtr> entries;
  std::map<std::string, NodePtr> durable_entries;
  std::vector<Change> changes;

  void Apply(Change change, std::map<std::string, NodePtr>& to) const {
    if (!change.erase.empty()) to.erase(change.erase);
    if (!change.name.empty()) to[change.name] = std::move(change.node);
  }
  void Do(Change change) {
    Apply(change, entries);
    changes.push_back(std::move(change));
  }
  void Sync() {
    durable_size = bytes.size();
    unsynced.clear();
    durable_entries = entries;
    changes.clear();
  }
  void Lose(std::mt19937_64& random, double keep) {
    const auto kept = [&] { return std::uniform_real_distribution<>(0, 1)(random) < keep; };
    if (is_directory) {
      for (Change& change : changes) {
        if (kept()) Apply(std::move(change), durable_entries);
      }
      entries = durable_entries;
      changes.clear();
      for (auto& [name, node] : entries) node->Lose(random, keep);
      return;
    }
    // The size is metadata of its own: it may be old, new or between, apart from the bytes.
    uint64_t size = bytes.size();
    if (size != durable_size && !kept()) {
      // Copies: a pair of references would follow `size`.
      const uint64_t low = std::min(size, durable_size);
      const uint64_t high = std::max(size, durable_size);
      size =
          std::uniform_int_distribution<uint64_t>(low / kSectorBytes, high / kSectorBytes)(random) *
          kSectorBytes;
      size = std::clamp(size, low, high);
    }
    for (auto& [sector, old] : unsynced) {
      if (kept()) continue;
      const uint64_t at = sector * kSectorBytes;
      old.resize(kSectorBytes, '\0');
      if (at < bytes.size()) {
        std::memcpy(bytes.data() + at, old.data(), std::min(kSectorBytes, bytes.size() - at));
      }
    }
    bytes.resize(size, '\0');
    Sync();
  }
};

class SimFileSystem::Writable final : public WritableFile {
 public:
  Writable(SimFileSystem& files, std::string path, NodePtr node, uint64_t life)
      : files_(files), path_(std::move(path)), node_(std::move(node)), life_(life) {}

  Status Append(std::string_view bytes) override {
    MutexLock lock(files_.mutex_);
    RETURN_IF_ERROR(Open());
    return files_.Write(*node_, path_, node_->bytes.size(), bytes);
  }
  Status WriteAt(uint64_t offset, std::span<const std::string_view> pieces) override {
    MutexLock lock(files_.mutex_);
    RETURN_IF_ERROR(Open());
    std::string bytes;
    for (std::string_view piece : pieces) bytes += piece;
    return files_.Write(*node_, path_, offset, bytes);
  }
  Status FillZeros(uint64_t size) override {
    MutexLock lock(files_.mutex_);
    RETURN_IF_ERROR(Open());
    const uint64_t from = node_->bytes.size();
    if (from >= size) return Status::Ok();
    return files_.Write(*node_, path_, from, std::string(size - from, '\0'));
  }
  Status Sync() override {
    MutexLock lock(files_.mutex_);
    RETURN_IF_ERROR(Open());
    ASSIGN_OR_RETURN(bool wanted, files_.CheckSync(path_));
    if (wanted) node_->Sync();
    return Status::Ok();
  }
  Status Close() override {
    MutexLock lock(files_.mutex_);
    RETURN_IF_ERROR(Open());
    closed_ = true;
    return Status::Ok();
  }

 private:
  Status Open() const REQUIRES(files_.mutex_) {
    if (closed_ || life_ != files_.life_) return IoError("write", path_, EBADF);
    return Status::Ok();
  }

  SimFileSystem& files_;
  const std::string path_;
  const NodePtr node_;
  const uint64_t life_;
  bool closed_ = false;
};

class SimFileSystem::Readable final : public ReadableFile {
 public:
  Readable(SimFileSystem& files, std::string path, NodePtr node, uint64_t life)
      : files_(files), path_(std::move(path)), node_(std::move(node)), life_(life) {}

  Result<size_t> ReadAt(uint64_t offset, size_t size, char* out) const override {
    MutexLock lock(files_.mutex_);
    RETURN_IF_ERROR(files_.Alive());
    if (life_ != files_.life_) return Error(IoError("read", path_, EBADF));
    if (offset >= node_->bytes.size()) return 0;
    size = std::min<uint64_t>(size, node_->bytes.size() - offset);
    std::memcpy(out, node_->bytes.data() + offset, size);
    return size;
  }
  Result<uint64_t> Size() const override {
    MutexLock lock(files_.mutex_);
    RETURN_IF_ERROR(files_.Alive());
    return node_->bytes.size();
  }

 private:
  SimFileSystem& files_;
  const std::string path_;
  const NodePtr node_;
  const uint64_t life_;
};

class SimFileSystem::Lock final : public FileLock {
 public:
  Lock(SimFileSystem& files, std::string path, uint64_t life)
      : files_(files), path_(std::move(path)), life_(life) {}
  ~Lock() override {
    MutexLock lock(files_.mutex_);
    if (life_ == files_.life_) files_.locks_.erase(path_);
  }

 private:
  SimFileSystem& files_;
  const std::string path_;
  const uint64_t life_;
};

namespace {

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

SimFileSystem::SimFileSystem() : root_(std::make_shared<Node>()) { root_->is_directory = true; }
SimFileSystem::~SimFileSystem() = default;

void SimFileSystem::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
}

void SimFileSystem::StopAfter(uint64_t operations) {
  MutexLock lock(mutex_);
  stop_after_ = operations;
}

void SimFileSystem::StopAtSync(const std::string& path) {
  MutexLock lock(mutex_);
  stop_at_sync_ = path;
}

void SimFileSystem::Crash(uint64_t seed) {
  MutexLock lock(mutex_);
  std::mt19937_64 random(seed);
  // All lost, all kept and everything between.
  constexpr std::array<double, 6> kKeep = {0.0, 0.1, 0.5, 0.5, 0.9, 1.0};
  root_->Lose(random, kKeep[random() % kKeep.size()]);
  CloseHandles();
}

void SimFileSystem::Resume() {
  MutexLock lock(mutex_);
  CloseHandles();
}

void SimFileSystem::CloseHandles() {
  ++life_;
  stopped_ = false;
  stop_after_.reset();
  stop_at_sync_.clear();
  write_fault_.reset();
  sync_fault_.reset();
  locks_.clear();
}

bool SimFileSystem::stopped() const {
  MutexLock lock(mutex_);
  return stopped_;
}

void SimFileSystem::FailWrite(uint64_t n, int error_number) {
  MutexLock lock(mutex_);
  write_fault_ = {n, error_number};
}

void SimFileSystem::FailSync(uint64_t n, int error_number) {
  MutexLock lock(mutex_);
  sync_fault_ = {n, error_number};
}

void SimFileSystem::SetCapacity(uint64_t bytes) {
  MutexLock lock(mutex_);
  capacity_ = bytes;
}

void SimFileSystem::SkipSync(const std::string& name) {
  MutexLock lock(mutex_);
  skipped_.insert(name);
}

std::vector<std::string> SimFileSystem::Syncs() const {
  MutexLock lock(mutex_);
  return syncs_;
}

uint64_t SimFileSystem::Operations() const {
  MutexLock lock(mutex_);
  return operations_;
}

void SimFileSystem::FlipBit(const std::string& path, uint64_t bit) {
  MutexLock lock(mutex_);
  NodePtr node = Find(path);
  ELANUS_CHECK(node != nullptr && bit / 8 < node->bytes.size());
  node->bytes[bit / 8] = static_cast<char>(node->bytes[bit / 8] ^ (1 << (bit % 8)));
}

void SimFileSystem::Truncate(const std::string& path, uint64_t size) {
  MutexLock lock(mutex_);
  NodePtr node = Find(path);
  ELANUS_CHECK(node != nullptr);
  node->bytes.resize(size);
  node->Sync();
}

Result<std::unique_ptr<WritableFile>> SimFileSystem::OpenWritable(const std::string& path,
                                                                  OpenMode mode) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(Operate());
  ASSIGN_OR_RETURN(NodePtr folder, FindFolder("open", path));
  NodePtr node = Find(path);
  if (node != nullptr && node->is_directory) return Error(IoError("open", path, EISDIR));
  if (node != nullptr && mode == OpenMode::kCreate) return Error(IoError("open", path, EEXIST));
  if (node == nullptr) {
    if (mode == OpenMode::kExisting) return Error(IoError("open", path, ENOENT));
    node = std::make_shared<Node>();
    folder->Do({"", std::string(BaseName(path)), node});
  } else if (mode == OpenMode::kTruncate) {
    // As a new file under the old name: the old bytes may come back whole, never mixed with new
    // ones. (A disk may mix them too; nobody here truncates a file that matters.)
    node = std::make_shared<Node>();
    folder->Do({"", std::string(BaseName(path)), node});
  }
  return std::make_unique<Writable>(*this, path, std::move(node), life_);
}

Result<std::unique_ptr<ReadableFile>> SimFileSystem::OpenReadable(const std::string& path) {
  MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(NodePtr node, FindOrError("open", path));
  return std::make_unique<Readable>(*this, path, std::move(node), life_);
}

Result<std::shared_ptr<const MappedFile>> SimFileSystem::MapFile(const std::string& path) {
  MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(NodePtr node, FindOrError("mmap", path));
  auto copy = std::make_shared<const std::string>(node->bytes);
  return std::make_shared<const MappedFile>(
      MappedFile{std::as_bytes(std::span(copy->data(), copy->size())), copy});
}

Status SimFileSystem::Rename(const std::string& from, const std::string& to) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(Operate());
  ASSIGN_OR_RETURN(NodePtr node, FindOrError("rename", from));
  ASSIGN_OR_RETURN(NodePtr source, FindFolder("rename", from));
  ASSIGN_OR_RETURN(NodePtr target, FindFolder("rename", to));
  std::string old_name(BaseName(from));
  std::string new_name(BaseName(to));
  if (source == target) {
    source->Do({std::move(old_name), std::move(new_name), node});
  } else {
    target->Do({"", std::move(new_name), node});
    source->Do({std::move(old_name), "", nullptr});
  }
  return Status::Ok();
}

Status SimFileSystem::Remove(const std::string& path) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(Operate());
  ASSIGN_OR_RETURN(NodePtr node, FindOrError("remove", path));
  if (!node->entries.empty()) return IoError("remove", path, ENOTEMPTY);
  ASSIGN_OR_RETURN(NodePtr folder, FindFolder("remove", path));
  folder->Do({std::string(BaseName(path)), "", nullptr});
  return Status::Ok();
}

Result<bool> SimFileSystem::Exists(const std::string& path) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(Alive());
  return Find(path) != nullptr;
}

Result<std::vector<DirEntry>> SimFileSystem::List(const std::string& dir) {
  MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(NodePtr node, FindOrError("list", dir));
  std::vector<DirEntry> entries;
  for (const auto& [name, child] : node->entries) entries.push_back({name, child->is_directory});
  return entries;
}

Status SimFileSystem::CreateDir(const std::string& path) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(Operate());
  if (Find(path) != nullptr) return Status::Ok();
  ASSIGN_OR_RETURN(NodePtr folder, FindFolder("mkdir", path));
  auto node = std::make_shared<Node>();
  node->is_directory = true;
  folder->Do({"", std::string(BaseName(path)), std::move(node)});
  return Status::Ok();
}

Status SimFileSystem::SyncDir(const std::string& path) {
  MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(NodePtr node, FindOrError("fsync", path));
  ASSIGN_OR_RETURN(bool wanted, CheckSync(path));
  if (wanted) node->Sync();
  return Status::Ok();
}

Result<std::unique_ptr<FileLock>> SimFileSystem::LockFile(const std::string& path) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(Alive());
  if (!locks_.insert(path).second) {
    return Error(Code::kUnavailable, fmt::format("{} is held by another process", path));
  }
  return std::make_unique<Lock>(*this, path, life_);
}

Result<uint64_t> SimFileSystem::FreeBytes(const std::string& path) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(Alive());
  const uint64_t used = BytesBelow(*root_);
  return capacity_ - std::min(capacity_, used);
}

SimFileSystem::NodePtr SimFileSystem::Find(const std::string& path) const {
  NodePtr node = root_;
  std::string_view rest = path;
  while (!rest.empty()) {
    const size_t slash = std::min(rest.find('/'), rest.size());
    const std::string name(rest.substr(0, slash));
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    if (name.empty() || name == ".") continue;
    auto it = node->entries.find(name);
    if (it == node->entries.end()) return nullptr;
    node = it->second;
  }
  return node;
}

Result<SimFileSystem::NodePtr> SimFileSystem::FindOrError(std::string_view call,
                                                          const std::string& path) const {
  RETURN_IF_ERROR(Alive());
  NodePtr node = Find(path);
  if (node == nullptr) return Error(IoError(call, path, ENOENT));
  return node;
}

Result<SimFileSystem::NodePtr> SimFileSystem::FindFolder(std::string_view call,
                                                         const std::string& path) const {
  NodePtr node = Find(ParentPath(path));
  if (node == nullptr) return Error(IoError(call, path, ENOENT));
  if (!node->is_directory) return Error(IoError(call, path, ENOTDIR));
  return node;
}

Status SimFileSystem::Alive() const {
  return stopped_ ? Status(Code::kIoFailed, "the machine is off") : Status::Ok();
}

Status SimFileSystem::Operate() {
  if (stop_after_.has_value() && (*stop_after_)-- == 0) {
    stop_after_.reset();
    stopped_ = true;
  }
  RETURN_IF_ERROR(Alive());
  ++operations_;
  return Status::Ok();
}

std::optional<int> SimFileSystem::Due(std::optional<Fault>& fault) {
  if (!fault.has_value() || fault->countdown-- != 0) return std::nullopt;
  const int error_number = fault->error_number;
  fault.reset();
  return error_number;
}

Status SimFileSystem::CheckWrite(const std::string& path, uint64_t bytes_new) {
  RETURN_IF_ERROR(Operate());
  if (auto error_number = Due(write_fault_)) return IoError("write", path, *error_number);
  if (bytes_new != 0 && BytesBelow(*root_) + bytes_new > capacity_) {
    return IoError("write", path, ENOSPC);
  }
  return Status::Ok();
}

Result<bool> SimFileSystem::CheckSync(const std::string& path) {
  if (path == stop_at_sync_) stopped_ = true;
  RETURN_IF_ERROR(Operate());
  if (auto error_number = Due(sync_fault_)) return Error(IoError("sync", path, *error_number));
  syncs_.push_back(fmt::format("{}#{}", path, sync_counts_[path]++));
  return !skipped_.contains(syncs_.back());
}

Status SimFileSystem::Write(Node& node, const std::string& path, uint64_t offset,
                            std::string_view bytes) {
  const uint64_t end = offset + bytes.size();
  RETURN_IF_ERROR(CheckWrite(path, end - std::min<uint64_t>(end, node.bytes.size())));
  if (bytes.empty()) return Status::Ok();
  for (uint64_t s = offset / kSectorBytes; s <= (end - 1) / kSectorBytes; ++s) {
    const uint64_t at = s * kSectorBytes;
    const bool existed = at < node.bytes.size();
    node.unsynced.try_emplace(s, existed ? node.bytes.substr(at, kSectorBytes) : std::string());
  }
  if (end > node.bytes.size()) node.bytes.resize(end, '\0');
  std::memcpy(node.bytes.data() + offset, bytes.data(), bytes.size());
  return Status::Ok();
}

uint64_t SimFileSystem::BytesBelow(const Node& node) {
  uint64_t bytes = node.bytes.size();
  for (const auto& [name, child] : node.entries) bytes += BytesBelow(*child);
  return bytes;
}

}  // namespace elanus

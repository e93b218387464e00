// What the server owes: a plain journal of acknowledged changes, and the comparison of it with what
// a recovered process shows. Holds: a change is acknowledged (it must be there), or without an
// answer: then it is there wholly or not at all, and what it was at the first look, it stays.
// Called by the lives of crash_sim. Threads: one.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/process.h"

namespace elanus::crash {

inline constexpr size_t kDim = 4;
inline constexpr FieldId kIdField{100};
inline constexpr FieldId kVectorField{101};
inline constexpr FieldId kVersionField{102};

/// key -> version of its newest row.
using Rows = std::map<int64_t, int64_t>;

struct CollectionState {
  std::map<std::string, Rows> partitions;
  bool indexed = false;
  bool loaded = false;
  bool extended = false;  ///< has the field added later
  friend bool operator==(const CollectionState&, const CollectionState&) = default;
};

/// nullopt: there is no such collection.
using MaybeCollection = std::optional<CollectionState>;

/// A vector that tells key and version, no two of them equal.
std::vector<float> VectorOf(int64_t key, int64_t version);

class Owed {
 public:
  /// Begins a change of one collection; Acknowledge or a crash follows.
  void Begin(const std::string& name, MaybeCollection after);
  void Acknowledge();
  /// The change was refused for good.
  void Refuse() { pending_.reset(); }

  const MaybeCollection& At(const std::string& name) const;
  const std::map<std::string, MaybeCollection>& collections() const { return now_; }

  /// Remembers the rows of a partition as of `at`, to be read again within retention.
  void Remember(const std::string& name, const std::string& partition, PartitionId id,
                model::Timestamp at);

  /// Compares with everything the process shows and settles the fate of the pending change; empty
  /// when all is there, else the first thing that is wrong.
  std::string Settle(Process& process, const Machine& machine);

 private:
  struct Pending {
    std::string name;
    MaybeCollection after;
  };
  struct Snapshot {
    std::string name;
    PartitionId partition;
    model::Timestamp at = 0;
    Rows rows;
  };

  std::string CheckHistory(Process& process, const Machine& machine);

  std::map<std::string, MaybeCollection> now_;
  std::optional<Pending> pending_;
  std::vector<Snapshot> snapshots_;
};

/// Every object is named by a manifest that is a shard's head, and nothing waits to be deleted.
/// Empty, or what is wrong. Changes nothing in a process that recovered.
std::string CheckFiles(Process& process);

}  // namespace elanus::crash

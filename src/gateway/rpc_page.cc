#include "gateway/rpc_page.h"

#include <array>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "gateway/rpc_table.h"

namespace elanus::gateway {
namespace {

/// A subject is the rows of the table from `first` up to the next subject's first.
struct Subject {
  std::string_view first;
  std::string_view title;
};
constexpr std::array kSubjects = {
    Subject{"Connect", "connection, health"},
    Subject{"CreateDatabase", "databases"},
    Subject{"CreateCollection", "collections"},
    Subject{"LoadCollection", "load, release"},
    Subject{"CreateAlias", "aliases"},
    Subject{"CreatePartition", "partitions"},
    Subject{"CreateNamespace", "namespaces"},
    Subject{"CreateIndex", "indexes"},
    Subject{"Insert", "writes"},
    Subject{"Search", "reads"},
    Subject{"CalcDistance", "text and distance tools"},
    Subject{"Flush", "flush, segments, compaction"},
    Subject{"Import", "import"},
    Subject{"CreateResourceGroup", "resource groups"},
    Subject{"AddFileResource", "file resources"},
    Subject{"CreateCredential", "users, roles, privileges"},
    Subject{"AddUserTags", "row level security"},
    Subject{"CreateSnapshot", "snapshots"},
    Subject{"BatchUpdateManifest", "external collections"},
    Subject{"ReplicateMessage", "replication"},
    Subject{"ClientHeartbeat", "client telemetry"},
    Subject{"RegisterLink", "other services"},
};

struct Names {
  std::string served;
  std::string others;
  int served_count = 0;
  int count = 0;
};

void Append(std::string& list, std::string_view name) {
  if (!list.empty()) list += ", ";
  list += name;
}

/// The names of the table by subject.
std::vector<Names> NamesBySubject() {
  std::vector<Names> subjects;
  for (const RpcInfo& rpc : RpcTable()) {
    if (subjects.size() < kSubjects.size() && rpc.name == kSubjects[subjects.size()].first) {
      subjects.emplace_back();
    }
    ELANUS_CHECK(!subjects.empty());
    Names& names = subjects.back();
    Append(rpc.works() ? names.served : names.others, rpc.name);
    names.served_count += rpc.works() ? 1 : 0;
    ++names.count;
  }
  ELANUS_CHECK(subjects.size() == kSubjects.size());  // each subject begins with an RPC that exists
  return subjects;
}

}  // namespace

std::string RpcPage() {
  std::string rows, absent;
  int served = 0, count = 0;
  const std::vector<Names> subjects = NamesBySubject();
  for (size_t i = 0; i < subjects.size(); ++i) {
    const Names& names = subjects[i];
    served += names.served_count;
    count += names.count;
    const std::string title(kSubjects[i].title);
    if (names.served.empty()) {
      Append(absent, title + " (" + std::to_string(names.count) + ")");
    } else {
      rows += "| " + title + " | " + names.served + " | " + names.others + " |\n";
    }
  }
  std::string page = std::to_string(served) + " of " + std::to_string(count) +
                     " RPCs are served; any other answers UNIMPLEMENTED with its own name.\n\n"
                     "| RPCs | served | not yet |\n|---|---|---|\n" +
                     rows;
  if (!absent.empty()) page += "\nNone yet of: " + absent + ".\n";
  return page;
}

}  // namespace elanus::gateway

#include "worker/stream/compactor.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"

namespace elanus::worker {

Compactor::Compactor(const CompactorOptions& options, ShardList shards, JobContext context,
                     JobTally& tally)
    : options_(options),
      shards_(std::move(shards)),
      context_(std::move(context)),
      tally_(tally),
      budget_(options.memory_max) {}

void Compactor::Start() {
  {
    MutexLock lock(mutex_);
    started_ = true;
  }
  threads_.emplace_back("load", [this] { RunLoads(); });
  for (int i = 0; i < kJobThreads; ++i) threads_.emplace_back("compact", [this] { RunJobs(); });
}

void Compactor::Stop() {
  std::vector<std::stop_source> jobs;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    for (const auto& [shard, stop] : running_) jobs.push_back(stop);
  }
  for (std::stop_source& job : jobs) job.request_stop();
  changed_.NotifyAll();
  loaded_.NotifyAll();
  threads_.clear();
}

void Compactor::Kick() {
  {
    MutexLock lock(mutex_);
    ++kicks_;
  }
  changed_.NotifyAll();
}

void Compactor::Settle(ShardId shard) {
  {
    MutexLock lock(mutex_);
    settling_.erase(shard);
    ++kicks_;
  }
  changed_.NotifyAll();
}

void Compactor::Cancel(ShardId shard) {
  std::stop_source job(std::nostopstate);
  {
    MutexLock lock(mutex_);
    if (auto it = running_.find(shard); it != running_.end()) job = it->second;
    settling_.erase(shard);
  }
  job.request_stop();
  orders_.Fail(shard, {Code::kCollectionNotFound, "the collection was dropped"});
}

Result<std::vector<service::CompactionPlan>> Compactor::Order(
    const Shard& shard, const service::CompactionRequest& request) {
  BuildLimits limits = Limits(shard);
  const uint64_t limit_mb = limits.merge.segment_bytes_max >> 20;
  if (request.target_mb != 0) {
    if (request.target_mb < 0 || static_cast<uint64_t>(request.target_mb) < limit_mb) {
      return Error(InvalidParameter(
          fmt::format("targetSize {} MB should be greater than or equal to configMaxSize {} MB",
                      request.target_mb, limit_mb)));
    }
    constexpr uint64_t kMbMax = UINT64_MAX >> 20;
    limits.merge.segment_bytes_max = std::min<uint64_t>(request.target_mb, kMbMax) << 20;
  }
  std::vector<SegmentFigures> figures = Figures(shard, context_.Horizon());
  std::erase_if(figures, [&](const SegmentFigures& s) {
    const bool named = request.segments.empty() ||
                       std::ranges::find(request.segments, s.id) != request.segments.end();
    return !named || (request.partition && s.partition != request.partition);
  });
  std::vector<service::CompactionPlan> plans;
  for (BuildStep& step : PlanWholeMerge(figures, limits)) {
    const auto first = std::ranges::find(figures, step.inputs.front(), &SegmentFigures::id);
    service::CompactionPlan plan{.id = static_cast<int64_t>(context_.clock->Next()),
                                 .job = request.job,
                                 .kind = request.kind,
                                 .collection = shard.collection()->id,
                                 .shard = shard.id(),
                                 .partition = first->partition,
                                 .sources = std::move(step.inputs)};
    if (plan.sources.size() == 1 && first->deleted_rows == 0) {
      plan.state = service::CompactionState::kCompleted;
      plan.target = first->id;
    }
    plans.push_back(std::move(plan));
  }
  orders_.Add(plans);
  // Dropped meanwhile: nobody would take them.
  if (const Status fault = shard.fault(); !fault.ok()) orders_.Fail(shard.id(), fault);
  Kick();
  return plans;
}

void Compactor::Load(Shard& shard) {
  if (!shard.fault().ok()) return;
  const uint64_t begun = shard.loads_begun();
  tally_.Began(JobTally::Kind::kLoad);
  Status status = ApplyLoadState(shard, context_.load);
  tally_.Ended(JobTally::Kind::kLoad, shard, status);
  shard.EndLoads(begun, std::move(status));
}

bool Compactor::RunOnce() {
  bool worked = false;
  int64_t wait_us = -1;
  for (const auto& shard : shards_()) {
    Load(*shard);
    worked |= WorkOn(*shard, ThreadPriority::kNormal, wait_us);
  }
  return worked;
}

void Compactor::RunLoads() {
  uint64_t seen = 0;
  for (;;) {
    {
      MutexLock lock(mutex_);
      while (!stopping_ && kicks_ == seen) changed_.Wait(mutex_);
      if (stopping_) return;
      seen = kicks_;
    }
    for (const auto& shard : shards_()) Load(*shard);
    {
      MutexLock lock(mutex_);
      loaded_kicks_ = seen;
    }
    loaded_.NotifyAll();
  }
}

void Compactor::AwaitLoads(int64_t us) {
  const int64_t until_us = SystemClock().MonotonicUs() + us;
  MutexLock lock(mutex_);
  const uint64_t wanted = kicks_;
  while (started_ && !stopping_ && loaded_kicks_ < wanted) {  // else RunOnce loads
    const int64_t left_us = until_us - SystemClock().MonotonicUs();
    if (left_us <= 0) return;
    loaded_.WaitFor(mutex_, left_us);
  }
}

namespace {

/// Rows outlive their time and their history without anyone telling.
constexpr int64_t kLookAgainUs = 60'000'000;

}  // namespace

void Compactor::RunJobs() {
  uint64_t seen = 0;
  int64_t wait_us = -1;
  for (;;) {
    {
      MutexLock lock(mutex_);
      while (!stopping_ && kicks_ == seen) {
        if (!changed_.WaitFor(mutex_, wait_us < 0 ? kLookAgainUs : wait_us)) break;
      }
      if (stopping_) return;
      seen = kicks_;
    }
    wait_us = -1;
    for (const auto& shard : shards_()) {
      // Its output may call for a load or the next step: of whichever thread is free.
      if (WorkOn(*shard, ThreadPriority::kLow, wait_us)) Kick();
    }
  }
}

bool Compactor::WorkOn(Shard& shard, ThreadPriority priority, int64_t& wait_us) {
  std::stop_source stop;
  {
    MutexLock lock(mutex_);
    if (stopping_ || !running_.try_emplace(shard.id(), stop).second) return false;
  }
  bool worked = false;
  if (const Status fault = shard.fault(); !fault.ok()) {
    orders_.Fail(shard.id(), fault);
  } else {
    const int64_t settles_us = SettlesIn(shard);
    if (settles_us > 0 && (wait_us < 0 || settles_us < wait_us)) wait_us = settles_us;
    JobContext context = context_;
    context.stop = stop.get_token();
    context.priority = priority;
    worked = Step(shard, std::move(context), settles_us == 0);
  }
  MutexLock lock(mutex_);
  running_.erase(shard.id());
  return worked;
}

void Compactor::CarryOut(Shard& shard, const CompactionOrders::Order& order, JobContext context) {
  StepSize size{.merged = true};
  for (const SegmentFigures& figures : Figures(shard, context.Horizon())) {
    if (std::ranges::find(order.inputs, figures.id) == order.inputs.end()) continue;
    size.rows += figures.rows;
    size.list_vectors += figures.list_vectors;
  }
  const MemoryBudget::Lease lease =
      budget_.Take(EstimateStepBytes(*shard.collection(), size), context.stop);
  if (!lease) return orders_.End(order.plan, Error(Code::kCanceled, "canceled"));
  // Someone waits for it.
  if (context.priority == ThreadPriority::kLow) context.priority = ThreadPriority::kReduced;
  tally_.Began(JobTally::Kind::kMerge);
  const Result<SegmentId> output = MergeSegments(shard, order.inputs, context);
  tally_.Ended(JobTally::Kind::kMerge, shard, StatusOf(output));
  orders_.End(order.plan, output);
}

namespace {

Inflow InflowOf(const std::vector<SegmentFigures>& segments, bool settled) {
  if (settled) return Inflow::kSettled;
  // Graphs begin when rows are searched while they arrive.
  return std::ranges::any_of(segments, &SegmentFigures::by_graph) ? Inflow::kSearched
                                                                  : Inflow::kPouring;
}

/// Searches that read every row, or one segment more, cost more than the build that ends them: such
/// a build gets a share even when searches keep all cores busy, and an equal one when segments come
/// faster than that. Any other has time.
ThreadPriority PriorityOf(const BuildStep& step, Inflow inflow) {
  constexpr size_t kBehind = 3;  // segments
  if (step.unindexed == 0) return ThreadPriority::kLow;
  const bool behind = inflow == Inflow::kSearched && step.unindexed >= kBehind;
  return behind ? ThreadPriority::kNormal : ThreadPriority::kReduced;
}

}  // namespace

bool Compactor::Step(Shard& shard, JobContext context, bool settled) {
  if (const auto order = orders_.Begin(shard.id())) {
    CarryOut(shard, *order, std::move(context));
    return true;
  }
  const std::vector<SegmentFigures> figures = Figures(shard, context.Horizon());
  const Inflow inflow = InflowOf(figures, settled);
  const auto step = NextBuildStep(figures, Limits(shard), inflow);
  if (!step) return false;
  const MemoryBudget::Lease lease = budget_.Take(step->memory, context.stop);
  if (!lease) return false;
  if (context.priority == ThreadPriority::kLow) context.priority = PriorityOf(*step, inflow);
  const auto kind = step->merge ? JobTally::Kind::kMerge : JobTally::Kind::kIndexBuild;
  tally_.Began(kind);
  Status status;
  if (step->merge) {
    const Result<SegmentId> output = MergeSegments(shard, step->inputs, context);
    status = StatusOf(output);
    if (status.ok()) orders_.Replaced(shard.id(), step->inputs, *output);
  } else {
    status = BuildMissingIndexes(shard, step->inputs.front(), context);
  }
  tally_.Ended(kind, shard, status);
  return status.ok();
}

BuildLimits Compactor::Limits(const Shard& shard) const {
  return {.merge = options_.merge,
          .memory_max = options_.memory_max,
          .memory = [collection = shard.collection()](const StepSize& size) {
            return EstimateStepBytes(*collection, size);
          }};
}

int64_t Compactor::SettlesIn(const Shard& shard) {
  if (options_.settle_ms == 0) return 0;
  // Searches read what waits for its index: they cost more than an index that is built twice.
  if (std::ranges::any_of(shard.sealed(), &segment::Segment::TakeScanned)) return 0;
  const int64_t round_us = options_.settle_ms * 1000;
  const uint64_t taken = shard.bytes_taken();
  const int64_t now_us = SystemClock().MonotonicUs();
  MutexLock lock(mutex_);
  auto [it, fresh] = settling_.try_emplace(shard.id());
  Settling& s = it->second;
  if (fresh) {
    s = {taken, now_us - round_us, now_us};
  } else if (taken - s.bytes_taken > options_.settle_bytes) {
    if (now_us - s.quiet_since_us >= 2 * round_us) s.loading_since_us = now_us;  // it was quiet
    s.bytes_taken = taken;
    s.quiet_since_us = now_us;
  }
  const int64_t quiet_in_us = s.quiet_since_us + round_us - now_us;
  const int64_t patience_us = s.loading_since_us + kSettleRoundsMax * round_us - now_us;
  if (quiet_in_us > 0 && patience_us <= 0) s.loading_since_us = now_us;  // one step, then again
  return std::max<int64_t>(std::min(quiet_in_us, patience_us), 0);
}

}  // namespace elanus::worker

#include "gateway/result_wire.h"

#include <algorithm>

#include "gateway/column_wire.h"
#include "gateway/wire_writer.h"

namespace elanus::gateway {
namespace {

template <class Sink>
void WriteIds(Sink& out, int field, const model::PrimaryKeys& keys) {
  out.Message(field, [&](auto& ids) {
    ids.Message(keys.is_string ? 2 : 1, [&](auto& array) {
      if (keys.is_string) {
        for (const std::string& key : keys.strings) array.Bytes(1, key);
      } else {
        array.PackedVarints(1, keys.ints.size(), [&](size_t i) { return keys.ints[i]; });
      }
    });
  });
}

std::string_view PrimaryName(const service::CollectionPtr& collection) {
  if (collection == nullptr) return {};
  const model::FieldSchema* primary = collection->schema.primary();
  return primary == nullptr ? std::string_view() : std::string_view(primary->name);
}

std::string_view CollectionName(const service::CollectionPtr& collection) {
  return collection == nullptr ? std::string_view() : std::string_view(collection->name);
}

/// Fields of a oneof have presence: zeros are written too.
struct BucketValueFields {
  int whole, text, boolean, real, wide, bytes;  ///< 0: the message has no such field
};
template <class Sink>
void WriteBucketValue(Sink& out, const service::BucketValue& value,
                      const BucketValueFields& fields) {
  if (const auto* b = std::get_if<bool>(&value)) out.AlwaysInt(fields.boolean, *b ? 1 : 0);
  if (const auto* i = std::get_if<int64_t>(&value)) {
    out.AlwaysInt(fields.whole, static_cast<uint64_t>(*i));
  }
  if (const auto* f = std::get_if<float>(&value)) out.Float(fields.real, *f);
  if (const auto* d = std::get_if<double>(&value)) out.Double(fields.wide, *d);
  if (const auto* s = std::get_if<std::string>(&value)) out.Bytes(fields.text, *s);
  if (const auto* b = std::get_if<service::BucketBytes>(&value)) out.Bytes(fields.bytes, b->bytes);
}

/// schema.BucketKeyEntry and AggHitField.
template <class Sink>
void WriteBucketField(Sink& out, const service::BucketField& field,
                      const BucketValueFields& fields) {
  out.Int(1, static_cast<uint64_t>(field.field.value));
  out.Text(2, field.name);
  WriteBucketValue(out, field.value, fields);
}

/// schema.AggHit
template <class Sink>
void WriteBucketHit(Sink& out, const service::BucketHit& hit) {
  if (const auto* number = std::get_if<int64_t>(&hit.key)) {
    out.AlwaysInt(1, static_cast<uint64_t>(*number));
  } else {
    out.Bytes(2, std::get<std::string>(hit.key));
  }
  out.Float(3, hit.score);
  for (const service::BucketField& field : hit.fields) {
    out.Message(4, [&](auto& entry) {
      WriteBucketField(entry, field,
                       {.whole = 3, .text = 7, .boolean = 4, .real = 5, .wide = 6, .bytes = 8});
    });
  }
}

/// schema.AggBucket. Levels are as many as the request's, which are few.
template <class Sink>
void WriteBucket(Sink& out, const service::Bucket& bucket) {  // NOLINT(misc-no-recursion)
  for (const service::BucketField& field : bucket.key) {
    out.Message(1, [&](auto& entry) {
      WriteBucketField(entry, field, {.whole = 3, .text = 4, .boolean = 5});
    });
  }
  out.Int(2, static_cast<uint64_t>(bucket.count));
  for (const auto& metric : bucket.metrics) {
    out.Message(3, [&](auto& entry) {
      entry.Bytes(1, metric.first);
      entry.Message(2, [&](auto& value) {
        WriteBucketValue(value, metric.second, {.whole = 1, .text = 3, .boolean = 4, .wide = 2});
      });
    });
  }
  for (const service::BucketHit& hit : bucket.hits) {
    out.Message(4, [&](auto& entry) { WriteBucketHit(entry, hit); });
  }
  for (const service::Bucket& inner : bucket.buckets) {
    out.Message(5, [&](auto& entry) { WriteBucket(entry, inner); });
  }
}

template <class Sink>
void WriteSearchResultData(Sink& out, const service::SearchResult& result) {
  const int64_t top_k =
      result.counts.empty() ? 0 : *std::max_element(result.counts.begin(), result.counts.end());
  out.Int(1, result.counts.size());
  out.Int(2, static_cast<uint64_t>(top_k));
  WriteColumns(out, 3, result.columns);
  out.PackedRaw(4, result.scores.data(), result.scores.size() * sizeof(float));
  WriteIds(out, 5, result.keys);
  out.PackedVarints(6, result.counts.size(), [&](size_t i) { return result.counts[i]; });
  for (const std::string& name : result.output_fields) out.Bytes(7, name);
  // One grouping field goes where clients look for it, several where only new ones do.
  const int group_field = result.group_values.size() == 1 ? 8 : 17;
  if (group_field == 8) {
    out.Message(8, [&](auto& value) { WriteColumn(value, result.group_values[0]); });
  }
  if (result.iterator_v2) {
    out.Message(11, [&](auto& iterator) {
      iterator.Text(1, result.iterator_token);
      iterator.Float(2, result.iterator_last_bound);
    });
  }
  out.Text(13, PrimaryName(result.collection));
  if (!result.elements.empty()) {
    out.Message(15, [&](auto& elements) {
      elements.PackedVarints(1, result.elements.size(),
                             [&](size_t i) { return result.elements[i]; });
    });
  }
  if (group_field == 17) {
    for (const service::OutputColumn& column : result.group_values) {
      out.Message(17, [&](auto& value) { WriteColumn(value, column); });
    }
  }
  for (const service::Bucket& bucket : result.buckets) {
    out.Message(18, [&](auto& entry) { WriteBucket(entry, bucket); });
  }
  out.PackedVarints(19, result.bucket_counts.size(),
                    [&](size_t i) { return result.bucket_counts[i]; });
}

}  // namespace

std::string WriteSearchResults(const service::SearchResult& result) {
  return EncodeWire([&](auto& out) {
    out.Message(1, [](auto&) {});
    out.Message(2, [&](auto& data) { WriteSearchResultData(data, result); });
    out.Text(3, CollectionName(result.collection));
    out.Int(4, result.session_ts);
  });
}

std::string WriteQueryResults(const service::QueryResult& result) {
  return EncodeWire([&](auto& out) {
    out.Message(1, [](auto&) {});
    WriteColumns(out, 2, result.columns);
    out.Text(3, CollectionName(result.collection));
    for (const std::string& name : result.output_fields) out.Bytes(4, name);
    out.Int(5, result.session_ts);
    out.Text(6, PrimaryName(result.collection));
    if (!result.elements) return;
    for (const std::vector<int64_t>& row : *result.elements) {
      out.Message(7, [&](auto& indices) {
        indices.Message(1, [&](auto& array) {
          array.PackedVarints(1, row.size(), [&](size_t i) { return row[i]; });
        });
      });
    }
  });
}

std::string WriteMutationResult(const service::MutationReply& reply, Mutation mutation) {
  return EncodeWire([&](auto& out) {
    out.Message(1, [](auto&) {});
    WriteIds(out, 2, reply.keys);
    if (mutation != Mutation::kDelete) {
      out.PackedVarints(3, reply.keys.size(), [](size_t i) { return i; });
    }
    out.Bool(5, true);
    const int count_field = mutation == Mutation::kInsert   ? 6
                            : mutation == Mutation::kDelete ? 7
                                                            : 8;
    out.Int(count_field, static_cast<uint64_t>(reply.count));
    out.Int(9, reply.timestamp);
  });
}

}  // namespace elanus::gateway

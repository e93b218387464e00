// Schemas and key-value pairs between their protobuf and model forms.
// Called by handle_collection and handle_index. Threads: any.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "common.pb.h"
#include "model/collection.h"
#include "schema.pb.h"

namespace elanus::gateway {

using PbPairs = google::protobuf::RepeatedPtrField<milvus::proto::common::KeyValuePair>;

model::KeyValues PairsFromPb(const PbPairs& pairs);
void PairsToPb(const model::KeyValues& pairs, PbPairs& out);
/// Index parameters as one flat list: `params` may hold a JSON object; an empty value means "not
/// given" (Node and Go send such). Errors: kInvalidParameter when it holds anything else.
Result<model::KeyValues> IndexParamsFromPb(const PbPairs& pairs);

/// The byte form of schema.CollectionSchema, as CreateCollection carries it, without `$meta`
/// (the coordinator adds it). Field ids are not set. Errors: kInvalidParameter for bytes that
/// are no schema, kUnimplemented for functions, struct arrays and external sources.
/// \param namespaces  set to whether the collection is to have namespaces; may be nullptr
Result<model::CollectionSchema> SchemaFromBytes(const std::string& bytes,
                                                bool* namespaces = nullptr);
Result<model::FieldSchema> FieldFromPb(const milvus::proto::schema::FieldSchema& in);
Result<model::FieldSchema> FieldFromBytes(const std::string& bytes);

/// A struct array and its members; a member is named after both. Ids are not set.
Status StructFromPb(const milvus::proto::schema::StructArrayFieldSchema& in,
                    model::StructSchema& made, std::vector<model::FieldSchema>& members);

/// What DescribeCollection shows: without `$meta`.
void SchemaToPb(const model::CollectionSchema& schema,
                milvus::proto::schema::CollectionSchema& out);

}  // namespace elanus::gateway

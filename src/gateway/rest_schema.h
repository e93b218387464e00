// Schemas between their JSON and model forms. Called by rest_catalog.cc. Threads: any.
#pragma once

#include <vector>

#include "base/status.h"
#include "gateway/json_writer.h"
#include "gateway/rest_call.h"
#include "model/schema.h"

namespace elanus::gateway {

/// The object of a field. Errors: kInvalidParameter for a type that is none, 1801 for members of
/// the wrong JSON type.
Result<model::FieldSchema> FieldOf(const RestBody& in);

/// The object of a struct array: its members are under `fields`, what they share under
/// `typeParams`. A member is named after both.
Status StructOf(const RestBody& in, model::StructSchema& made,
                std::vector<model::FieldSchema>& members);

/// The object of a schema. Errors: also kUnimplemented for functions.
Result<model::CollectionSchema> SchemaOf(const RestBody& in);

/// A key, a vector and the dynamic field: what a request without a schema means.
Result<model::CollectionSchema> QuickSchemaOf(const RestBody& in);

/// A list of {"key": …, "value": …}.
void WritePairs(JsonWriter& json, const model::KeyValues& pairs);
void WriteField(JsonWriter& json, const model::FieldSchema& field, bool int64_as_number);
void WriteStruct(JsonWriter& json, const model::StructSchema& one,
                 const model::CollectionSchema& schema, bool int64_as_number);

}  // namespace elanus::gateway

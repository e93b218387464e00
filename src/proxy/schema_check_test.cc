#include "proxy/schema_check.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <functional>
#include <tuple>

#include "proxy/fixture.h"

namespace elanus::proxy {
namespace {

using model::DataType;

service::CreateCollection Request() {
  service::CreateCollection request{.database = "default"};
  request.schema.name = "c";
  request.schema.fields = {Field(0, "id", DataType::kInt64),
                           Field(0, "v", DataType::kFloatVector, {{"dim", "8"}})};
  request.schema.fields[0].is_primary = true;
  return request;
}

TEST(SchemaCheck, FillsWhatWasLeftOpen) {
  auto request = Request();
  request.shards_num = 0;
  request.schema.auto_id = true;
  ASSERT_TRUE(CheckCreateCollection(request).ok());
  EXPECT_EQ(request.shards_num, 1);
  EXPECT_TRUE(request.schema.fields[0].auto_id);
}

model::FieldSchema Array(DataType element, model::KeyValues params) {
  auto field = Field(0, "a", DataType::kArray, std::move(params));
  field.element_type = element;
  return field;
}

struct Case {
  std::string text;
  std::function<void(service::CreateCollection&)> spoil;
  Code code = Code::kInvalidParameter;
};

const Case kCases[] = {
    {"maximum shards's number should be limited to 16", [](auto& r) { r.shards_num = 17; }},
    {"schema does not contain vector field: invalid parameter",
     [](auto& r) { r.schema.fields.pop_back(); }},
    {"duplicated field name id",
     [](auto& r) { r.schema.fields.push_back(Field(0, "id", DataType::kInt64)); }},
    {"maximum field's number should be limited to 256",
     [](auto& r) {
       for (int i = 0; i < 255; ++i) {
         r.schema.fields.push_back(Field(0, "f" + std::to_string(i), DataType::kInt64));
       }
     }},
    {"maximum vector field's number should be limited to 10",
     [](auto& r) {
       for (int i = 0; i < 10; ++i) {
         r.schema.fields.push_back(
             Field(0, "w" + std::to_string(i), DataType::kFloatVector, {{"dim", "8"}}));
       }
     }},
    {"primary key is not specified", [](auto& r) { r.schema.fields[0].is_primary = false; }},
    {"there are more than one primary key",
     [](auto& r) {
       r.schema.fields.push_back(Field(0, "id2", DataType::kInt64));
       r.schema.fields.back().is_primary = true;
     }},
    {"the data type of primary key should be Int64 or VarChar",
     [](auto& r) { r.schema.fields[0].type = DataType::kFloat; }},
    {"primary field not support null", [](auto& r) { r.schema.fields[0].nullable = true; }},
    {"primary field not support default_value",
     [](auto& r) { r.schema.fields[0].default_value = model::Scalar(int64_t{1}); }},
    {"Invalid field name: 1v", [](auto& r) { r.schema.fields[1].name = "1v"; },
     Code::kFieldInvalidName},
    {"invalid dimension: 1. should be in range 2 ~ 32768",
     [](auto& r) { r.schema.fields[1].type_params = {{"dim", "1"}}; }},
    {"invalid dimension: 32769 of field v. float vector dimension should be in range 2 ~ 32768",
     [](auto& r) { r.schema.fields[1].type_params = {{"dim", "32769"}}; }},
    {"dimension is not defined in field type params",
     [](auto& r) { r.schema.fields[1].type_params.clear(); }},
    {"invalid dimension: 1 of field b. binary vector dimension should be multiple of 8.",
     [](auto& r) {
       r.schema.fields.push_back(Field(0, "b", DataType::kBinaryVector, {{"dim", "1"}}));
     }},
    {"type param(max_length) should be specified for the field(s) of collection c",
     [](auto& r) { r.schema.fields.push_back(Field(0, "s", DataType::kVarChar)); }},
    {"the maximum length specified for the field(s) should be in (0, 65535], but got 65536 "
     "instead: "
     "invalid parameter",
     [](auto& r) {
       r.schema.fields.push_back(Field(0, "s", DataType::kVarChar, {{"max_length", "65536"}}));
     }},
    {"string data type not supported yet, please use VarChar type instead",
     [](auto& r) { r.schema.fields.push_back(Field(0, "s", DataType::kString)); }},
    {"element data type None is not valid",
     [](auto& r) { r.schema.fields.push_back(Array(DataType::kNone, {})); }},
    {"element type FloatVector is not supported",
     [](auto& r) { r.schema.fields.push_back(Array(DataType::kFloatVector, {})); }},
    {"element type 1001 is not supported",
     [](auto& r) { r.schema.fields.push_back(Array(static_cast<DataType>(1001), {})); }},
    {"type param(max_length) should be specified for the field(a)",
     [](auto& r) { r.schema.fields.push_back(Array(DataType::kVarChar, {})); }},
    {"type param(max_capacity) should be specified for array field a of collection c",
     [](auto& r) { r.schema.fields.push_back(Array(DataType::kInt64, {})); }},
    {"the value for max_capacity of field a must be an integer",
     [](auto& r) {
       r.schema.fields.push_back(Array(DataType::kInt64, {{"max_capacity", "None"}}));
     }},
    {"the maximum capacity specified for a Array should be in (0, 4096]",
     [](auto& r) {
       r.schema.fields.push_back(Array(DataType::kInt64, {{"max_capacity", "4097"}}));
     }},
    {"type not support default_value, type:JSON",
     [](auto& r) {
       r.schema.fields.push_back(Field(0, "j", DataType::kJson));
       r.schema.fields.back().default_value = model::Scalar(std::string("{}"));
     }},
    {"type (Int8) of field (i) is not equal to the type(DataType_VarChar) of default_value",
     [](auto& r) {
       r.schema.fields.push_back(Field(0, "i", DataType::kInt8));
       r.schema.fields.back().default_value = model::Scalar(std::string("abc"));
     }},
    {"type (Float) of field (f) is not equal to the type(DataType_Int64) of default_value",
     [](auto& r) {
       r.schema.fields.push_back(Field(0, "f", DataType::kFloat));
       r.schema.fields.back().default_value = model::Scalar(int64_t{1});
     }},
    {"the length (3) of string exceeds max length (2): invalid parameter[expected=valid length "
     "string][actual=string length exceeds max length]",
     [](auto& r) {
       r.schema.fields.push_back(Field(0, "s", DataType::kVarChar, {{"max_length", "2"}}));
       r.schema.fields.back().default_value = model::Scalar(std::string("abc"));
     }},
    {"only primary key could be with AutoID enabled",
     [](auto& r) { r.schema.fields[1].auto_id = true; }},
    {"partition key field not support nullable: invalid parameter",
     [](auto& r) {
       r.schema.fields.push_back(Field(0, "k", DataType::kInt64));
       r.schema.fields.back().is_partition_key = true;
       r.schema.fields.back().nullable = true;
     }},
    {"num_partitions should only be specified with partition key field enabled",
     [](auto& r) { r.partitions_num = 3; }},
    {"dim should not be specified for sparse vector field x",
     [](auto& r) {
       r.schema.fields.push_back(Field(0, "x", DataType::kSparseFloatVector, {{"dim", "8"}}));
     }},
    {"element type JSON is not supported",
     [](auto& r) {
       r.schema.fields.push_back(Field(0, "x", DataType::kArray));
       r.schema.fields.back().element_type = DataType::kJson;
     }},
    {"the maximum capacity specified for a Array should be in (0, 4096]",
     [](auto& r) {
       r.schema.fields.push_back(Field(0, "x", DataType::kArray, {{"max_capacity", "4097"}}));
       r.schema.fields.back().element_type = DataType::kInt8;
     }},
    {"invalid timestamp string: 'timestamp'. Does not match any known format",
     [](auto& r) {
       r.schema.fields.push_back(Field(0, "x", DataType::kTimestamptz));
       r.schema.fields.back().default_value = std::string("timestamp");
     }},
    {"type (Timestamptz) of field (x) is not equal to the type(DataType_Int64) of default_value",
     [](auto& r) {
       r.schema.fields.push_back(Field(0, "x", DataType::kTimestamptz));
       r.schema.fields.back().default_value = int64_t{10};
     }},
};

TEST(SchemaCheck, RefusesWithMilvusTexts) {
  for (const Case& c : kCases) {
    auto request = Request();
    c.spoil(request);
    ExpectError(CheckCreateCollection(request), c.code, c.text);
  }
}

TEST(SchemaCheck, RefusesFieldsThatCannotBeAdded) {
  const auto schema = Request().schema;
  auto field = Field(0, "f", DataType::kInt64);
  ExpectError(CheckAddField(schema, "UTC", field), Code::kInvalidParameter,
              "added field must be nullable, please check it, field name = f: invalid parameter");
  field.nullable = true;
  EXPECT_TRUE(CheckAddField(schema, "UTC", field).ok());
  field.is_primary = true;
  ExpectError(CheckAddField(schema, "UTC", field), Code::kInvalidParameter,
              "not support to add pk field, field name = f: invalid parameter");
  field.is_primary = false;
  field.is_partition_key = true;
  ExpectError(CheckAddField(schema, "UTC", field), Code::kInvalidParameter,
              "not support to add partition key field, field name  = f");
  field.is_partition_key = false;
  field.name = "v";
  ExpectError(CheckAddField(schema, "UTC", field), Code::kInvalidParameter,
              "duplicated field name");
  field.name = "RowID";
  ExpectError(CheckAddField(schema, "UTC", field), Code::kInvalidParameter,
              "not support to add system field, field name = RowID");
}

service::AddStructField AddClips() {
  service::AddStructField add{.field = {.name = "clips", .nullable = true}};
  for (const auto& [name, type, element] :
       {std::tuple{"n", DataType::kArray, DataType::kInt64},
        std::tuple{"emb", DataType::kArrayOfVector, DataType::kFloatVector}}) {
    auto member =
        Field(0, fmt::format("clips[{}]", name), type, {{"max_capacity", "4"}, {"dim", "8"}});
    member.element_type = element;
    member.struct_name = "clips";
    member.nullable = true;
    add.members.push_back(std::move(member));
  }
  return add;
}

TEST(SchemaCheck, RefusesStructsThatCannotBeAdded) {
  const struct {
    std::string text;
    std::function<void(service::AddStructField&)> spoil;
    Code code = Code::kInvalidParameter;
  } kSpoiled[] = {
      {"added struct field must be nullable, please check it, struct field name = clips",
       [](auto& r) { r.field.nullable = false; }},
      {"struct array field clips has no sub-fields", [](auto& r) { r.members.clear(); }},
      {"duplicated field name v", [](auto& r) { r.field.name = "v"; }},
      {"duplicated field name n", [](auto& r) { r.members[1].name = "clips[n]"; }},
      {"not support to add system field, field name = RowID",
       [](auto& r) { r.field.name = "RowID"; }},
      {"not support to add system field, field name = __virtual_pk__",
       [](auto& r) { r.members[0].name = "clips[__virtual_pk__]"; }},
      {"primary key is not supported for struct field, field name = n",
       [](auto& r) { r.members[0].is_primary = true; }},
      {"default value is not supported for struct field, field name = n",
       [](auto& r) { r.members[0].default_value = int64_t{7}; }},
      {"Field 'n' in struct 'clips' cannot be nullable individually, set nullable on the struct",
       [](auto& r) { r.members[0].nullable = false; }},
      {"all sub-fields in struct array field must have the same max_capacity: structName=clips, "
       "subFieldName=emb, max_capacity=5, expected=4",
       [](auto& r) { r.members[1].type_params[0].second = "5"; }},
      {"Fields in StructArrayField can only be array or array of struct, but field n is Int64",
       [](auto& r) { r.members[0].type = DataType::kInt64; }},
      {"Unsupported element type SparseFloatVector of ArrayOfVector field emb, only fixed "
       "dimension vector types are supported",
       [](auto& r) { r.members[1].element_type = DataType::kSparseFloatVector; }},
      {"element type JSON is not supported",
       [](auto& r) { r.members[0].element_type = DataType::kJson; }},
      {"maximum vector field's number should be limited to 10",
       [](auto& r) {
         for (int i = 0; i < 9; ++i) {
           r.members.push_back(r.members[1]);
           r.members.back().name = fmt::format("clips[e{}]", i);
         }
       }},
      {"Invalid field name: 1. ", [](auto& r) { r.field.name = "1"; }, Code::kFieldInvalidName},
  };
  const auto schema = Request().schema;
  auto good = AddClips();
  EXPECT_TRUE(CheckAddStructField(schema, good).ok());
  for (const auto& c : kSpoiled) {
    auto request = AddClips();
    c.spoil(request);
    ExpectError(CheckAddStructField(schema, request), c.code, c.text);
  }
}

}  // namespace
}  // namespace elanus::proxy

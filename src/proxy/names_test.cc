#include "proxy/names.h"

#include <gtest/gtest.h>

#include "proxy/fixture.h"

namespace elanus::proxy {
namespace {

TEST(Names, AcceptWhatMilvusAccepts) {
  for (const char* name : {"name", "_name", "_12name", "n12ame_", "nam_e"}) {
    EXPECT_TRUE(CheckCollectionName(name).ok()) << name;
    EXPECT_TRUE(CheckFieldName(name).ok()) << name;
    EXPECT_TRUE(CheckDatabaseName(name).ok()) << name;
    EXPECT_TRUE(CheckAliasName(name).ok()) << name;
    EXPECT_TRUE(CheckPartitionName(name).ok()) << name;
  }
  EXPECT_TRUE(CheckCollectionName(std::string(255, 'a')).ok());
  EXPECT_TRUE(CheckPartitionName("1-a").ok());
}

TEST(Names, AreRefusedWithMilvusTexts) {
  ExpectError(CheckCollectionName("12-s"), Code::kInvalidParameter,
              "Invalid collection name: 12-s. the first character of a collection name must be an "
              "underscore or letter: invalid parameter");
  ExpectError(CheckCollectionName("español"), Code::kInvalidParameter,
              "Invalid collection name: español. collection name can only contain numbers, letters "
              "and underscores: invalid parameter");
  ExpectError(
      CheckCollectionName(std::string(256, 'a')), Code::kInvalidParameter,
      "the length of a collection name must be less than 255 characters: invalid parameter");
  ExpectError(CheckCollectionName(""), Code::kInvalidParameter,
              "collection name should not be empty");
  ExpectError(
      CheckAliasName("12-s"), Code::kInvalidParameter,
      "Invalid collection alias: 12-s. the first character of a collection alias must be an "
      "underscore or letter");
  ExpectError(CheckFieldName("12-s"), Code::kFieldInvalidName,
              "Invalid field name: 12-s. The first character of a field name must be an underscore "
              "or letter.: field name invalid[field=12-s]");
  ExpectError(CheckFieldName("español"), Code::kFieldInvalidName,
              "Field name can only contain numbers, letters, and underscores.: field name "
              "invalid[field=español]");
  for (const char* keyword : {"$meta", "like", "in", "TRUE", "null", "NULL", "array_length"}) {
    ExpectError(CheckFieldName(keyword), Code::kFieldInvalidName, " is keyword in milvus.");
  }
  ExpectError(CheckDatabaseName("12"), Code::kDatabaseInvalidName,
              "the first character of a database name must be an underscore or letter: invalid "
              "database name[database=12]");
  ExpectError(CheckPartitionName(""), Code::kInvalidParameter,
              "Invalid partition name: . Partition name should not be empty.");
  ExpectError(CheckPartitionName("(mn)"), Code::kInvalidParameter,
              "Invalid partition name: (mn). The first character of a partition name must be an "
              "underscore or letter.");
  ExpectError(CheckPartitionName(std::string(256, 'a')), Code::kInvalidParameter,
              ". The length of a partition name must be less than 255 characters.");
  ExpectError(CheckIndexName("1a"), Code::kInvalidParameter, "Invalid index name: 1a");
}

TEST(Names, TrimTakesBlanksOffBothEnds) {
  EXPECT_EQ(Trim(" \ta b\n"), "a b");
  EXPECT_EQ(Trim("  "), "");
}

}  // namespace
}  // namespace elanus::proxy

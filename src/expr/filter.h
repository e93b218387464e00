// Filter text to a bound filter. The front door of this room.
// Holds: a BoundFilter is a plain value; a null root keeps every row. Any thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "expr/node.h"
#include "model/primary_key.h"
#include "model/schema.h"

namespace elanus::expr {

/// What a request gives for {name}: one literal or an array of them.
using TemplateValue = Value;
struct Templates {
  std::map<std::string, TemplateValue> values;
  /// Bytes, of which only bloom_match and roaring_match make something.
  std::map<std::string, std::shared_ptr<const std::string>> blobs;

  template <class V>
  void Visit(V& v) {
    v(values);
    v(blobs);
  }
};

/// `element_filter(struct, predicate)`: which elements of the rows are meant. The root keeps the
/// rows that have one.
struct ElementFilter {
  std::string struct_name;
  Node match;  ///< the MatchElements node

  template <class V>
  void Visit(V& v) {
    v(struct_name);
    v(match);
  }
};

struct BoundFilter {
  uint64_t schema_version = 0;                    ///< CollectionSchema::version it was bound to
  std::shared_ptr<const Node> root;               ///< null = all rows
  std::shared_ptr<const ElementFilter> elements;  ///< null = rows are meant as wholes
  /// In (0, 1): of the rows that pass, only this share, chosen anew by every read; 0 = all.
  double sample = 0;

  bool keeps_all() const { return root == nullptr && sample == 0; }

  template <class V>
  void Visit(V& v) {
    v(schema_version);
    v(root);
    v(elements);
    v(sample);
  }
};

/// Parses and binds. Blank text and a constant true give a null root.
/// \param time_zone  of times told without an offset; empty = UTC
/// Errors: kInvalidParameter, `cannot parse expression: TEXT: CAUSE`, or `predicate is not a
/// boolean expression: TEXT, data type: T`; pass it to PlanError for what the user sees. Cost:
/// linear in the text.
Result<BoundFilter> ParseFilter(std::string_view text, const model::CollectionSchema& schema,
                                const Templates& templates, std::string_view time_zone = {});

/// The column a name stands for, as a filter would read it: a field, a path into a JSON field
/// (`f["a"][0]`), a key of the dynamic field.
/// Errors (kInvalidParameter): `cannot parse identifier: TEXT`, `field F not exist`, a path into a
/// field that has none.
Result<ColumnRef> ParseColumn(std::string_view text, const model::CollectionSchema& schema);

/// `failed to create KIND plan: CAUSE: invalid parameter`.
/// \param plan_kind  "query" (of search too) or "delete"
Status PlanError(std::string_view plan_kind, const Status& cause);

/// The keys of a filter that is nothing but `pk in [..]` or `pk == x`: for get and delete, which
/// then need no scan. Ascending, without repeats.
std::optional<model::PrimaryKeys> PrimaryKeysOf(const BoundFilter& filter,
                                                const model::CollectionSchema& schema);

/// What sets that clients built (bloom_match, roaring_match) are to a filter.
struct MembershipUse {
  bool approximate = false;  ///< bloom_match: it may keep rows that were not meant
  uint64_t bytes = 0;        ///< of all of them, each as often as it is used
};
MembershipUse MembershipUseOf(const BoundFilter& filter);

struct KeyBound {
  model::PrimaryKey key;
  bool strict = false;  ///< `pk > key`, otherwise `pk >= key`
};

/// A lower bound that every matching row's primary key keeps (`pk > x and ...`, as query iterators
/// ask): a segment in key order may start there.
std::optional<KeyBound> LowerBoundOf(const BoundFilter& filter,
                                     const model::CollectionSchema& schema);

}  // namespace elanus::expr

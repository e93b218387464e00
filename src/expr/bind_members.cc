// bloom_match and roaring_match: membership in sets that clients build and send as bytes.
#include <bit>
#include <cmath>
#include <string>
#include <type_traits>

#include <fmt/format.h>
#include "base/bytes.h"
#include "expr/binder.h"

namespace elanus::expr {

using model::DataType;

namespace {

/// Milvus' proxy.maxMembershipFilterSize: what a set may have beside its header.
constexpr uint64_t kBodyMax = 64 << 20;

/// The least rate of false hits at which a set of so many members fits: what to ask the client for.
std::string FitHint(std::string_view blob) {
  constexpr double kRateMin = 0.0001;
  constexpr double kRateMax = 0.05;
  ByteReader in(blob.substr(8));
  const auto declared = in.Fixed<uint64_t>();
  if (declared == 0 || declared > INT64_MAX) return "";
  const double members = static_cast<double>(declared);
  const double bits = std::pow(1 - std::exp(-members / static_cast<double>(kBodyMax)), 8);
  const double rate = std::max(std::ceil(bits * 10000) / 10000, kRateMin);
  if (rate > kRateMax) {
    return fmt::format(
        "; the declared {} members do not fit {} bytes even at the maximum fpr {} — reduce the "
        "member count or raise proxy.maxMembershipFilterSize",
        declared, kBodyMax, kRateMax);
  }
  return fmt::format(
      "; rebuild the filter with fpr >= {} for the declared {} members (SBBF bodies are powers of "
      "two, so a smaller fpr jumps straight to the next size)",
      rate, declared);
}

std::string TooLarge(const BloomMembers*, std::string_view blob) {
  return fmt::format(
      "bloom_match filter blob body is {} bytes, exceeding proxy.maxMembershipFilterSize ({}){}",
      blob.size() - BloomMembers::kHeaderBytes, kBodyMax, FitHint(blob));
}
std::string TooLarge(const RoaringMembers*, std::string_view blob) {
  return fmt::format(
      "roaring_match bitmap blob body is {} bytes, exceeding proxy.maxMembershipFilterSize ({}); a "
      "Roaring bitmap's size follows the value distribution, so a sparser member set costs more "
      "per "
      "member than a dense one",
      blob.size() - RoaringMembers::kHeaderBytes, kBodyMax);
}

/// How errors call a function and what it takes.
struct Named {
  std::string_view function;
  std::string_view argument;  ///< the template in the function's form
  std::string_view blob;
};
constexpr Named kBloom = {"bloom_match", "blob", "filter"};
constexpr Named kRoaring = {"roaring_match", "bitmap", "roaring bitmap"};

Status CheckCall(const Syntax& syntax, const Named& named) {
  if (syntax.children.size() == 2) return Status::Ok();
  return BindError(fmt::format("{0} requires exactly 2 arguments: {0}(field, {{{1}}}), got {2}",
                               named.function, named.argument, syntax.children.size()))
      .error();
}

Result<ColumnTerm> ColumnOf(Result<Term> bound, const Syntax& syntax, const Named& named) {
  if (!bound) return std::unexpected(bound.error());
  if (auto* column = std::get_if<ColumnTerm>(&*bound)) return std::move(*column);
  return BindError(fmt::format("the first argument of {} must be a scalar field name, got: {}",
                               named.function, CompactText(syntax.text)));
}

}  // namespace

template <class Members>
Result<std::shared_ptr<const Members>> Binder::MembersOf(const Syntax& blob) {
  constexpr bool kIsBloom = std::is_same_v<Members, BloomMembers>;
  constexpr const Named& kNamed = kIsBloom ? kBloom : kRoaring;
  if (blob.kind != SyntaxKind::kTemplate) {
    return BindError(fmt::format(
        "the second argument of {} must be a {{template}} placeholder carrying a client "
        "pre-built {} blob",
        kNamed.function, kNamed.blob));
  }
  const auto found = templates_.blobs.find(std::string(blob.name));
  if (found == templates_.blobs.end()) {
    ASSIGN_OR_RETURN(const Term other, BindTemplate(blob));  // or that there is none
    return BindError(
        fmt::format("the value of {} template variable {{{}}} must be a client pre-built {} blob "
                    "(bytes)",
                    kNamed.function, blob.name, kNamed.blob));
  }
  std::map<std::string_view, std::shared_ptr<const Members>>* read = nullptr;
  if constexpr (kIsBloom) {
    read = &blooms_;
  } else {
    read = &roarings_;
  }
  std::shared_ptr<const Members>& members = (*read)[found->first];
  if (members != nullptr) return members;
  if (found->second->size() > kBodyMax + Members::kHeaderBytes)
    return BindError(TooLarge(static_cast<const Members*>(nullptr), *found->second));
  auto opened = Members::Open(found->second);
  if (!opened) {
    return BindError(fmt::format("{} {} blob is invalid: {}", kNamed.function,
                                 kIsBloom ? "filter" : "bitmap", opened.error().message()));
  }
  members = std::move(*opened);
  return members;
}

Result<Term> Binder::BindBloomMatch(const Syntax& syntax) {
  RETURN_IF_ERROR(CheckCall(syntax, kBloom));
  const Syntax& field = syntax.children[0];
  ASSIGN_OR_RETURN(ColumnTerm term, ColumnOf(Bind(field), field, kBloom));
  const DataType type = term.column.type;
  const bool is_json = type == DataType::kJson;
  if (!is_json && !term.column.path.empty()) {
    return BindError(
        fmt::format("bloom_match does not support nested paths on non-JSON fields, got: {}",
                    CompactText(field.text)));
  }
  if (!is_json && !model::IsInteger(type) && type != DataType::kVarChar) {
    return BindError(
        fmt::format("bloom_match only supports INT8/INT16/INT32/INT64/VARCHAR fields and JSON "
                    "paths, but field ({}) is of type {}",
                    CompactText(field.text), model::DataTypeName(type)));
  }
  ASSIGN_OR_RETURN(auto members, MembersOf<BloomMembers>(syntax.children[1]));
  const auto domain = type == DataType::kVarChar ? BloomMembers::kTexts : BloomMembers::kInts;
  if (!is_json && members->domains() != 0 && !members->Takes(domain)) {
    return BindError(
        fmt::format("bloom_match filter blob was built from the {} value domain but field ({}) "
                    "requires the {} domain; rebuild the filter from values of the field's type",
                    domain == BloomMembers::kInts ? "utf8" : "int64", model::DataTypeName(type),
                    domain == BloomMembers::kInts ? "int64" : "utf8"));
  }
  return Term(Node{.form = BloomMatch{std::move(term.column), std::move(members)}});
}

Result<Term> Binder::BindRoaringMatch(const Syntax& syntax) {
  RETURN_IF_ERROR(CheckCall(syntax, kRoaring));
  const Syntax& field = syntax.children[0];
  ASSIGN_OR_RETURN(ColumnTerm term, ColumnOf(Bind(field), field, kRoaring));
  const DataType type = term.column.type;
  if (type == DataType::kJson || !term.column.path.empty()) {
    return BindError(
        fmt::format("roaring_match is not supported on JSON or dynamic fields, got: {}",
                    CompactText(field.text)));
  }
  if (!model::IsInteger(type)) {
    return BindError(
        fmt::format("roaring_match only supports INT8/INT16/INT32/INT64 fields, but field ({}) is "
                    "of type {}",
                    CompactText(field.text), model::DataTypeName(type)));
  }
  ASSIGN_OR_RETURN(auto members, MembersOf<RoaringMembers>(syntax.children[1]));
  return Term(Node{.form = RoaringMatch{std::move(term.column), std::move(members)}});
}

}  // namespace elanus::expr

#include "gateway/template_wire.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "gateway/json_text.h"

namespace elanus::gateway {
namespace {

// Arrays of arrays go this deep; a request that nests further is refused.
constexpr int kDepthMax = 8;

Status NotUtf8() { return InvalidParameter("a template value is not valid UTF-8"); }

template <class Append>
Status EachElement(WireReader array, Append&& append) {
  while (array.Next()) {
    if (array.field() != 1) {
      array.Skip();
      continue;
    }
    RETURN_IF_ERROR(append(array));
  }
  return Status::Ok();
}

// schema.TemplateArrayValue
Status ReadArray(WireReader in, int depth, std::vector<expr::Value>& out) {
  if (depth > kDepthMax) return InvalidParameter("a template value is nested too deeply");
  while (in.Next()) {
    const int slot = in.field();
    if (slot < 1 || slot > 6) {
      in.Skip();
      continue;
    }
    RETURN_IF_ERROR(EachElement(in.Message(), [&](WireReader& array) -> Status {
      switch (slot) {
        case 1: array.EachVarint([&](uint64_t v) { out.push_back({v != 0}); }); break;
        case 2:
          array.EachVarint([&](uint64_t v) { out.push_back({static_cast<int64_t>(v)}); });
          break;
        case 3: {
          std::string raw;
          array.AppendFixed(raw, WireReader::Type::kFixed64);
          for (size_t i = 0; i + sizeof(double) <= raw.size(); i += sizeof(double)) {
            double value = 0;
            std::memcpy(&value, raw.data() + i, sizeof(value));
            out.push_back({value});
          }
          break;
        }
        case 4: {
          std::string text = array.String();
          if (!IsUtf8(text)) return NotUtf8();
          out.push_back({std::move(text)});
          break;
        }
        case 5: {
          std::vector<expr::Value> inner;
          RETURN_IF_ERROR(ReadArray(array.Message(), depth + 1, inner));
          out.push_back({std::move(inner)});
          break;
        }
        default: {
          ASSIGN_OR_RETURN(auto value, JsonToValue(array.String()));
          out.push_back(std::move(value));
        }
      }
      return Status::Ok();
    }));
  }
  return Status::Ok();
}

/// A value, or bytes that are none to compare with.
struct Given {
  expr::Value value;
  std::shared_ptr<const std::string> blob;
};

// schema.TemplateValue
Result<Given> ReadValue(WireReader in) {
  Given given;
  while (in.Next()) {
    if (in.field() >= 1 && in.field() <= 6) given = {};
    switch (in.field()) {
      case 1: given.value.data = in.Bool(); break;
      case 2: given.value.data = in.Int(); break;
      case 3: given.value.data = in.Double(); break;
      case 4: {
        std::string text = in.String();
        if (!IsUtf8(text)) return Error(NotUtf8());
        given.value.data = std::move(text);
        break;
      }
      case 5: {
        std::vector<expr::Value> elements;
        RETURN_IF_ERROR(ReadArray(in.Message(), 0, elements));
        given.value.data = std::move(elements);
        break;
      }
      case 6: given.blob = std::make_shared<const std::string>(in.String()); break;
      default: in.Skip();
    }
  }
  return given;
}

}  // namespace

Status ReadTemplate(WireReader entry, expr::Templates& templates) {
  std::string name;
  Given given;
  while (entry.Next()) {
    switch (entry.field()) {
      case 1: name = entry.String(); break;
      case 2: {
        ASSIGN_OR_RETURN(given, ReadValue(entry.Message()));
        break;
      }
      default: entry.Skip();
    }
  }
  templates.blobs.erase(name);
  templates.values.erase(name);
  if (given.blob != nullptr) {
    templates.blobs.emplace(std::move(name), std::move(given.blob));
  } else {
    templates.values.emplace(std::move(name), std::move(given.value));
  }
  return Status::Ok();
}

}  // namespace elanus::gateway

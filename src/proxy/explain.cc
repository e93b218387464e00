#include "proxy/explain.h"

#include <cmath>

#include "base/json_writer.h"
#include "expr/text.h"

namespace elanus::proxy {

bool AsksForPlan(const std::vector<std::string>& output_fields) {
  return output_fields.size() == 1 && output_fields.front() == kExplainColumn;
}

service::OutputColumn PlanColumn(const model::CollectionSchema& schema,
                                 const expr::BoundFilter& filter,
                                 const std::vector<std::string>& shards, double us) {
  JsonWriter json;
  json.BeginObject().Key("filter");
  if (filter.root == nullptr) {
    json.Null();
  } else {
    json.Text(expr::TextOf(*filter.root, schema));
  }
  json.Key("us").Real(std::round(us * 10) / 10).Key("shards").BeginArray();
  for (const std::string& shard : shards) json.Raw(shard);
  json.EndArray().EndObject();
  service::OutputColumn column{.name = std::string(kExplainColumn),
                               .column = model::MakeColumn(FieldId{}, model::DataType::kJson)};
  column.column.AppendValue(json.Take());
  return column;
}

}  // namespace elanus::proxy

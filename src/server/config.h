// The server's knobs: each is declared once, in the table of config.cc: name, default, bounds,
// unit, one sentence. docs/ops/config.md is printed from that table. Only this room reads files and
// the environment.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace elanus {

struct Knob {
  std::string_view name;
  int64_t fallback;
  int64_t min;
  int64_t max;
  std::string_view unit;
  std::string_view what;
};

const std::vector<Knob>& Knobs();

class Config {
 public:
  /// Every knob at its default.
  Config();
  /// Reads a YAML file: nested or dotted keys. Unknown keys are warnings naming the nearest knob.
  /// Errors: kInvalidParameter with file, line and what was expected.
  static Result<Config> FromFile(const std::string& path);
  static Result<Config> FromYaml(const std::string& text, std::string_view source);

  /// \pre a knob of this name exists
  int64_t Number(std::string_view knob) const;
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  std::map<std::string, int64_t, std::less<>> values_;
  std::vector<std::string> warnings_;
};

/// The table as a Markdown page.
std::string ConfigPage();

}  // namespace elanus

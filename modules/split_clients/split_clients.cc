// The split_clients module: a variable that has one of several values, each for a share of the clients.
#include "murmur.h"
#include "seawall/base/text.h"
#include "seawall/config/placed.h"
#include "seawall/module/module.h"
#include "seawall/server/written_variables.h"

namespace seawall::split_clients {
namespace {

class Part {
 public:
  std::uint32_t percent = 0;  // in hundredths; 0: all that is left
  std::uint32_t below = 0;    // hashes up to here, those of the parts before included
  std::string value;
};

class Split {
 public:
  std::string name;  // of the variable
  Template source;
  std::vector<Part> parts;
};

class Conf {
 public:
  std::vector<std::unique_ptr<Split>> splits;
};

constexpr std::uint32_t kAll = 10'000;

bool get(Exchange& x, std::string_view, const void* data, std::string& out) {
  const Split& split = *static_cast<const Split*>(data);
  if (const std::string* written = find_written(x, split.name)) return out += *written, true;
  const std::uint32_t hash = murmur2(split.source.eval(x));
  for (const Part& part : split.parts) {
    if (hash >= part.below && part.percent) continue;
    out += part.value;
    break;
  }
  return true;
}

// "12.5%" in hundredths; nothing for what is no share.
std::optional<std::uint32_t> percent_of(std::string_view word) {
  if (!word.ends_with('%')) return std::nullopt;
  word.remove_suffix(1);
  const std::size_t dot = std::min(word.find('.'), word.size());
  std::string digits(word.substr(0, dot));
  std::string_view fraction = word.substr(std::min(dot + 1, word.size()));
  if (digits.empty() || fraction.size() > 2 || (dot + 1 == word.size())) return std::nullopt;
  digits.append(fraction).append(2 - fraction.size(), '0');
  const auto value = parse_decimal(digits);
  if (!value || *value == 0 || *value > kAll) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

Part part_of(const Node& row) {
  if (row.is_block || row.args.size() != 1) throw ConfigError("invalid number of the split_clients parameters");
  Part part;
  part.value = row.args[0];
  if (row.name == "*") return part;
  const auto percent = percent_of(row.name);
  if (!percent) throw ConfigError("invalid percent value \"" + row.name + "\"");
  part.percent = *percent;
  return part;
}

void share_out(std::vector<Part>& parts) {
  std::uint32_t sum = 0, last = 0;
  for (Part& part : parts) {
    sum = part.percent ? sum + part.percent : kAll;
    if (sum > kAll) throw ConfigError("percent total is greater than 100%");
    if (sum == kAll) part.percent = 0;
    last += static_cast<std::uint32_t>(part.percent * std::uint64_t{0xffffffff} / kAll);
    part.below = last;
  }
}

// split_clients TEXT $variable { 0.5% VALUE; * VALUE; }
void open_split(Conf& conf, const Invocation& in) {
  const std::string& word = in.arg(1);
  if (word.size() < 2 || word[0] != '$') throw ConfigError("invalid variable name \"" + word + "\"");
  auto split = std::make_unique<Split>();
  split->source = in.compile(in.arg(0));
  for (const Node& row : in.node.children) placed(row.place, [&] { split->parts.push_back(part_of(row)); });
  share_out(split->parts);
  Variable variable;
  variable.name = split->name = lower(word.substr(1));
  variable.get = get;
  variable.data = split.get();
  in.binder.variables().define_changeable(std::move(variable));
  conf.splits.push_back(std::move(split));
}

const Directive rows[] = {
    block<Conf>("split_clients", kHttp, 2, 2, open_split,
                "A variable that has each of several values for a share of the texts (addresses, cookies); nginx's shares and hash."),
};

class SplitClients {
 public:
  using Conf = split_clients::Conf;
  static constexpr const char* name = "split_clients";
  static constexpr const char* summary = "shares of clients, for tests and gradual changes";
  static constexpr std::span<const Directive> directives{rows};
};

}  // namespace
}  // namespace seawall::split_clients

using seawall::split_clients::SplitClients;
SEAWALL_MODULE(SplitClients)

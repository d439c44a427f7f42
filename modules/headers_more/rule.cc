#include "rule.h"

#include <algorithm>

#include "seawall/base/text.h"

namespace seawall::headers_more {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// Fields that say where a message ends or what becomes of the connection are the protocol's own.
bool frames(FieldId id) {
  switch (id) {
    case FieldId::content_length: case FieldId::transfer_encoding: case FieldId::connection: case FieldId::keep_alive:
    case FieldId::upgrade: case FieldId::te: case FieldId::trailer: return true;
    default: return false;
  }
}

}  // namespace

Rule::Rule(const Invocation& in, Kind kind, Of of) {
  of_response_ = of == Of::response;
  std::size_t i = take_options(in, of);
  if (i == in.args().size()) throw ConfigError("\"" + in.node.name + "\" directive names no field");
  for (; i < in.args().size(); ++i) add(in, in.arg(i), kind);
}

std::size_t Rule::take_options(const Invocation& in, Of of) {
  std::size_t i = 0;
  for (; i < in.args().size() && in.arg(i).starts_with('-'); ++i) {
    const std::string& option = in.arg(i);
    const bool has_value = i + 1 < in.args().size();
    if (option == "-a" && of == Of::response) append_ = true;
    else if (option == "-r" && of == Of::request) only_present_ = true;
    else if (option == "-t" && has_value) types_ = words_of(in.arg(++i));
    else if (option == "-s" && has_value && of == Of::response) {
      for (const std::string& word : words_of(in.arg(++i))) {
        const auto status = parse_decimal(word);
        if (!status || *status > 999) throw ConfigError("invalid status \"" + word + "\"");
        statuses_.push_back(static_cast<int>(*status));
      }
    } else {
      throw ConfigError("invalid option name: \"" + option + "\"");
    }
  }
  return i;
}

void Rule::add(const Invocation& in, const std::string& word, Kind kind) {
  Item item;
  const auto colon = std::min(word.find(':'), word.size());
  item.name = trim(std::string_view(word).substr(0, colon));
  item.starts = kind == Kind::clear && item.name.ends_with('*');
  if (item.starts) item.name.pop_back();
  item.id = field_id(item.name);
  if (item.name.empty() && !item.starts) throw ConfigError("invalid field \"" + word + "\"");
  if (frames(item.id)) throw ConfigError("the field \"" + item.name + "\" belongs to the protocol");
  const std::string_view value = trim(std::string_view(word).substr(std::min(colon + 1, word.size())));
  if (kind == Kind::set && !value.empty()) {
    item.value = in.compile(value);
    item.clears = false;
  }
  items_.push_back(std::move(item));
}

bool Rule::applies(std::string_view content_type, int status) const {
  if (!statuses_.empty() && std::find(statuses_.begin(), statuses_.end(), status) == statuses_.end()) return false;
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  return types_.empty() || std::any_of(types_.begin(), types_.end(), [&](auto& t) { return equals_ignoring_case(t, type); });
}

void Rule::clear(const Item& item, Headers& headers) const {
  if (!item.starts) return headers.remove(item.name);
  std::vector<std::string> names;
  for (const Field& field : headers.all())
    if (field.name.size() >= item.name.size() && equals_ignoring_case(field.name.substr(0, item.name.size()), item.name))
      if (!frames(field.id)) names.emplace_back(field.name);
  for (const std::string& name : names) headers.remove(name);
}

void Rule::apply(Exchange& x, Headers& headers) const {
  for (const Item& item : items_) {
    if (only_present_ && !headers.find(item.name)) continue;
    const std::string value = item.clears ? std::string() : item.value.eval(x);
    if (value.empty()) clear(item, headers);
    else if (append_) headers.add(item.name, value);
    else headers.set(item.name, value);
    // Without a value the server writes none of its own either.
    if (!of_response_ || !value.empty()) continue;
    if (item.id == FieldId::server) headers.add_view("Server", "", FieldId::server);
    if (item.id == FieldId::date) headers.add_view("Date", "", FieldId::date);
  }
}

}  // namespace seawall::headers_more

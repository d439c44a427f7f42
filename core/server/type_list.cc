#include "seawall/server/type_list.h"

#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/http/message.h"

namespace seawall {

TypeList::TypeList(std::initializer_list<const char*> otherwise) : types_(otherwise.begin(), otherwise.end()) {}

void TypeList::add(const Invocation& in) {
  if (!written_) types_.resize(1);
  written_ = true;
  for (const std::string& word : in.args()) {
    if (word == "*") any_ = true;
    if (any_) return;
    std::string type = lower(word);
    if (std::find(types_.begin(), types_.end(), type) == types_.end()) types_.push_back(std::move(type));
    else in.warn("duplicate MIME type \"" + word + "\"");
  }
}

bool TypeList::has(const Response& response) const {
  if (any_) return true;
  const std::string_view field = response.headers.get(FieldId::content_type);
  const std::string_view type = trim(field.substr(0, field.find(';')));
  if (type.empty()) return false;
  return std::any_of(types_.begin(), types_.end(), [&](const std::string& t) { return equals_ignoring_case(t, type); });
}

std::string TypeList::text() const {
  std::string all;
  for (const std::string& type : types_) all.append(all.empty() ? "" : " ").append(type);
  return all;
}

}  // namespace seawall

#include "seawall/http/hold_text.h"

#include <cstring>
#include <functional>
#include <utility>

namespace seawall {

void hold_text_alone(RequestHead& head) {
  const std::string_view line = head.request_line;
  const auto is_of_line = [line](std::string_view text) {
    const std::less_equal<> before;
    return before(line.data(), text.data()) && before(text.data() + text.size(), line.data() + line.size());
  };
  std::size_t size = line.size() + head.host.size() + head.authority.size() + head.method_name.size() + head.target.size() +
                     head.raw_path.size() + head.args.size() + head.tunnel.size();
  for (const Field& field : head.headers.all()) size += field.name.size() + field.value.size();
  Headers copies;
  copies.reserve(head.headers.all().size());
  char* at = copies.arena().allocate(size);
  const auto copy = [&at](std::string_view text) {
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    return std::string_view(std::exchange(at, at + text.size()), text.size());
  };
  const std::string_view copied_line = copy(line);
  std::string_view* const views[] = {&head.method_name, &head.target, &head.raw_path, &head.args, &head.authority, &head.host, &head.tunnel};
  for (std::string_view* view : views) {
    if (!is_of_line(*view)) *view = copy(*view);
    else *view = copied_line.substr(static_cast<std::size_t>(view->data() - line.data()), view->size());
  }
  head.request_line = copied_line;
  for (const Field& field : head.headers.all()) {
    const std::string_view name = copy(field.name);
    copies.add_view(name, copy(field.value), field.id);
  }
  head.headers = std::move(copies);
  head.storage = {};
}

}  // namespace seawall

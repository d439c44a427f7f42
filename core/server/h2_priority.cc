#include "seawall/server/h2_priority.h"

#include <nghttp2/nghttp2.h>

#include "seawall/base/text.h"

namespace seawall {

H2Priority::H2Priority(std::string_view field) {
  while (const auto parameter = next_list_element(field)) read(*parameter);
}

void H2Priority::read(std::string_view parameter) {
  if (parameter.size() == 3 && parameter.starts_with("u=") && parameter[2] >= '0' && parameter[2] <= '7') {
    urgency_ = static_cast<std::uint32_t>(parameter[2] - '0');
  } else if (parameter == "i" || parameter == "i=?1") {
    incremental_ = true;
  } else if (parameter == "i=?0") {
    incremental_ = false;
  } else {
    return;
  }
  said_ = true;
}

void set_priority(nghttp2_session* session, std::int32_t stream, const H2Priority& priority, bool extensible) {
  if (!extensible) {
    nghttp2_priority_spec tree{};
    nghttp2_priority_spec_init(&tree, 0, NGHTTP2_MAX_WEIGHT >> priority.urgency(), 0);
    nghttp2_session_change_stream_priority(session, stream, &tree);
    return;
  }
  nghttp2_extpri value{};
  value.urgency = priority.urgency();
  value.inc = priority.incremental() ? 1 : 0;
  nghttp2_session_change_extpri_stream_priority(session, stream, &value, 0);
}

}  // namespace seawall

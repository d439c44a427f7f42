#include "seawall/server/open_place.h"

namespace seawall {

List<OpenPlace>& open_places() {
  thread_local List<OpenPlace> all;
  return all;
}

OpenPlace::OpenPlace(const Connection& connection) : connection(connection) { open_places().push_back(*this); }

}  // namespace seawall

// Dict: a lua_shared_dict: values by key in a shared zone, the one unused for longest first to go. All calls on any thread; each
// holds the zone's lock for itself.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "seawall/base/zone_index.h"
#include "seawall/config/zones.h"

namespace seawall::lua {

// A value out of a dictionary, or for one.
class DictValue {
 public:
  enum Type : int { nil = 0, boolean = 1, number = 3, string = 4, list = 5 };
  Type type = nil;
  double as_number = 0;      // of a boolean 0 or 1
  std::string_view text;     // of a string
};

enum class DictResult : int { ok = 0, exists = 1, not_found = 2, no_memory = 3, not_number = 4, not_list = 5 };

class Dict {
 public:
  // `now`: ms, of the clock that all generations share.
  Dict(const Zone& zone, std::int64_t now) : zone_(zone), now_(now) {}

  // The text of a string goes into `text`. `stale`: also a value whose time is over; `was_stale` says so.
  DictValue get(std::string_view key, std::string& text, std::uint32_t& flags, bool stale, bool& was_stale);
  enum class How : int { set = 0, add = 1, replace = 2 };
  // `lives` ms, 0: for ever. `safe`: nothing that lives goes for it. `forcible`: something did.
  DictResult put(std::string_view key, const DictValue& value, std::int64_t lives, std::uint32_t flags, How how, bool safe, bool& forcible);
  DictResult remove(std::string_view key);
  // `init`: what a missing one begins with; null: it must be there.
  DictResult add_to(std::string_view key, double delta, const double* init, std::int64_t lives, double& result, bool& forcible);

  DictResult push(std::string_view key, const DictValue& value, bool left, std::uint32_t& length);
  DictResult pop(std::string_view key, bool left, DictValue& value, std::string& text);
  DictResult length(std::string_view key, std::uint32_t& length);

  // ms left; 0: for ever.
  DictResult time_left(std::string_view key, std::int64_t& left);
  DictResult set_life(std::string_view key, std::int64_t lives);
  void expire_all();
  int remove_expired(int most);  // 0: all
  // Those that live, the oldest first, each behind its length (4 bytes). `most` 0: all.
  int keys(int most, std::string& out);
  std::size_t capacity() const { return zone_.memory().size(); }
  std::size_t free_space();

 private:
  struct Node {
    std::int64_t expires;     // ms; 0: never
    double number;
    ZoneRef data;             // of a string; of a list its first item
    ZoneRef last;             // of a list
    std::uint32_t size;       // of a string; of a list how many
    std::uint32_t flags;
    std::uint32_t type;
    std::uint32_t unused;
  };
  struct Item;                // of a list
  using Index = ZoneIndex<Node>;
  SharedZone& memory() { return zone_.memory(); }
  bool is_over(const Node& node) const { return node.expires != 0 && node.expires <= now_; }
  Node* find_live(Index& index, std::string_view key);
  void clear(Node& node);
  void drop(Index& index, Node* node);
  bool make_room(Index& index, const Node* but, bool safe, bool& forcible);
  Node* add_node(Index& index, std::string_view key, bool safe, bool& forcible);
  bool fill(Index& index, Node& node, const DictValue& value, bool safe, bool& forcible);
  const Zone& zone_;
  const std::int64_t now_;
};

}  // namespace seawall::lua

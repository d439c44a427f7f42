#include "dict.h"

namespace seawall::lua {

struct Dict::Item {
  ZoneRef next, previous;
  std::uint32_t type, size;
  double number;
  char* bytes() { return reinterpret_cast<char*>(this + 1); }
};

Dict::Node* Dict::find_live(Index& index, std::string_view key) {
  Node* const node = index.find(key);
  return node && !is_over(*node) ? node : nullptr;
}

void Dict::clear(Node& node) {
  if (node.type == DictValue::string && node.data) memory().free(node.data);
  if (node.type == DictValue::list) {
    for (ZoneRef at = node.data; at;) {
      const ZoneRef next = memory().at<Item>(at)->next;
      memory().free(at);
      at = next;
    }
  }
  node.data = node.last = 0;
  node.size = 0;
  node.type = DictValue::nil;
}

void Dict::drop(Index& index, Node* node) {
  clear(*node);
  index.remove(node);
}

// One less, the oldest; but never the one that room is made for. What lives goes only when it may.
bool Dict::make_room(Index& index, const Node* but, bool safe, bool& forcible) {
  Node* oldest = index.oldest();
  if (oldest && oldest == but) {
    if (index.size() == 1) return false;
    index.touch(oldest);
    oldest = index.oldest();
  }
  if (!oldest) return false;
  const bool lives = !is_over(*oldest);
  if (lives && safe) return false;
  forcible |= lives;
  drop(index, oldest);
  return true;
}

Dict::Node* Dict::add_node(Index& index, std::string_view key, bool safe, bool& forcible) {
  for (;;) {
    if (Node* node = index.add(key)) return node;
    if (!make_room(index, nullptr, safe, forcible)) return nullptr;
  }
}

// A failure leaves it empty.
bool Dict::fill(Index& index, Node& node, const DictValue& value, bool safe, bool& forcible) {
  clear(node);
  if (value.type == DictValue::string) {
    ZoneRef data = 0;
    // As nginx: no more than some go for one.
    for (int tries = 0; !(data = memory().allocate(value.text.size() + 1)); ++tries)
      if (tries == 30 || !make_room(index, &node, safe, forcible)) return false;
    node.data = data;
    node.size = static_cast<std::uint32_t>(value.text.size());
    value.text.copy(memory().at<char>(data), value.text.size());
  }
  node.number = value.as_number;
  node.type = value.type;
  return true;
}

DictValue Dict::get(std::string_view key, std::string& text, std::uint32_t& flags, bool stale, bool& was_stale) {
  const Zone::Lock lock(zone_);
  Index index(memory());
  DictValue value;
  const Node* const node = index.find(key);
  if (!node) return value;
  was_stale = is_over(*node);
  if (was_stale && !stale) return value;
  value.type = static_cast<DictValue::Type>(node->type);
  value.as_number = node->number;
  flags = node->flags;
  if (value.type == DictValue::string) {
    text.assign(memory().at<char>(node->data), node->size);
    value.text = text;
  }
  return value;
}

DictResult Dict::put(std::string_view key, const DictValue& value, std::int64_t lives, std::uint32_t flags, How how, bool safe, bool& forcible) {
  const Zone::Lock lock(zone_);
  Index index(memory());
  Node* node = index.find(key);
  const bool there = node && !is_over(*node);
  if (how == How::add && there) return DictResult::exists;
  if (how == How::replace && !there) return DictResult::not_found;
  if (!node) node = add_node(index, key, safe, forcible);
  if (!node) return DictResult::no_memory;
  if (!fill(index, *node, value, safe, forcible)) {
    index.remove(node);
    return DictResult::no_memory;
  }
  node->flags = flags;
  node->expires = lives > 0 ? now_ + lives : 0;
  return DictResult::ok;
}

DictResult Dict::remove(std::string_view key) {
  const Zone::Lock lock(zone_);
  Index index(memory());
  if (Node* const node = index.find(key)) drop(index, node);
  return DictResult::ok;
}

DictResult Dict::add_to(std::string_view key, double delta, const double* init, std::int64_t lives, double& result, bool& forcible) {
  const Zone::Lock lock(zone_);
  Index index(memory());
  Node* node = index.find(key);
  const bool there = node && !is_over(*node);
  if (!there && !init) return DictResult::not_found;
  if (there && node->type != DictValue::number) return DictResult::not_number;
  if (!node) node = add_node(index, key, false, forcible);
  if (!node) return DictResult::no_memory;
  if (!there) {
    clear(*node);
    node->type = DictValue::number;
    node->number = *init;
    node->flags = 0;
    node->expires = lives > 0 ? now_ + lives : 0;
  }
  result = node->number += delta;
  return DictResult::ok;
}

DictResult Dict::push(std::string_view key, const DictValue& value, bool left, std::uint32_t& length) {
  const Zone::Lock lock(zone_);
  Index index(memory());
  Node* node = index.find(key);
  bool forcible = false;
  const bool there = node && !is_over(*node);
  if (there && node->type != DictValue::list) return DictResult::not_list;
  if (!node) node = add_node(index, key, false, forcible);
  if (!node) return DictResult::no_memory;
  if (!there) {
    clear(*node);
    node->type = DictValue::list;
    node->flags = 0;
    node->expires = 0;
  }
  ZoneRef ref = 0;
  for (int tries = 0; !(ref = memory().allocate(sizeof(Item) + value.text.size())); ++tries)
    if (tries == 30 || !make_room(index, node, false, forcible)) break;
  if (!ref) {
    if (node->size == 0) drop(index, node);
    return DictResult::no_memory;
  }
  Item& item = *memory().at<Item>(ref);
  item.type = value.type;
  item.number = value.as_number;
  item.size = static_cast<std::uint32_t>(value.text.size());
  value.text.copy(item.bytes(), value.text.size());
  item.next = left ? node->data : 0;
  item.previous = left ? 0 : node->last;
  if (item.next) memory().at<Item>(item.next)->previous = ref;
  if (item.previous) memory().at<Item>(item.previous)->next = ref;
  if (left || !node->data) node->data = ref;
  if (!left || !node->last) node->last = ref;
  length = ++node->size;
  return DictResult::ok;
}

DictResult Dict::pop(std::string_view key, bool left, DictValue& value, std::string& text) {
  const Zone::Lock lock(zone_);
  Index index(memory());
  Node* const node = find_live(index, key);
  if (!node) return DictResult::not_found;
  if (node->type != DictValue::list) return DictResult::not_list;
  const ZoneRef ref = left ? node->data : node->last;
  Item& item = *memory().at<Item>(ref);
  value.type = static_cast<DictValue::Type>(item.type);
  value.as_number = item.number;
  text.assign(item.bytes(), item.size);
  value.text = text;
  (left ? node->data : node->last) = left ? item.next : item.previous;
  if (item.next) memory().at<Item>(item.next)->previous = item.previous;
  if (item.previous) memory().at<Item>(item.previous)->next = item.next;
  memory().free(ref);
  if (--node->size == 0) {
    node->data = node->last = 0;
    drop(index, node);
  }
  return DictResult::ok;
}

DictResult Dict::length(std::string_view key, std::uint32_t& length) {
  const Zone::Lock lock(zone_);
  Index index(memory());
  length = 0;
  const Node* const node = find_live(index, key);
  if (!node) return DictResult::ok;
  if (node->type != DictValue::list) return DictResult::not_list;
  length = node->size;
  return DictResult::ok;
}

DictResult Dict::time_left(std::string_view key, std::int64_t& left) {
  const Zone::Lock lock(zone_);
  Index index(memory());
  const Node* const node = index.find(key);
  if (!node) return DictResult::not_found;
  left = node->expires ? node->expires - now_ : 0;
  return DictResult::ok;
}

DictResult Dict::set_life(std::string_view key, std::int64_t lives) {
  const Zone::Lock lock(zone_);
  Index index(memory());
  Node* const node = find_live(index, key);
  if (!node) return DictResult::not_found;
  node->expires = lives > 0 ? now_ + lives : 0;
  return DictResult::ok;
}

// Each in turn becomes the newest: after a whole turn all stand as they stood.
void Dict::expire_all() {
  const Zone::Lock lock(zone_);
  Index index(memory());
  for (std::size_t left = index.size(); left > 0; --left) {
    Node* const node = index.oldest();
    node->expires = 1;
    index.touch(node);
  }
}

int Dict::remove_expired(int most) {
  const Zone::Lock lock(zone_);
  Index index(memory());
  int removed = 0;
  for (std::size_t left = index.size(); left > 0; --left) {
    Node* const node = index.oldest();
    if (is_over(*node) && (most <= 0 || removed < most)) {
      drop(index, node);
      ++removed;
    } else {
      index.touch(node);
    }
  }
  return removed;
}

int Dict::keys(int most, std::string& out) {
  const Zone::Lock lock(zone_);
  Index index(memory());
  int count = 0;
  for (std::size_t left = index.size(); left > 0; --left) {
    Node* const node = index.oldest();
    if (!is_over(*node) && (most <= 0 || count < most)) {
      const std::string_view key = index.key_of(node);
      const auto size = static_cast<std::uint32_t>(key.size());
      out.append(reinterpret_cast<const char*>(&size), sizeof size).append(key);
      ++count;
    }
    index.touch(node);
  }
  return count;
}

std::size_t Dict::free_space() {
  const Zone::Lock lock(zone_);
  return memory().free_pages() * 4096;
}

}  // namespace seawall::lua

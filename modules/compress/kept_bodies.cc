#include "kept_bodies.h"

#include <algorithm>

namespace seawall::compress {

const Slice* KeptBodies::find(const Key& key) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == key; });
  if (found == entries_.end()) return nullptr;
  found->asked = ++clock_;
  return &found->body;
}

void KeptBodies::add(const Key& key, const Slice& body) {
  make_room(body.size());
  Entry entry;
  entry.key = key;
  entry.body = Slice::copy(body.view());
  entry.asked = ++clock_;
  bytes_ += body.size();
  entries_.push_back(std::move(entry));
}

void KeptBodies::make_room(std::size_t size) {
  while (!entries_.empty() && (bytes_ + size > kMostBytes || entries_.size() == kMost)) {
    const auto oldest = std::min_element(entries_.begin(), entries_.end(), [](auto& a, auto& b) { return a.asked < b.asked; });
    bytes_ -= oldest->body.size();
    *oldest = std::move(entries_.back());
    entries_.pop_back();
  }
}

}  // namespace seawall::compress

// Setting<T>: a value that knows whether this block wrote it, and where. Unset ones take the outer block's, and at last
// the default: nginx's merge rule, for lists too (whole or not at all). Written at start-up, read by every loop.
#pragma once
#include <utility>

#include "seawall/config/tree.h"

namespace seawall {

template <class T>
class Setting {
 public:
  Setting(T otherwise = {}) : value_(std::move(otherwise)) {}  // NOLINT(implicit)
  const T& operator*() const { return value_; }
  const T* operator->() const { return &value_; }
  T& edit() { return value_; }  // for list directives that add to what this block has already
  bool is_set() const { return state_ == State::here; }       // written in this very block
  bool is_default() const { return state_ == State::unset; }  // written nowhere
  const Place& place() const { return place_; }               // where it was written, also when inherited
  void set(T value, const Place& place) {
    value_ = std::move(value);
    place_ = place;
    state_ = State::here;
  }
  void mark_set(const Place& place) {
    place_ = place;
    state_ = State::here;
  }
  void inherit(const Setting& outer) {
    if (state_ != State::unset || outer.state_ == State::unset) return;
    *this = outer;
    state_ = State::inherited;
  }

 private:
  enum class State : unsigned char { unset, inherited, here };
  T value_;
  Place place_;
  State state_ = State::unset;
};

}  // namespace seawall

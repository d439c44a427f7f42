// An intrusive doubly linked list: membership costs no allocation and a node leaves its list in one step, which is what
// suspended waits, timers' owners and idle connections need. One thread.
#pragma once
#include <cstddef>

#include "seawall/base/check.h"

namespace seawall {

class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { unlink(); }

  bool linked() const { return next_ != nullptr; }
  void unlink() {
    if (!next_) return;
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = nullptr;
  }

 private:
  template <class T>
  friend class List;
  ListNode* prev_ = nullptr;
  ListNode* next_ = nullptr;
};

// T derives from ListNode. The list owns nothing.
template <class T>
class List {
 public:
  List() { head_.prev_ = head_.next_ = &head_; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() { CHECK(empty()); head_.prev_ = head_.next_ = nullptr; }

  bool empty() const { return head_.next_ == &head_; }
  T* front() { return empty() ? nullptr : static_cast<T*>(head_.next_); }
  void push_back(T& item) {
    ListNode& node = item;
    CHECK(!node.linked());
    node.prev_ = head_.prev_;
    node.next_ = &head_;
    head_.prev_->next_ = &node;
    head_.prev_ = &node;
  }
  void push_front(T& item) {
    ListNode& node = item;
    CHECK(!node.linked());
    node.next_ = head_.next_;
    node.prev_ = &head_;
    head_.next_->prev_ = &node;
    head_.next_ = &node;
  }
  // Before one that is in the list; null: at the end.
  void insert(T* before, T& item) {
    if (!before) return push_back(item);
    ListNode& node = item;
    ListNode& next = *before;
    CHECK(!node.linked());
    node.prev_ = next.prev_;
    node.next_ = &next;
    next.prev_->next_ = &node;
    next.prev_ = &node;
  }
  T* back() { return empty() ? nullptr : static_cast<T*>(head_.prev_); }
  T* pop_front() {
    T* item = front();
    if (item) static_cast<ListNode*>(item)->unlink();
    return item;
  }
  T* next(T& item) {
    ListNode* node = static_cast<ListNode&>(item).next_;
    return node == &head_ ? nullptr : static_cast<T*>(node);
  }
  std::size_t count() const {
    std::size_t n = 0;
    for (const ListNode* node = head_.next_; node != &head_; node = node->next_) ++n;
    return n;
  }

 private:
  ListNode head_;
};

}  // namespace seawall

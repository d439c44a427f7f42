// The forms a listing has: a page, JSON, XML. What is between the entries is nginx's to the byte: scripts read it. Any loop.
#pragma once
#include <string>
#include <string_view>

#include "folder.h"

namespace seawall::autoindex {

class PageStyle {
 public:
  bool exact_size = true;
  bool local_time = false;
};

std::string html_of(const Entries& entries, std::string_view uri, PageStyle style);
std::string json_of(const Entries& entries);
std::string xml_of(const Entries& entries);

}  // namespace seawall::autoindex

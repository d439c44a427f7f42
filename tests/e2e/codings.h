// Content codings as a client undoes them.
#pragma once
#include <string>
#include <string_view>

namespace test {

// What can be read of it so far; "!" and the reason when it is not of that coding.
std::string ungzip(std::string_view bytes);
std::string ungzip_whole(std::string_view bytes);  // std::runtime_error: it is not, or not all of it
std::string gzipped(std::string_view text);

}  // namespace test

#include "e2e/fastcgi_peer.h"

namespace test {
namespace {

std::size_t byte(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text.at(at)); }

std::size_t take_length(std::string_view& text) {
  std::size_t n = byte(text, 0);
  std::size_t used = 1;
  if (n > 127) {
    n = (n & 127) << 24 | byte(text, 1) << 16 | byte(text, 2) << 8 | byte(text, 3);
    used = 4;
  }
  text.remove_prefix(used);
  return n;
}

std::map<std::string, std::string> decode(std::string_view text) {
  std::map<std::string, std::string> params;
  while (!text.empty()) {
    const std::size_t name = take_length(text), value = take_length(text);
    params[std::string(text.substr(0, name))] = text.substr(name, value);
    text.remove_prefix(name + value);
  }
  return params;
}

}  // namespace

FastCgiRequest read_fastcgi(RawClient& c) {
  FastCgiRequest request;
  std::string params;
  for (;;) {
    const std::string header = c.read(8);
    const std::size_t type = byte(header, 1), size = byte(header, 4) << 8 | byte(header, 5), padding = byte(header, 6);
    const std::string content = size ? c.read(size) : std::string();
    if (padding) c.read(padding);
    if (type == 1) request.flags = static_cast<int>(byte(content, 2));
    if (type == 4) params += content;
    if (type != 5) continue;
    if (size == 0) break;
    request.body += content;
    ++request.records_of_body;
  }
  request.params = decode(params);
  return request;
}

std::string fastcgi_record(int type, std::string_view content, std::size_t padding) {
  std::string record{1, static_cast<char>(type), 0, 1, static_cast<char>(content.size() >> 8), static_cast<char>(content.size() & 255),
                     static_cast<char>(padding), 0};
  return record.append(content).append(padding, 'p');
}

std::string fastcgi_response(std::string_view text) {
  std::string all;
  for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(text.size(), 65535))) all += fastcgi_record(6, text.substr(0, 65535), 3);
  return all + fastcgi_record(6, "") + fastcgi_record(3, std::string(8, '\0'));
}

}  // namespace test

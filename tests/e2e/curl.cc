// See curl.h.
#include "e2e/curl.h"

#include <curl/curl.h>

#include <algorithm>
#include <stdexcept>

#include "e2e/agreement.h"

namespace test {
namespace {

class List {
 public:
  explicit List(const std::vector<std::string>& lines) {
    for (const auto& line : lines) list_ = curl_slist_append(list_, line.c_str());
  }
  ~List() { curl_slist_free_all(list_); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

std::size_t collect(char* data, std::size_t, std::size_t size, void* text) {
  static_cast<std::string*>(text)->append(data, size);
  return size;
}

// Of all heads that came (100 Continue), the last.
std::string last_head(const std::string& heads) {
  const auto begin = heads.rfind("HTTP/", heads.size());
  return begin == std::string::npos ? heads : heads.substr(begin);
}

long version_of(const Request& request) {
  if (!request.http2) return CURL_HTTP_VERSION_1_1;
  return request.url.starts_with("https") ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
}

// With what explain says about it: of the plain requests.
void compare(const Request& request, const Response& response) {
  const bool tls = request.url.starts_with("https://");
  const auto host = request.url.find("://") + 3, slash = std::min(request.url.find_first_of("/?", host), request.url.size());
  const auto colon = request.url.find(':', host);
  if (request.body || request.http2 || !request.unix_socket.empty() || !request.resolve.empty() || colon >= slash) return;
  std::vector<std::string> headers{"Accept: */*"};
  // To curl "Name:" is a field that is not to be sent, and "Name;" one without a value.
  for (const std::string& line : request.headers) {
    if (line.ends_with(';') && line.find(':') == line.npos) headers.push_back(line.substr(0, line.size() - 1) + ":");
    else if (!line.ends_with(':')) headers.push_back(line);
  }
  Agreement::check(std::stoi(request.url.substr(colon + 1)), tls, request.method, request.url.substr(slash), headers, response);
}

}  // namespace

Curl::Curl() : handle_(curl_easy_init(), [](void* handle) { curl_easy_cleanup(handle); }) {}

Response Curl::fetch(const Request& request) {
  CURL* const curl = handle_.get();
  curl_easy_reset(curl);  // keeps connections
  const List headers(request.headers), resolve(request.resolve);
  std::string heads, body;
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(curl, CURLOPT_NOBODY, long(request.method == "HEAD"));
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, version_of(request));
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, long(std::chrono::milliseconds(kPatience).count()));
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, long(!request.ca_file.empty()));
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, request.ca_file.empty() ? 0L : 2L);
  if (!request.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
  if (!request.unix_socket.empty()) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, request.unix_socket.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_RESOLVE, resolve.get());
  if (request.body) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body->c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, long(request.body->size()));
  }
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, collect);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &heads);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) throw std::runtime_error(request.url + ": " + curl_easy_strerror(code));
  Response response(last_head(heads));
  response.body = std::move(body);
  if (Agreement::is_asked()) compare(request, response);
  return response;
}

int Curl::new_connections() const {
  long made = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_NUM_CONNECTS, &made);
  return int(made);
}

Response fetch(const Request& request) {
  return Curl().fetch(request);
}

Response get(const std::string& url, std::vector<std::string> headers) {
  Request request;
  request.url = url;
  request.headers = std::move(headers);
  return fetch(request);
}

}  // namespace test

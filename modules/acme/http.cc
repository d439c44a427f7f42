#include "http.h"

#include <curl/curl.h>

#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/http/date.h"
#include "seawall/server/server_name.h"

namespace seawall::acme {
namespace {

constexpr std::size_t kLongestBody = 1 << 20, kLongestHead = 64 << 10;
constexpr std::int64_t kLongestRest = 7 * 24 * 3600;  // that a CA may ask for: the span of the public CAs' limits
constexpr long kConnectPatience = 10'000;  // ms
constexpr int kLook = 1000;                // ms: curl has timers of its own, and comes back for them

std::size_t take_body(char* data, std::size_t, std::size_t size, void* to) {
  HttpAnswer& answer = *static_cast<HttpAnswer*>(to);
  answer.too_long = answer.body.size() + size > kLongestBody;
  if (answer.too_long) return 0;
  answer.body.append(data, size);
  return size;
}

std::size_t take_field(char* data, std::size_t, std::size_t size, void* to) {
  HttpAnswer& answer = *static_cast<HttpAnswer*>(to);
  const std::string_view line(data, size);
  answer.head_size += size;
  answer.too_long = answer.head_size > kLongestHead;
  if (answer.too_long) return 0;
  if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.back() == '\r' || value.back() == '\n')) value.remove_suffix(1);
    answer.fields.emplace_back(lower(line.substr(0, colon)), std::string(trim(value)));
  }
  return size;
}

class Lines {
 public:
  ~Lines() { curl_slist_free_all(all_); }
  void add(const std::string& line) { all_ = curl_slist_append(all_, line.c_str()); }
  curl_slist* get() const { return all_; }

 private:
  curl_slist* all_ = nullptr;
};

void* make_handle() {
  static const CURLcode begun = curl_global_init(CURL_GLOBAL_DEFAULT);
  void* const handle = begun == CURLE_OK ? curl_easy_init() : nullptr;
  if (!handle) throw AcmeError("curl_easy_init() failed");
  return handle;
}

void* make_multi_handle() {
  void* const handle = curl_multi_init();
  if (!handle) throw AcmeError("curl_multi_init() failed");
  return handle;
}

int clean_up(void* multi) { return curl_multi_cleanup(multi); }

void must(CURLMcode code) {
  if (code != CURLM_OK) throw AcmeError(std::string("curl fails: ") + curl_multi_strerror(code));
}

// A request among those of a multi handle.
class Running {
 public:
  Running(CURLM* all, CURL* request) : all_(all), request_(request) { must(curl_multi_add_handle(all, request)); }
  ~Running() { curl_multi_remove_handle(all_, request_); }

 private:
  CURLM* const all_;
  CURL* const request_;
};

// Of the only request, which has ended.
CURLcode result_of(CURLM* all) {
  for (int left = 0; const CURLMsg* message = curl_multi_info_read(all, &left);)
    if (message->msg == CURLMSG_DONE) return message->data.result;
  throw AcmeError("curl has no result of a request that has ended");
}

}  // namespace

std::string HttpAnswer::field(const std::string& name) const {
  for (const auto& [key, value] : fields)
    if (key == name) return value;
  return {};
}

std::optional<std::int64_t> HttpAnswer::retry_after(std::int64_t now) const {
  const std::string value = field("retry-after");
  if (value.empty()) return std::nullopt;
  if (const auto seconds = parse_decimal(value)) return static_cast<std::int64_t>(std::min<std::uint64_t>(*seconds, kLongestRest));
  if (const auto date = parse_http_date(value)) return std::clamp<std::int64_t>(*date - now, 0, kLongestRest);
  return std::nullopt;
}

Http::Http(const HttpSettings& settings, Stop& stop)
    : settings_(settings), stop_(stop), all_(make_multi_handle(), clean_up), curl_(make_handle(), curl_easy_cleanup) {}
Http::~Http() = default;

void Http::reset(const std::string& url) {
  CURL* const curl = curl_.get();
  curl_easy_reset(curl);
  error_[0] = '\0';
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, settings_.may_be_plain ? "https,http" : "https");
  curl_easy_setopt(curl, CURLOPT_USERAGENT, ("seawall/" + std::string(kVersion)).c_str());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);  // a lookup that hangs is nobody's business any more
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectPatience);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(settings_.patience.count()));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_field);
  if (!settings_.verify) {
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (settings_.authorities.empty()) return;
  curl_easy_setopt(curl, CURLOPT_CAINFO, nullptr);  // these, and not the system's as well
  curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  curl_blob blob{const_cast<char*>(settings_.authorities.data()), settings_.authorities.size(), CURL_BLOB_COPY};
  curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
}

// As curl_easy_perform(), which looks about once a second only whether it is to go on: a worker is to end sooner.
int Http::perform() {
  const Running request(all_.get(), curl_.get());
  curl_waitfd told{stop_.fd(), CURL_WAIT_POLLIN, 0};
  for (int running = 1;;) {
    if (stop_.is_set()) throw Stopped();
    must(curl_multi_perform(all_.get(), &running));
    if (running == 0) return result_of(all_.get());
    must(curl_multi_poll(all_.get(), &told, 1, kLook, nullptr));
  }
}

HttpAnswer Http::run(const std::string& url) {
  HttpAnswer answer;
  Lines addresses;
  if (!settings_.connect_to.empty()) {
    addresses.add("::" + settings_.connect_to + ":");
    curl_easy_setopt(curl_.get(), CURLOPT_NOPROXY, "*");
  }
  curl_easy_setopt(curl_.get(), CURLOPT_CONNECT_TO, addresses.get());
  curl_easy_setopt(curl_.get(), CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(curl_.get(), CURLOPT_HEADERDATA, &answer);
  const auto code = static_cast<CURLcode>(perform());
  if (answer.too_long) throw AcmeError("the answer of " + url + " is too long");
  if (code != CURLE_OK) throw AcmeError("asking " + url + " failed: " + (error_[0] ? error_ : curl_easy_strerror(code)));
  curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

HttpAnswer Http::head(const std::string& url) {
  reset(url);
  curl_easy_setopt(curl_.get(), CURLOPT_NOBODY, 1L);
  return run(url);
}

HttpAnswer Http::get(const std::string& url) {
  reset(url);
  return run(url);
}

HttpAnswer Http::post(const std::string& url, const std::string& body, const std::string& accept) {
  reset(url);
  Lines fields;
  fields.add("Content-Type: application/jose+json");
  fields.add("Expect:");
  if (!accept.empty()) fields.add("Accept: " + accept);
  curl_easy_setopt(curl_.get(), CURLOPT_HTTPHEADER, fields.get());
  curl_easy_setopt(curl_.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(curl_.get(), CURLOPT_POSTFIELDS, body.c_str());
  return run(url);
}

}  // namespace seawall::acme

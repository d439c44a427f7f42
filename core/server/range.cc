#include "seawall/server/range.h"

#include <openssl/rand.h>

#include "seawall/base/check.h"
#include "seawall/http/date.h"
#include "seawall/http/part_of_reader.h"
#include "seawall/server/byte_ranges.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/exchange.h"
#include "seawall/server/multipart_body.h"

namespace seawall {
namespace {

// What lies in memory or in a file can be read twice and in any order; a body that is produced only once, in its order.
bool is_at_hand(const Body& body) { return std::holds_alternative<Slice>(body) || std::holds_alternative<FilePart>(body); }

bool can_be_cut(const Body& body) {
  return is_at_hand(body) || (std::holds_alternative<std::unique_ptr<Reader>>(body) && length_of(body));
}

Body cut(Body& body, const ByteRange& range) {
  if (const auto* slice = std::get_if<Slice>(&body)) return slice->sub(range.begin, range.length());
  if (const auto* part = std::get_if<FilePart>(&body)) return FilePart(part->file, part->offset + range.begin, range.length());
  return part_of_reader(std::move(std::get<std::unique_ptr<Reader>>(body)), range.begin, range.end);
}

// RFC 9110 13.1.5: parts only of what the client has already; by an entity tag, compared as text, or by the exact date.
bool if_range_holds(const Exchange& x, const Response& response) {
  const Field* condition = x.request.headers.find(FieldId::if_range);
  if (!condition) return true;
  if (condition->value.size() >= 2 && condition->value.ends_with('"')) {
    const Field* etag = response.headers.find(FieldId::etag);
    return etag && etag->value == condition->value;
  }
  return response.last_modified && parse_http_date(condition->value) == response.last_modified;
}

std::string content_range(const ByteRange& range, std::uint64_t length) {
  return "bytes " + std::to_string(range.begin) + "-" + std::to_string(range.end - 1) + "/" + std::to_string(length);
}

// Unpredictable, so that no content can hold it on purpose.
std::string make_boundary() {
  unsigned char bytes[10];
  CHECK(RAND_bytes(bytes, sizeof bytes) == 1);
  std::string digits;
  for (unsigned char byte : bytes) {
    digits.push_back(static_cast<char>('0' + byte % 10));
    digits.push_back(static_cast<char>('0' + byte / 10 % 10));
  }
  return digits;
}

void send_one(Response& response, const ByteRange& range, std::uint64_t length) {
  response.headers.set("Content-Range", content_range(range, length));
  response.body = cut(response.body, range);
}

void send_several(Response& response, const std::vector<ByteRange>& ranges, std::uint64_t length) {
  const std::string boundary = make_boundary();
  std::string head = "\r\n--" + boundary + "\r\n";
  if (const auto type = response.headers.get(FieldId::content_type); !type.empty())
    head.append("Content-Type: ").append(type).append("\r\n");
  head += "Content-Range: ";
  std::vector<Body> pieces;
  for (const ByteRange& range : ranges) {
    pieces.emplace_back(Slice::from(head + content_range(range, length) + "\r\n\r\n"));
    pieces.push_back(cut(response.body, range));
  }
  pieces.emplace_back(Slice::from("\r\n--" + boundary + "--\r\n"));
  response.headers.remove(FieldId::content_range);
  response.headers.set("Content-Type", "multipart/byteranges; boundary=" + boundary);
  response.body = std::make_unique<MultipartBody>(std::move(pieces));
}

// What other filters have said stays; what describes the body goes.
void refuse(Response& response, std::uint64_t length) {
  response.status = 416;
  response.refused = true;
  response.headers.set("Content-Range", "bytes */" + std::to_string(length));
  for (const FieldId id : {FieldId::etag, FieldId::last_modified, FieldId::content_encoding, FieldId::content_type})
    response.headers.remove(id);
  response.last_modified.reset();
  response.body = Body();
}

}  // namespace

Result<void> filter_range(Exchange& x, Response& response, const CoreConf& core) {
  if (response.status != 200 || !response.accept_ranges || !can_be_cut(response.body)) return {};
  const std::uint64_t length = *length_of(response.body);
  const Field* field = x.request.headers.find(FieldId::range);
  if (field && if_range_holds(x, response)) {
    const ByteRanges ranges(field->value, length, is_at_hand(response.body) ? *core.max_ranges : std::min<std::int64_t>(*core.max_ranges, 1));
    if (ranges.answer() == ByteRanges::Answer::unsatisfiable) {
      refuse(response, length);
      return {};
    }
    if (ranges.answer() == ByteRanges::Answer::parts) {
      response.status = 206;
      if (ranges.parts().size() == 1) send_one(response, ranges.parts().front(), length);
      else send_several(response, ranges.parts(), length);
      return {};
    }
  }
  response.headers.add_view("Accept-Ranges", "bytes", FieldId::accept_ranges);
  return {};
}

}  // namespace seawall

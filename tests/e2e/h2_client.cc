#include "e2e/h2_client.h"

#include <stdexcept>

namespace test {
namespace {

const TlsOptions kAlpn = [] {
  TlsOptions options;
  options.alpn = "\x02h2";
  return options;
}();

std::uint32_t number_at(std::string_view bytes, std::size_t at, int size) {
  std::uint32_t n = 0;
  for (int i = 0; i < size; ++i) n = n << 8 | static_cast<unsigned char>(bytes.at(at + std::size_t(i)));
  return n;
}

}  // namespace

std::string field(const H2Fields& fields, std::string_view name) {
  for (const auto& [n, v] : fields)
    if (n == name) return v;
  return {};
}

std::string number_bytes(std::uint32_t n) {
  return {char(n >> 24), char(n >> 16), char(n >> 8), char(n)};
}

std::string setting_bytes(std::uint16_t id, std::uint32_t value) { return std::string{char(id >> 8), char(id)} + number_bytes(value); }

std::string frame_bytes(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
  std::string bytes = number_bytes(std::uint32_t(payload.size())).substr(1);
  bytes += char(type);
  bytes += char(flags);
  return bytes.append(number_bytes(stream)).append(payload);
}

H2Fields get_fields(const std::string& path, const H2Fields& more) {
  H2Fields fields{{":method", "GET"}, {":scheme", "http"}, {":path", path}, {":authority", "localhost"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

std::uint32_t Frame::error_code() const { return number_at(payload, type == NGHTTP2_GOAWAY ? 4 : 0, 4); }

std::string H2Response::header(std::string_view name) const { return field(headers, name); }
std::string H2Response::trailer(std::string_view name) const { return field(trailers, name); }

void H2Client::make_coders() {
  nghttp2_hd_deflater* deflater = nullptr;
  nghttp2_hd_inflater* inflater = nullptr;
  if (nghttp2_hd_deflate_new(&deflater, 4096) != 0 || nghttp2_hd_inflate_new(&inflater) != 0) throw std::bad_alloc();
  deflater_.reset(deflater);
  inflater_.reset(inflater);
}

H2Client::H2Client(RawClient accepted) : raw_(std::move(accepted)) { make_coders(); }

H2Client::H2Client(int port, bool tls, Start start) : raw_(port) {
  make_coders();
  if (tls) raw_.start_tls(kAlpn);
  if (start == Start::silent) return;
  send(kPreface);
  send_frame(NGHTTP2_SETTINGS, 0, 0);
}

void H2Client::send_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
  send(frame_bytes(type, flags, stream, payload));
}

std::string H2Client::pack(const H2Fields& fields) {
  std::vector<nghttp2_nv> nv;
  for (const auto& [name, value] : fields)
    nv.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                  reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(), 0});
  std::string block(nghttp2_hd_deflate_bound(deflater_.get(), nv.data(), nv.size()), '\0');
  const auto n = nghttp2_hd_deflate_hd(deflater_.get(), reinterpret_cast<std::uint8_t*>(block.data()), block.size(), nv.data(), nv.size());
  if (n < 0) throw std::runtime_error(nghttp2_strerror(int(n)));
  block.resize(std::size_t(n));
  return block;
}

H2Fields H2Client::unpack(std::string_view block) {
  H2Fields fields;
  while (true) {
    nghttp2_nv nv{};
    int flags = 0;
    const auto n = nghttp2_hd_inflate_hd2(inflater_.get(), &nv, &flags, reinterpret_cast<const std::uint8_t*>(block.data()), block.size(), 1);
    if (n < 0) throw std::runtime_error(nghttp2_strerror(int(n)));
    block.remove_prefix(std::size_t(n));
    if (flags & NGHTTP2_HD_INFLATE_EMIT)
      fields.emplace_back(std::string(reinterpret_cast<char*>(nv.name), nv.namelen), std::string(reinterpret_cast<char*>(nv.value), nv.valuelen));
    if (flags & NGHTTP2_HD_INFLATE_FINAL) break;
  }
  nghttp2_hd_inflate_end_headers(inflater_.get());
  return fields;
}

void H2Client::send_headers(std::uint32_t stream, const H2Fields& fields, bool ends) {
  send_frame(NGHTTP2_HEADERS, std::uint8_t(NGHTTP2_FLAG_END_HEADERS | (ends ? NGHTTP2_FLAG_END_STREAM : 0)), stream, pack(fields));
}

void H2Client::request(std::uint32_t stream, const std::string& path, const H2Fields& more) { send_headers(stream, get_fields(path, more)); }

void H2Client::send_data(std::uint32_t stream, std::string_view data, bool ends) {
  send_frame(NGHTTP2_DATA, ends ? NGHTTP2_FLAG_END_STREAM : 0, stream, data);
}

void H2Client::open_window(std::uint32_t stream, std::uint32_t by) { send_frame(NGHTTP2_WINDOW_UPDATE, 0, stream, number_bytes(by)); }
void H2Client::reset(std::uint32_t stream, std::uint32_t code) { send_frame(NGHTTP2_RST_STREAM, 0, stream, number_bytes(code)); }
void H2Client::ping(std::string_view eight) { send_frame(NGHTTP2_PING, 0, 0, eight); }

Frame H2Client::read_frame(Clock::duration within) {
  const std::string head = raw_.read(9, within);
  Frame frame;
  frame.type = static_cast<std::uint8_t>(head[3]);
  frame.flags = static_cast<std::uint8_t>(head[4]);
  frame.stream = number_at(head, 5, 4);
  frame.payload = raw_.read(number_at(head, 0, 3), within);
  if (frame.type == NGHTTP2_HEADERS) {  // blocks must be unpacked in the order they came
    while (!(frame.flags & NGHTTP2_FLAG_END_HEADERS)) {
      const Frame more = read_frame(within);
      frame.payload += more.payload;
      frame.flags |= more.flags & NGHTTP2_FLAG_END_HEADERS;
    }
    frame.fields = unpack(frame.payload);
  }
  if (frame.type == NGHTTP2_SETTINGS && !(frame.flags & NGHTTP2_FLAG_ACK)) send_frame(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0);
  return frame;
}

Frame H2Client::wait_for(std::uint8_t type, std::uint32_t stream) {
  for (auto kept = kept_.begin(); kept != kept_.end(); ++kept) {
    if (kept->type != type || (stream && kept->stream != stream)) continue;
    Frame frame = std::move(*kept);
    kept_.erase(kept);
    return frame;
  }
  for (;;) {
    Frame frame = read_frame();
    if (frame.type == type && (!stream || frame.stream == stream)) return frame;
    kept_.push_back(std::move(frame));
  }
}

Frame H2Client::next(std::uint32_t stream) {
  for (auto kept = kept_.begin(); kept != kept_.end(); ++kept) {
    if (kept->stream != stream) continue;
    Frame frame = std::move(*kept);
    kept_.erase(kept);
    return frame;
  }
  for (;;) {
    Frame frame = read_frame();
    if (frame.stream == stream) return frame;
    if (frame.type == NGHTTP2_GOAWAY && frame.error_code() != NGHTTP2_NO_ERROR) throw std::runtime_error("GOAWAY, code " + std::to_string(frame.error_code()));
    kept_.push_back(std::move(frame));
  }
}

H2Response H2Client::read_response(std::uint32_t stream) {
  H2Response response;
  while (!response.ended && response.reset < 0) {
    Frame frame = next(stream);
    if (frame.type == NGHTTP2_RST_STREAM) response.reset = int(frame.error_code());
    if (frame.type == NGHTTP2_DATA) response.body += frame.payload;
    if (frame.type == NGHTTP2_HEADERS) {
      H2Fields fields = std::move(frame.fields);
      const std::string status = field(fields, ":status");
      if (status.empty()) response.trailers = std::move(fields);
      else if (status[0] != '1') response.headers = std::move(fields);
      if (!status.empty() && status[0] != '1') response.status = std::stoi(status);
    }
    response.ended = frame.ends_stream() && (frame.type == NGHTTP2_DATA || frame.type == NGHTTP2_HEADERS);
  }
  return response;
}

bool H2Client::is_announcement(const Frame& frame) { return frame.type == NGHTTP2_GOAWAY && frame.payload.starts_with("\x7f\xff\xff\xff"); }

void H2Client::answer(const Frame& ping) { send_frame(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, ping.payload); }

bool H2Client::gone_with(std::uint32_t code) {
  const Frame frame = wait_for(NGHTTP2_GOAWAY);
  if (is_announcement(frame)) answer(wait_for(NGHTTP2_PING));
  return frame.error_code() == code && raw_.expect_close(kPatience);
}

H2Peer::H2Peer(RawClient accepted, std::string_view settings) : H2Client(std::move(accepted)) {
  if (raw().read(kPreface.size()) != kPreface) throw std::runtime_error("no preface");
  send_frame(NGHTTP2_SETTINGS, 0, 0, settings);
}

void H2Peer::respond(std::uint32_t stream, const H2Fields& fields, std::string_view body) {
  send_headers(stream, fields, body.empty());
  if (!body.empty()) send_data(stream, body, true);
}

void H2Peer::serve(const std::function<void(const Frame& head)>& answer) {
  for (;;) {
    Frame head;
    try {
      head = wait_for(NGHTTP2_HEADERS);
    } catch (const std::exception&) {
      return;  // closed
    }
    answer(head);
  }
}

std::function<void(RawClient&)> play(std::function<void(H2Peer&, std::uint32_t stream)> act) {
  return [act](RawClient& c) {
    H2Peer peer(std::move(c));
    act(peer, peer.wait_for(NGHTTP2_HEADERS).stream);
    peer.raw().expect_close(kPatience);
  };
}

std::function<void(RawClient&)> answers(H2Fields fields, std::string body) {
  return play([=](H2Peer& peer, std::uint32_t stream) { peer.respond(stream, fields, body); });
}

std::string H2Peer::read_body(std::uint32_t stream) {
  std::string body;
  for (;;) {
    const Frame frame = wait_for(NGHTTP2_DATA, stream);
    body += frame.payload;
    if (frame.ends_stream()) return body;
    if (frame.payload.empty()) continue;
    open_window(stream, std::uint32_t(frame.payload.size()));
    open_window(0, std::uint32_t(frame.payload.size()));
  }
}

}  // namespace test

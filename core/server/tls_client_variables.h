// The $ssl_client_* variables: each appends what it knows of the client's certificate, nothing where there is none. Any loop.
#pragma once
#include <string>
#include <string_view>

namespace seawall {

class TlsStream;

// A signature's name as RFC 8446 4.2.3 has it, from OpenSSL's numbers of its key type and digest.
void append_signature(int type, int digest, std::string& out);

void client_cert(const TlsStream& tls, std::string& out);  // PEM whose lines but the first begin with a tab
void client_raw_cert(const TlsStream& tls, std::string& out);
void client_escaped_cert(const TlsStream& tls, std::string& out);
void client_subject(const TlsStream& tls, std::string& out);  // RFC 2253
void client_issuer(const TlsStream& tls, std::string& out);
void client_subject_legacy(const TlsStream& tls, std::string& out);  // /CN=...
void client_issuer_legacy(const TlsStream& tls, std::string& out);
void client_serial(const TlsStream& tls, std::string& out);
void client_fingerprint(const TlsStream& tls, std::string& out);  // SHA-1, as in nginx
void client_verify(const TlsStream& tls, std::string& out);       // NONE, SUCCESS, FAILED:reason
void client_start(const TlsStream& tls, std::string& out);
void client_end(const TlsStream& tls, std::string& out);
void client_remaining(const TlsStream& tls, std::string& out);  // whole days
void client_sigalg(const TlsStream& tls, std::string& out);

}  // namespace seawall

#include "seawall/tls/pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <cerrno>

#include "seawall/tls/error.h"

namespace seawall {
namespace {

constexpr std::string_view kData = "data:";

struct Passwords {
  const std::vector<std::string>* list;
  std::size_t next = 0;
};

int next_password(char* buffer, int size, int, void* data) {
  const auto& passwords = *static_cast<Passwords*>(data);
  if (passwords.next >= passwords.list->size()) return 0;
  const std::string& word = (*passwords.list)[passwords.next];
  if (static_cast<int>(word.size()) > size) return 0;
  word.copy(buffer, word.size());
  return static_cast<int>(word.size());
}

// True when reading stopped at the end, not at something broken.
bool at_end() {
  const auto error = ERR_peek_last_error();
  const bool end = error == 0 || (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE);
  if (end) ERR_clear_error();
  return end;
}

}  // namespace

std::string openssl_errors() {
  std::string text;
  while (const unsigned long error = ERR_get_error()) {
    char line[256];
    ERR_error_string_n(error, line, sizeof line);
    text += text.empty() ? "(SSL: " : " ";
    text += line;
  }
  return text.empty() ? text : text + ")";
}

void throw_openssl(const std::string& call) { throw TlsError(call + " failed " + openssl_errors()); }

BioPtr bio_of(std::string_view text) {
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!bio) throw_openssl("BIO_new_mem_buf()");
  return bio;
}

std::string PemFiles::text(const std::string& name) const {
  if (is_pem_data(name)) return name.substr(kData.size());
  ERR_clear_error();
  const BioPtr file(BIO_new_file(name.c_str(), "r"));
  if (!file) throw_openssl("BIO_new_file()");
  std::string text;
  char piece[16 * 1024];
  for (int n; (n = BIO_read(file.get(), piece, sizeof piece)) > 0;) text.append(piece, static_cast<std::size_t>(n));
  ERR_clear_error();
  return text;
}

FileStamps stamps_of(const std::vector<std::string>& paths) {
  FileStamps stamps;
  for (const std::string& path : paths) {
    struct stat s;
    if (::stat(path.c_str(), &s) < 0) stamps.push_back({-errno});
    else
      stamps.push_back({static_cast<std::int64_t>(s.st_dev), static_cast<std::int64_t>(s.st_ino), s.st_size, s.st_mtim.tv_sec,
                        s.st_mtim.tv_nsec, s.st_ctim.tv_sec, s.st_ctim.tv_nsec});
  }
  return stamps;
}

CertificateChain parse_certificate(std::string_view pem) {
  const BioPtr bio = bio_of(pem);
  CertificateChain chain;
  chain.leaf.reset(PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr));
  if (!chain.leaf) throw_openssl("PEM_read_bio_X509_AUX()");
  while (X509* other = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) chain.others.emplace_back(other);
  if (!at_end()) throw_openssl("PEM_read_bio_X509()");
  return chain;
}

KeyPtr parse_key(std::string_view pem, const std::vector<std::string>& words) {
  Passwords passwords{&words};
  for (;;) {
    const BioPtr bio = bio_of(pem);
    ERR_clear_error();
    KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, next_password, &passwords));
    if (key) return key;
    if (++passwords.next >= words.size()) throw_openssl("PEM_read_bio_PrivateKey()");
  }
}

std::vector<X509Ptr> parse_authorities(std::string_view pem) {
  const BioPtr bio = bio_of(pem);
  std::vector<X509Ptr> all;
  while (X509* one = PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr)) all.emplace_back(one);
  if (all.empty() || !at_end()) throw_openssl("PEM_read_bio_X509_AUX()");
  return all;
}

std::vector<CrlPtr> parse_crls(std::string_view pem) {
  const BioPtr bio = bio_of(pem);
  std::vector<CrlPtr> all;
  while (X509_CRL* one = PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr)) all.emplace_back(one);
  if (all.empty() || !at_end()) throw_openssl("PEM_read_bio_X509_CRL()");
  return all;
}

}  // namespace seawall

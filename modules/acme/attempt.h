// One attempt to get a certificate, with what is written down before and after: whatever happens in between, the next process
// finds out what to do, and when. A thread that may wait.
#pragma once
#include <optional>

#include "certificate.h"
#include "challenges.h"
#include "stop.h"

namespace seawall::acme {

class Attempted {
 public:
  std::optional<Pair> pair;  // nothing: it failed, or was stopped
  Status status;
  std::int64_t issuer_pause = 0;  // seconds: the certificate's first CA has had enough of us as a whole
};

Status status_of(const Certificate& certificate);

// Never throws.
Attempted attempt(const Certificate& certificate, Tokens& tokens, Stop& stop);

// When the CA wants the certificate renewed (RFC 9773), if it says so at all; the status says when to ask again. Never throws.
// `facts` are of the certificate that is there.
Status ask_renewal_time(const Certificate& certificate, const CertificateFacts& facts, Stop& stop);

double random_chance();  // in [0, 1)

}  // namespace seawall::acme

#include "import_certbot.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "certificate.h"
#include "seawall/server/worker_folders.h"

namespace seawall::acme {
namespace {

std::optional<std::string> contents(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// The pair of one of certbot's folders, if it serves all these names.
std::optional<Pair> pair_in(const std::filesystem::path& folder, const Certificate& certificate) {
  const auto chain = contents(folder / "fullchain.pem"), key = contents(folder / "privkey.pem");
  if (!chain || !key) return std::nullopt;
  try {
    check_chain(*chain, key_from(*key).get(), certificate.names, certificate.issuer->now());
  } catch (const AcmeError&) {
    return std::nullopt;  // it is for others
  }
  Pair pair;
  pair.certificate = *chain;
  pair.key = *key;
  return pair;
}

// Of certbot's certificates for these names (after "example.org" it may have made "example.org-0001") the one that lasts longest.
std::optional<Pair> best_in(const std::filesystem::path& live, const Certificate& certificate) {
  std::optional<Pair> best;
  std::int64_t until = 0;
  for (const auto& entry : std::filesystem::directory_iterator(live)) {
    auto pair = entry.is_directory() ? pair_in(entry.path(), certificate) : std::nullopt;
    const std::int64_t its = pair ? CertificateFacts::of(pair->certificate).not_after : 0;
    if (its <= until) continue;
    until = its;
    best = std::move(pair);
  }
  return best;
}

}  // namespace

// What certbot has got is served until it is due; certbot's own files stay as they are. No account of ours has asked for it.
int import_certbot(const Registry& registry, const std::string& folder) {
  const std::filesystem::path live = std::filesystem::path(folder) / "live";
  int imported = 0;
  for (const auto& certificate : registry.certificates) {
    if (stored_facts(*certificate)) continue;
    const auto pair = best_in(live, *certificate);
    if (!pair) continue;
    make_worker_folders({certificate->issuer->state_path}, worker_folder_owner());  // the folder is the workers'
    certificate->store().remove(certificate->status_file());
    certificate->store().write(certificate->pair_file(), joined(*pair));
    std::cout << certificate->title() << ": taken from " << live.string() << "\n";
    ++imported;
  }
  if (imported == 0) std::cout << "nothing in " << live.string() << " is for a name that lacks its certificate\n";
  return 0;
}

}  // namespace seawall::acme

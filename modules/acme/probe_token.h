// What a running server answers to `seawall acme test`, so that it knows who answers at a name.
#pragma once

namespace seawall::acme {

inline constexpr const char* kProbeToken = "seawall-acme-test";
inline constexpr const char* kProbePath = "/.well-known/acme-challenge/seawall-acme-test";
inline constexpr const char* kProbeAnswer = "seawall\n";

}  // namespace seawall::acme

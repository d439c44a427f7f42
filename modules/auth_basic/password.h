// Passwords as user files store them: what crypt() of the system knows (DES, MD5, SHA-256, SHA-512, bcrypt, yescrypt ...), and
// Apache's $apr1$, {SHA}, {SSHA}, {PLAIN}. Any thread.
#pragma once
#include <string>
#include <string_view>

namespace seawall::auth_basic {

enum class Match { no, yes, failed };  // failed: the system could not compute it

// So little work that no other thread is worth asking.
bool is_quick(std::string_view stored);
// Compared in constant time, but for the length.
Match match_password(const std::string& password, const std::string& stored);

}  // namespace seawall::auth_basic

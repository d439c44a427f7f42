// Page: a body whose commands are obeyed while it is read. One loop.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "conf.h"
#include "parser.h"
#include "seawall/http/body.h"
#include "seawall/server/subrequest_body.h"

namespace seawall::ssi {

class Page final : public Reader {
 public:
  Page(Exchange& x, std::unique_ptr<Reader> body, const Conf& conf) : x_(x), conf_(conf), body_(std::move(body)) {}
  Task<Result<Piece>> read() override;
  Headers trailers() override { return body_->trailers(); }

 private:
  // An `if` that has not ended.
  class Condition {
   public:
    bool shows;    // its present branch
    bool decided;  // one of its branches was shown
    bool last;     // "else" was there
  };
  // An inclusion under way, and what is done with it.
  class Inclusion {
   public:
    Inclusion(Exchange& x, std::string uri, std::string args) : body(x, std::move(uri), std::move(args)) {}
    SubrequestBody body;
    std::string stub, set;  // the text of the block; the variable
    std::string value;      // for `set`
    bool shown = false, too_large = false;
  };

  bool shows() const { return hidden_ == 0; }
  void keep(const std::string& text);
  // Obeys tokens until one of them includes something, or there are no more; text goes into `out`.
  void work_off(std::string& out);
  void obey(const Token& token, std::string& out);
  void decide(const Command& command);
  void include(const Command& command);
  void echo(const Command& command, std::string& out);
  void configure(const Command& command);
  void take_included(Slice data, std::string& out);
  void end_inclusion();

  Exchange& x_;
  const Conf& conf_;
  std::unique_ptr<Reader> body_;
  Parser parser_;
  std::deque<Token> tokens_;
  std::vector<Condition> conditions_;
  int hidden_ = 0;  // conditions that do not show
  std::unique_ptr<Inclusion> inclusion_;
  std::string error_message_ = "[an error occurred while processing the directive]";
  std::string* block_ = nullptr;  // being kept
  bool ended_ = false;            // the body
};

}  // namespace seawall::ssi

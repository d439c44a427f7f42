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
#include "seawall/server/read_ahead.h"
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
  // An inclusion under way, and what is done with it. It is asked for as soon as its command has been read.
  class Inclusion {
   public:
    Inclusion(Exchange& x, std::string uri, std::string args)
        : Inclusion(x, std::make_unique<SubrequestBody>(x, std::move(uri), std::move(args))) {}
    ~Inclusion() { --request_.under_way; }
    Inclusion(const Inclusion&) = delete;
    Inclusion& operator=(const Inclusion&) = delete;
    int status() const { return answer_.status(); }
    std::size_t largest_value() const;

   private:
    Inclusion(Exchange& x, std::unique_ptr<SubrequestBody> answer)
        : request_(x.main().state<Ssi>()), answer_(*answer), body(x, std::move(answer)) {
      ++request_.under_way;
    }
    State& request_;                // the main one
    const SubrequestBody& answer_;  // what `body` reads

   public:
    ReadAhead body;
    std::string stub, set;  // the text of the block; the variable
    std::string value;      // for `set`
    bool shown = false;
  };

  // What is to go out next: text, or an inclusion.
  class Part {
   public:
    std::string text;
    std::unique_ptr<Inclusion> inclusion;
  };

  bool shows() const { return hidden_ == 0; }
  void keep(const std::string& text);
  void put(Texts State::*texts, const std::string& name, std::string value);
  // Obeys tokens until there are no more, there is enough to go out, or what follows has to wait for an inclusion.
  void work_off();
  bool may_go_on() const;
  std::string& text();
  Task<Result<Piece>> read_included();
  bool is_at_end() const { return ended_ && tokens_.empty() && parts_.empty(); }
  void obey(const Token& token);
  void decide(const Command& command);
  void include(const Command& command);
  void echo(const Command& command);
  void configure(const Command& command);
  bool take_included(Inclusion& inclusion, const Slice& data, std::string& out);  // false: too much
  void end_inclusion();
  void take_value(Inclusion& ended);

  Exchange& x_;
  const Conf& conf_;
  std::unique_ptr<Reader> body_;
  Parser parser_;
  std::deque<Token> tokens_;
  std::vector<Condition> conditions_;
  int hidden_ = 0;  // conditions that do not show
  std::deque<Part> parts_;
  std::size_t inclusions_ = 0;  // among them
  bool waits_ = false;          // what follows the last of them depends on it
  std::string error_message_ = "[an error occurred while processing the directive]";
  std::string* block_ = nullptr;  // being kept
  std::string dropped_;           // stays empty: in the place of a block that is not kept
  bool ended_ = false;            // the body
};

}  // namespace seawall::ssi

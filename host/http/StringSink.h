// An output stream buffer over a string, for the Poco classes that write to streams.
#pragma once

#include <streambuf>
#include <string>

namespace hearth::host {

/// Appends what is written to a string that outlives it; unlike std::ostringstream it makes no copy
/// when the text is taken out.
class StringSink : public std::streambuf {
 public:
  explicit StringSink(std::string& out) : out_(out) {}

 protected:
  int_type overflow(int_type ch) override {
    if (!traits_type::eq_int_type(ch, traits_type::eof()))
      out_.push_back(traits_type::to_char_type(ch));
    return traits_type::not_eof(ch);
  }
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    out_.append(text, static_cast<std::size_t>(size));
    return size;
  }

 private:
  std::string& out_;
};

}  // namespace hearth::host

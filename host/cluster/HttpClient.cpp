// The only file of the host that includes Beast, which takes its time to compile.
#include "cluster/HttpClient.h"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <mutex>
#include <optional>
#include <utility>

#include "support/Timer.h"

namespace hearth::host {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

using Reply = http::response<http::string_body>;
using PlainStream = beast::tcp_stream;
using SecureStream = beast::ssl_stream<beast::tcp_stream>;

constexpr int redirectsFollowed = 3;
constexpr std::uint32_t headerBytes = 64u << 10;

/// Where a reply sends us; empty for one that is an answer.
std::string redirection(const Reply& reply, bool get) {
  switch (reply.result_int()) {
    case 301:
    case 302:
    case 303:
      return get ? std::string(reply[http::field::location]) : std::string();
    case 307:
    case 308:
      return std::string(reply[http::field::location]);
    case 200: {
      // "3; url=http://active:8088/ws/v1/cluster/apps"
      const std::string refresh(reply["Refresh"]);
      const std::size_t at = refresh.find("url=");
      return at == std::string::npos ? std::string() : refresh.substr(at + 4);
    }
    default:
      return {};
  }
}

struct Context {
  explicit Context(HttpClientOptions with) : options(std::move(with)) {}

  /// Made for the first https address: reading the system's certificates takes a while. Throws.
  asio::ssl::context& tls() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!tls_) {
      asio::ssl::context made(asio::ssl::context::tls_client);
      made.set_verify_mode(asio::ssl::verify_peer);
      if (options.caFile.empty())
        made.set_default_verify_paths();
      else
        made.load_verify_file(options.caFile);
      tls_.emplace(std::move(made));
    }
    return *tls_;
  }

  const HttpClientOptions options;

 private:
  std::mutex mutex_;
  std::optional<asio::ssl::context> tls_;
};

/// One question until its answer, on a strand of its own; its handlers keep it.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(EventLoop& loop, std::shared_ptr<Context> context, HttpQuestion question,
           EventLoop::Strand toldOn, HttpClient::Done done)
      : context_(std::move(context)),
        question_(std::move(question)),
        toldOn_(std::move(toldOn)),
        done_(std::move(done)),
        strand_(loop.strand()),
        resolver_(strand_),
        deadline_(strand_) {}

  void start() {
    asio::post(strand_, [self = shared_from_this()] {
      const auto time = self->context_->options.time;
      self->deadline_.start(time, [weak = self->weak_from_this(), time] {
        if (const auto late = weak.lock())
          late->fail("no answer within " + std::to_string(time.count()) + " ms");
      });
      self->go(self->question_.url);
    });
  }

 private:
  void go(const std::string& address) {
    const auto url = HttpUrl::parse(address);
    if (!url) return fail("'" + address + "' is no http or https address");
    if (url_ && url_->secure && !url->secure) return fail("redirected from https to http");
    url_ = *url;
    connect();
  }

  void connect() {
    buffer_.clear();
    plain_.reset();
    secure_.reset();
    try {
      if (url_->secure) {
        secure_.emplace(strand_, context_->tls());
        secure_->set_verify_callback(asio::ssl::host_name_verification(url_->host));
        SSL_set_tlsext_host_name(secure_->native_handle(), url_->host.c_str());
      } else {
        plain_.emplace(strand_);
      }
    } catch (const std::exception& error) {
      return fail(std::string("TLS: ") + error.what());
    }
    resolver_.async_resolve(
        url_->host, url_->port,
        [self = shared_from_this()](error_code error, const tcp::resolver::results_type& found) {
          if (self->over()) return;
          if (error) return self->fail(error.message());
          self->lowest().async_connect(
              found, [self](error_code failed, const tcp::endpoint&) { self->connected(failed); });
        });
  }

  void connected(error_code error) {
    if (over()) return;
    if (error) return fail(error.message());
    if (!secure_) return write();
    secure_->async_handshake(asio::ssl::stream_base::client,
                             [self = shared_from_this()](error_code failed) {
                               if (self->over()) return;
                               if (failed) return self->fail("TLS: " + failed.message());
                               self->write();
                             });
  }

  void write() {
    request_ = {};
    request_.version(11);
    request_.method_string(question_.method);
    request_.target(url_->target);
    request_.set(http::field::host, url_->authority());
    request_.set(http::field::user_agent, "hearth");
    request_.set(http::field::accept, "application/json");
    request_.set(http::field::connection, "close");
    // What Hadoop asks of those that change something, where its protection from CSRF is on.
    if (question_.method != "GET") request_.set("X-XSRF-Header", "hearth");
    if (!authorization_.empty()) request_.set(http::field::authorization, authorization_);
    if (!question_.contentType.empty()) {
      request_.set(http::field::content_type, question_.contentType);
      request_.body() = question_.body;
    }
    request_.prepare_payload();
    onStream([this](auto& stream) {
      http::async_write(stream, request_,
                        [self = shared_from_this()](error_code error, std::size_t) {
                          if (self->over()) return;
                          // A server that refuses early has answered all the same: read it.
                          if (error && error != asio::error::broken_pipe &&
                              error != asio::error::connection_reset)
                            return self->fail(error.message());
                          self->read();
                        });
    });
  }

  void read() {
    parser_.emplace();
    parser_->header_limit(headerBytes);
    parser_->body_limit(context_->options.answerBytes);
    onStream([this](auto& stream) {
      http::async_read(stream, buffer_, *parser_,
                       [self = shared_from_this()](error_code error, std::size_t) {
                         if (self->over()) return;
                         self->replied(error);
                       });
    });
  }

  void replied(error_code error) {
    if (error == http::error::body_limit)
      return fail("the answer is larger than " + std::to_string(context_->options.answerBytes) +
                  " bytes");
    if (error == http::error::end_of_stream || error == http::error::partial_message)
      return fail("the connection was closed before the end of the answer");
    if (error) return fail(error.message());
    const Reply reply = parser_->release();
    if (const std::string target = redirection(reply, question_.method == "GET"); !target.empty()) {
      if (++redirects_ > redirectsFollowed) return fail("redirected too often");
      authorization_.clear();  // it is for the server that asked for it
      authorized_ = false;
      return go(target.front() == '/' ? url_->origin() + target : target);
    }
    const auto& authorize = context_->options.authorize;
    if (reply.result_int() == 401 && authorize && !authorized_) {
      authorized_ = true;
      return authorize(*url_, std::string(reply[http::field::www_authenticate]),
                       [self = shared_from_this()](const std::string& value) {
                         asio::post(self->strand_, [self, value] { self->again(value); });
                       });
    }
    HttpAnswer answer;
    answer.status = reply.result_int();
    answer.body = reply.body();
    answer.origin = url_->origin();
    tell(std::move(answer));
  }

  void again(const std::string& authorization) {
    if (over()) return;
    if (authorization.empty()) return fail("the server wants authentication, and there is none");
    authorization_ = authorization;
    connect();
  }

  void fail(const std::string& why) {
    HttpAnswer answer;
    answer.error = (url_ ? url_->origin() + ": " : std::string()) + why;
    tell(std::move(answer));
  }

  void tell(HttpAnswer answer) {
    if (over()) return;
    deadline_.cancel();
    resolver_.cancel();
    if (plain_ || secure_) lowest().close();
    // What hangs on the callback goes where it runs, also when the loop is stopped first.
    EventLoop::post(toldOn_, [done = std::exchange(done_, nullptr), answer = std::move(answer)] {
      done(answer);
    });
  }

  bool over() const { return !done_; }
  PlainStream& lowest() { return plain_ ? *plain_ : secure_->next_layer(); }
  template <typename Use>
  void onStream(Use use) {
    if (plain_)
      use(*plain_);
    else
      use(*secure_);
  }

  const std::shared_ptr<Context> context_;
  const HttpQuestion question_;
  const EventLoop::Strand toldOn_;
  HttpClient::Done done_;
  const EventLoop::Strand strand_;
  tcp::resolver resolver_;
  Timer deadline_;
  std::optional<HttpUrl> url_;
  int redirects_ = 0;
  bool authorized_ = false;
  std::string authorization_;
  std::optional<PlainStream> plain_;
  std::optional<SecureStream> secure_;
  http::request<http::string_body> request_;
  beast::flat_buffer buffer_;
  std::optional<http::response_parser<http::string_body>> parser_;
};

}  // namespace

struct HttpClient::Impl {
  EventLoop& loop;
  std::shared_ptr<Context> context;
};

HttpClient::HttpClient(EventLoop& loop, HttpClientOptions options)
    : impl_(std::make_unique<Impl>(Impl{loop, std::make_shared<Context>(std::move(options))})) {}

HttpClient::~HttpClient() = default;

void HttpClient::ask(HttpQuestion question, EventLoop::Strand strand, Done done) {
  std::make_shared<Exchange>(impl_->loop, impl_->context, std::move(question), std::move(strand),
                             std::move(done))
      ->start();
}

}  // namespace hearth::host

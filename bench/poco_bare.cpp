// The least that stock Poco can do: one handler that sends one text to every request. What
// bench/get_bench.py holds Hearth's GET of a statement against.
// usage: poco_bare TEXT; prints its port, serves until its stdin ends
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>

#include <iostream>
#include <string>

namespace {

class Handler : public Poco::Net::HTTPRequestHandler {
 public:
  explicit Handler(const std::string& text) : text_(text) {}
  void handleRequest(Poco::Net::HTTPServerRequest&,
                     Poco::Net::HTTPServerResponse& response) override {
    response.setContentType("application/json;charset=utf-8");
    response.setKeepAlive(true);
    response.sendBuffer(text_.data(), text_.size());
  }

 private:
  const std::string& text_;
};

class Factory : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  explicit Factory(std::string text) : text_(std::move(text)) {}
  Poco::Net::HTTPRequestHandler* createRequestHandler(
      const Poco::Net::HTTPServerRequest&) override {
    return new Handler(text_);  // the server deletes it
  }

 private:
  const std::string text_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: poco_bare TEXT\n";
    return 2;
  }
  Poco::Net::ServerSocket socket(Poco::Net::SocketAddress("127.0.0.1", 0));
  auto* params = new Poco::Net::HTTPServerParams;  // the server owns it
  params->setKeepAlive(true);
  params->setMaxKeepAliveRequests(0);
  Poco::Net::HTTPServer server(new Factory(argv[1]), socket, params);
  server.start();
  std::cout << socket.address().port() << std::endl;
  while (std::cin.get() != std::char_traits<char>::eof()) {
  }
  server.stop();
  return 0;
}

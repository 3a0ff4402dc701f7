#include "api/Multipart.h"

#include <Poco/Exception.h>
#include <Poco/MemoryStream.h>
#include <Poco/Net/MessageHeader.h>
#include <Poco/Net/MultipartReader.h>
#include <Poco/Net/NameValueCollection.h>
#include <Poco/StreamCopier.h>

#include "session/Refusal.h"

namespace hearth::host {

namespace {

using Cause = Refusal::Cause;

constexpr std::size_t mostParts = 100;

Poco::Net::NameValueCollection parametersOf(const std::string& header, std::string& value) {
  Poco::Net::NameValueCollection parameters;
  Poco::Net::MessageHeader::splitParameters(header, value, parameters);
  return parameters;
}

FormPart describe(const Poco::Net::MessageHeader& header) {
  std::string kind;
  const auto parameters = parametersOf(header.get("Content-Disposition", ""), kind);
  FormPart part;
  part.name = parameters.get("name", "");
  part.fileName = parameters.get("filename", "");
  if (kind != "form-data" || part.name.empty())
    throw Refusal(Cause::malformed,
                  "a part of the form has no Content-Disposition: form-data with a name");
  return part;
}

}  // namespace

bool isMultipart(const Request& request) {
  std::string type;
  parametersOf(request.header("Content-Type"), type);
  return type == "multipart/form-data";
}

std::vector<FormPart> formParts(const Request& request, std::size_t bytes) {
  std::string type;
  const std::string boundary =
      parametersOf(request.header("Content-Type"), type).get("boundary", "");
  // A form that breaks off would otherwise end with a part that looks whole.
  if (boundary.empty() || request.body.find("--" + boundary + "--") == std::string::npos)
    throw Refusal(Cause::malformed,
                  "the form breaks off, or its Content-Type does not name its boundary");
  std::vector<FormPart> parts;
  std::size_t total = 0;
  try {
    Poco::MemoryInputStream body(request.body.data(),
                                 static_cast<std::streamsize>(request.body.size()));
    Poco::Net::MultipartReader reader(body, boundary);
    while (reader.hasNextPart()) {
      if (parts.size() == mostParts)
        throw Refusal(Cause::tooLarge, "the form has more than 100 parts");
      Poco::Net::MessageHeader header;
      reader.nextPart(header);
      FormPart part = describe(header);
      Poco::StreamCopier::copyToString(reader.stream(), part.content);
      total += part.content.size();
      if (total > bytes)
        throw Refusal(Cause::tooLarge, "the form's files have more than " + std::to_string(bytes) +
                                           " bytes (batch.upload_bytes)");
      parts.push_back(std::move(part));
    }
  } catch (const Poco::Exception& error) {
    throw Refusal(Cause::malformed, "the form cannot be read: " + error.displayText());
  }
  return parts;
}

}  // namespace hearth::host

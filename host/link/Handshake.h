// The words of the link's handshake and the proofs in them (plugin-api/doc/link.md, "Handshake").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hearth::host {

constexpr int linkProtocol = 1;
/// What one who has not proved itself may send in one frame.
constexpr std::uint32_t maxHandshakePayload = 4096;

/// 32 bytes of the system's randomness in lower-case hex. Throws when there is none.
std::string randomHex();

/// HMAC-SHA256 of "`side`:`driverNonce`:`hostNonce`" under the secret (64 hex digits), in hex.
/// Throws std::invalid_argument for a secret that is no such number.
std::string linkProof(const std::string& secret, std::string_view side,
                      const std::string& driverNonce, const std::string& hostNonce);

/// Compares in a time that tells nothing of where two proofs differ.
bool sameProof(const std::string& left, const std::string& right);

struct Hello {
  std::string session;
  std::string nonce;
  std::uint64_t received = 0;
};

/// Empty where the text is not a HELLO of this protocol; `why` then says what is wrong with it.
std::optional<Hello> parseHello(const std::string& payload, std::string& why);
/// The proof in a PROOF, empty where there is none.
std::string parseProof(const std::string& payload);

/// What a link file holds.
struct LinkFile {
  std::string session;
  std::string endpoint;
  std::string secret;
  std::int64_t orphanSeconds = 0;
  std::string pin;  ///< of a tls: endpoint; else empty
};

/// Puts the file at `path` whole or not at all, mode 0600. Throws std::runtime_error.
void writeLinkFile(const std::string& path, const LinkFile& file);
/// Throws std::runtime_error where there is none or it is not one.
LinkFile readLinkFile(const std::string& path);

}  // namespace hearth::host

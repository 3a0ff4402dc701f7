// The certificate by which drivers on other machines know this host.
#pragma once

#include <string>

namespace hearth::host {

/// A self-signed key and its fingerprint, which link files carry to the drivers.
struct LinkCertificate {
  std::string pem;  ///< private key and certificate
  std::string pin;  ///< SHA-256 of the certificate (DER), 64 hex digits

  /// Reads `path`; makes it (mode 0600) where there is none. Throws std::runtime_error for a file
  /// that is not one: drivers that run know the old one, so it is never replaced silently.
  static LinkCertificate keptIn(const std::string& path);
};

}  // namespace hearth::host

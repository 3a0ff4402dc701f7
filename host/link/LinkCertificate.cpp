#include "link/LinkCertificate.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "submit/PrivateFile.h"

namespace hearth::host {

namespace {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;

constexpr int serialBits = 120;

void need(bool made) {
  if (!made) throw std::runtime_error("OpenSSL cannot make the certificate of the driver link");
}

std::string textOf(BIO* bio) {
  char* at = nullptr;
  const long size = BIO_get_mem_data(bio, &at);
  return std::string(at, static_cast<std::size_t>(size));
}

std::string pinOf(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  need(X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1);
  constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += digits[digest[i] >> 4];
    hex += digits[digest[i] & 15];
  }
  return hex;
}

std::string makePem() {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  const Number serial(BN_new());
  need(key && certificate && serial);
  X509* const x = certificate.get();
  need(X509_set_version(x, 2) == 1);
  need(BN_rand(serial.get(), serialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1);
  need(BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(x)) != nullptr);
  // It is known by its fingerprint, so it has no end and no name that matters.
  need(X509_gmtime_adj(X509_getm_notBefore(x), -86400) != nullptr);
  need(ASN1_TIME_set_string(X509_getm_notAfter(x), "99991231235959Z") == 1);
  X509_NAME* const name = X509_get_subject_name(x);
  need(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                  reinterpret_cast<const unsigned char*>("hearth driver link"), -1,
                                  -1, 0) == 1);
  need(X509_set_issuer_name(x, name) == 1);
  need(X509_set_pubkey(x, key.get()) == 1);
  need(X509_sign(x, key.get(), EVP_sha256()) > 0);
  const Bio out(BIO_new(BIO_s_mem()));
  need(out &&
       PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  need(PEM_write_bio_X509(out.get(), x) == 1);
  return textOf(out.get());
}

}  // namespace

LinkCertificate LinkCertificate::keptIn(const std::string& path) {
  LinkCertificate kept;
  std::ifstream file(path, std::ios::binary);
  if (file) {
    kept.pem.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  } else {
    kept.pem = makePem();
    submit::writePrivateFile(path, kept.pem);
  }
  const auto reader = [&] {
    return Bio(BIO_new_mem_buf(kept.pem.data(), static_cast<int>(kept.pem.size())));
  };
  const Bio forKey = reader();
  const Bio forCertificate = reader();
  const Key key(PEM_read_bio_PrivateKey(forKey.get(), nullptr, nullptr, nullptr));
  const Certificate certificate(PEM_read_bio_X509(forCertificate.get(), nullptr, nullptr, nullptr));
  if (!key || !certificate || X509_check_private_key(certificate.get(), key.get()) != 1)
    throw std::runtime_error(path +
                             " is not the key and certificate of the driver link: put the right "
                             "one back, or remove it to have a new one, which drivers that run "
                             "now will not know");
  kept.pin = pinOf(certificate.get());
  return kept;
}

}  // namespace hearth::host

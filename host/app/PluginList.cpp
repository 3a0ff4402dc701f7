#include "app/PluginList.h"

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>

#include <boost/json/parse.hpp>
#include <iostream>
#include <stdexcept>
#include <string_view>

#include "api/V1Api.h"
#include "app/Paths.h"
#include "app/PluginSettings.h"
#include "plugin/CrashNote.h"
#include "plugin/PluginCatalog.h"
#include "plugin/PluginCrashes.h"

namespace hearth::host {

namespace {

std::string askServer(const std::string& server) {
  const Poco::URI address(server.find("://") == std::string::npos ? "http://" + server : server);
  if (address.getScheme() != "http")
    throw std::runtime_error(server + " is no http:// address of a server");
  Poco::Net::HTTPClientSession session(address.getHost(), address.getPort());
  session.setTimeout(Poco::Timespan(30, 0));
  Poco::Net::HTTPRequest request("GET", "/v1/plugins", "HTTP/1.1");
  session.sendRequest(request);
  Poco::Net::HTTPResponse response;
  std::string body;
  Poco::StreamCopier::copyToString(session.receiveResponse(response), body);
  if (response.getStatus() != Poco::Net::HTTPResponse::HTTP_OK)
    throw std::runtime_error(server + " answers " + std::to_string(response.getStatus()) + ": " +
                             body.substr(0, 1000));
  return body;
}

std::string text(const boost::json::object& of, const char* key) {
  const auto* const value = of.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

void print(const boost::json::object& plugin) {
  const auto* const quarantined = plugin.if_contains("quarantined");
  const bool out = quarantined && quarantined->is_bool() && quarantined->get_bool();
  std::cout << text(plugin, "instance") << "  " << (out ? "in quarantine" : text(plugin, "state"));
  if (const auto version = text(plugin, "version"); !version.empty())
    std::cout << "  version " << version;
  std::string kinds;
  for (const auto& kind : plugin.at("kinds").as_array())
    kinds += (kinds.empty() ? "" : ", ") + std::string(kind.as_string());
  if (!kinds.empty()) std::cout << "  kinds " << kinds;
  if (const auto* const sessions = plugin.if_contains("sessions");
      sessions && sessions->is_int64() && sessions->get_int64() > 0)
    std::cout << "  sessions " << sessions->get_int64();
  std::cout << "\n  " << text(plugin, "path") << "\n";
  if (const auto reason = text(plugin, "reason"); !reason.empty())
    std::cout << "  " << reason << "\n";
  const auto* const crash = plugin.if_contains("lastCrash");
  if (crash && crash->is_object())
    std::cout << "  last crash " << text(crash->get_object(), "time") << ": "
              << text(crash->get_object(), "summary") << "\n  " << text(crash->get_object(), "note")
              << "\n";
}

}  // namespace

namespace {

std::string crashesOf(const Settings& settings) {
  try {
    return crashFolder(dataFolder(settings));
  } catch (const SettingsError&) {
    return {};  // no host has run here
  }
}

std::string lookHere(const Settings& settings, const std::string& folder) {
  crash::install();
  const PluginCrashes crashes(crashesOf(settings), crashOptions(settings));
  CatalogLook look;
  look.crashes = &crashes;
  return pluginsView(PluginCatalog(folder, settings.text("plugins.conf_dir"), {}, look));
}

}  // namespace

int listPlugins(const Settings& settings, const std::string& server, bool json) {
  const std::string folder = pluginsFolder(settings);
  const std::string view = server.empty() ? lookHere(settings, folder) : askServer(server);
  if (json) {
    std::cout << view << "\n";
    return 0;
  }
  const auto all = boost::json::parse(view);
  const auto& plugins = all.as_object().at("plugins").as_array();
  if (plugins.empty()) std::cout << "no plugins in " << (server.empty() ? folder : server) << "\n";
  for (const auto& plugin : plugins) print(plugin.as_object());
  return 0;
}

}  // namespace hearth::host

#include "shim/management/direct_volume.h"

#include <nlohmann/json.hpp>

#include "base/utf8.h"

namespace kata::shim {

namespace {

using Json = nlohmann::json;

// More members than upstream's protocol has are a guest's invention.
constexpr int kMaxUsage = 8;

std::string to_json(const grpc::VolumeStatsResponse& stats) {
  Json usage = Json::array();
  for (const grpc::VolumeUsage& item : stats.usage()) {
    if (usage.size() >= kMaxUsage) break;
    usage.push_back({{"available", item.available()},
                     {"total", item.total()},
                     {"used", item.used()},
                     {"unit", static_cast<int>(item.unit())}});
  }
  Json document = {{"usage", usage}};
  document["volume_condition"] = {
      {"abnormal", stats.volume_condition().abnormal()},
      {"message", printable(cut_text(stats.volume_condition().message(), 200))}};
  return document.dump();
}

Task<http::Response> answer_stats(std::shared_ptr<runtime::Sandbox> sandbox,
                                  http::Request request) {
  std::string path = request.parameter("path");
  if (path.empty()) co_return http::text_response(400, "Required parameter path not found");
  auto stats = co_await sandbox->volume_stats(std::move(path));
  if (!stats) co_return http::error_response(stats.error());
  http::Response response;
  response.type = "application/json";
  response.body = to_json(*stats);
  co_return response;
}

Task<http::Response> answer_resize(std::shared_ptr<runtime::Sandbox> sandbox,
                                   http::Request request) {
  const Json body = Json::parse(request.body, nullptr, false);
  const bool object = body.is_object();
  const auto path = object ? body.find("VolumePath") : body.end();
  const auto size = object ? body.find("Size") : body.end();
  if (!object || path == body.end() || !path->is_string() || size == body.end() ||
      !size->is_number_unsigned() || size->get<uint64_t>() == 0) {
    co_return http::text_response(400, R"(the body must be {"VolumePath":"PATH","Size":BYTES})");
  }
  auto resized = co_await sandbox->resize_volume(path->get<std::string>(), size->get<uint64_t>());
  if (!resized) co_return http::error_response(resized.error());
  co_return http::Response{};
}

}  // namespace

Task<http::Response> answer_direct_volume(std::shared_ptr<runtime::Sandbox> sandbox,
                                          http::Request request) {
  if (request.path == "/direct-volume/stats") {
    co_return co_await answer_stats(std::move(sandbox), std::move(request));
  }
  if (request.path == "/direct-volume/resize" && request.method == "POST") {
    co_return co_await answer_resize(std::move(sandbox), std::move(request));
  }
  if (request.path == "/direct-volume/resize") {
    auto response = http::text_response(501, "only POST is offered here");
    response.headers.emplace_back("Allow", "POST");
    co_return response;
  }
  co_return http::text_response(404, "no such page");
}

}  // namespace kata::shim

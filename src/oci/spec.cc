#include "oci/spec.h"

#include "base/file.h"
#include "oci/readers.h"

namespace kata::oci {

Result<grpc::Spec> parse_spec(std::string_view json) {
  grpc::Spec spec;
  TRY_STATUS(
      read_document(json, "config.json", [&](const JsonObject& root) { read_spec(root, &spec); }));
  return spec;
}

Result<grpc::Process> parse_process(std::string_view json) {
  grpc::Process process;
  TRY_STATUS(read_document(json, "process",
                           [&](const JsonObject& root) { read_process(root, &process); }));
  return process;
}

Result<grpc::LinuxResources> parse_resources(std::string_view json) {
  grpc::LinuxResources resources;
  TRY_STATUS(read_document(json, "resources",
                           [&](const JsonObject& root) { read_resources(root, &resources); }));
  return resources;
}

Result<grpc::Spec> load_bundle(const std::string& bundle) {
  TRY(std::string text,
      in_step("bundle " + bundle, read_file(bundle + "/config.json", kMaxDocumentSize)));
  TRY(grpc::Spec spec, in_step("bundle " + bundle, parse_spec(text)));
  TRY_STATUS(in_step("bundle " + bundle, validate(spec)));
  return spec;
}

}  // namespace kata::oci

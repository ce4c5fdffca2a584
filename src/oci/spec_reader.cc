#include "oci/readers.h"

namespace kata::oci {
namespace {

void read_mount(const JsonObject& json, grpc::Mount* mount) {
  KATA_OCI_SET(mount, destination, json.text("destination"));
  KATA_OCI_SET(mount, source, json.text("source"));
  KATA_OCI_SET(mount, type, json.text("type"));
  json.texts("options", [&](std::string option) { mount->add_options(std::move(option)); });
  read_id_mappings(json, "uidMappings", mount->mutable_uidmappings());
  read_id_mappings(json, "gidMappings", mount->mutable_gidmappings());
}

void read_hooks(const JsonObject& json, std::string_view key,
                google::protobuf::RepeatedPtrField<grpc::Hook>* hooks) {
  json.objects(key, [&](const JsonObject& entry) {
    grpc::Hook* hook = hooks->Add();
    KATA_OCI_SET(hook, path, entry.text("path"));
    entry.texts("args", [&](std::string word) { hook->add_args(std::move(word)); });
    entry.texts("env", [&](std::string word) { hook->add_env(std::move(word)); });
    KATA_OCI_SET(hook, timeout, entry.number<int64_t>("timeout"));
  });
}

void read_all_hooks(const JsonObject& json, grpc::Hooks* hooks) {
  read_hooks(json, "prestart", hooks->mutable_prestart());
  read_hooks(json, "createRuntime", hooks->mutable_createruntime());
  read_hooks(json, "createContainer", hooks->mutable_createcontainer());
  read_hooks(json, "startContainer", hooks->mutable_startcontainer());
  read_hooks(json, "poststart", hooks->mutable_poststart());
  read_hooks(json, "poststop", hooks->mutable_poststop());
}

}  // namespace

void read_id_mappings(const JsonObject& json, std::string_view key,
                      google::protobuf::RepeatedPtrField<grpc::LinuxIDMapping>* mappings) {
  json.objects(key, [&](const JsonObject& entry) {
    grpc::LinuxIDMapping* mapping = mappings->Add();
    KATA_OCI_SET(mapping, containerid, entry.number<uint32_t>("containerID"));
    KATA_OCI_SET(mapping, hostid, entry.number<uint32_t>("hostID"));
    KATA_OCI_SET(mapping, size, entry.number<uint32_t>("size"));
  });
}

void read_spec(const JsonObject& json, grpc::Spec* spec) {
  KATA_OCI_SET(spec, version, json.text("ociVersion"));
  KATA_OCI_SET(spec, hostname, json.text("hostname"));
  KATA_OCI_SET(spec, domainname, json.text("domainname"));
  json.object("process",
              [&](const JsonObject& part) { read_process(part, spec->mutable_process()); });
  json.object("root", [&](const JsonObject& part) {
    grpc::Root* root = spec->mutable_root();
    KATA_OCI_SET(root, path, part.text("path"));
    KATA_OCI_SET(root, readonly, part.flag("readonly"));
  });
  json.objects("mounts", [&](const JsonObject& entry) { read_mount(entry, spec->add_mounts()); });
  json.object("hooks",
              [&](const JsonObject& part) { read_all_hooks(part, spec->mutable_hooks()); });
  json.text_map("annotations", [&](const std::string& key, std::string value) {
    (*spec->mutable_annotations())[key] = std::move(value);
  });
  json.object("linux", [&](const JsonObject& part) { read_linux(part, spec->mutable_linux()); });
}

}  // namespace kata::oci

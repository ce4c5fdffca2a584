#include "cli/mask.h"

#include <gtest/gtest.h>

#include <random>

namespace kata::cli {
namespace {

struct Row {
  const char *text, *masked;
};

TEST(Mask, WhatIsASecretIsNotShown) {
  for (const Row& row : {
           Row{"password = \"x y\" # mine", "password = *** # mine"},
           Row{"root_password='a\\'", "root_password=***"},
           Row{"\"token\": \"abc\", \"n\": 1", "\"token\": ***, \"n\": 1"},
           Row{"msg=\"env REGISTRY_TOKEN=abc d\"", "msg=\"env REGISTRY_TOKEN=*** d\""},
           Row{"msg=\"{\\\"secret\\\":\\\"abc\\\"}\"", "msg=\"{\\\"secret\\\":***}\""},
           Row{"auth = \"dXNlcg==\"", "auth = ***"},
           Row{"Authorization: Bearer abc.def", "Authorization: ***"},
           Row{"password\t= \"hunter2\"", "password\t= ***"},
           Row{"X-Registry-Auth = [\"a\"]", "X-Registry-Auth = ***]"},
           Row{"access-key: a", "access-key: ***"},
           Row{"{\\\\\\\"token\\\\\\\":\\\\\\\"abc\\\\\\\",1}", "{\\\\\\\"token\\\\\\\":***,1}"},
           Row{"header Bearer abc.def-g end", "header Bearer *** end"},
           Row{"https_proxy=http://me:pw@proxy:3128/", "https_proxy=http://***@proxy:3128/"},
           Row{"api_key=1,b=2", "api_key=***,b=2"},
           Row{"secrets = [\n \"a\",\n \"b\" ]\nx = 1", "secrets = ***]\nx = 1"},
           Row{"client_secret = \"\"\"\na\nb\"\"\"\nx = 1", "client_secret = ***\nx = 1"},
           Row{"-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nx", "***\nx"},
           Row{"-----BEGIN PRIVATE KEY-----\nabc", "***"},
           Row{"kernel_params = \"agent.log=debug foo.bar=secret quiet x=\"",
               "kernel_params = \"agent.log=debug foo.bar=*** quiet x=***\""},
           Row{"  Parameters = \"a.b=c\"\nPath = \"x\"",
               "  Parameters = \"a.b=***\"\nPath = \"x\""},
           Row{"kernel_params=systemd.unit=a aa_kbc_params=cc::http://h",
               "kernel_params=systemd.unit=a aa_kbc_params=***"},
       }) {
    EXPECT_EQ(mask_secrets(row.text), row.masked) << row.text;
  }
}

TEST(Mask, TheRestStays) {
  for (const char* text : {
           "default_memory = 256",
           "kernel = \"/opt/kata/vmlinux\"",
           "author: someone",
           "time=\"2026-01-01T00:00:00Z\" level=info msg=\"container started\" sandbox=abc",
           "https://docs.example/x?y=1",
           "unix:///run/containerd/containerd.sock",
           "the token is",
           "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----",
           "token",
           "token=",
           "a@b",
       }) {
    EXPECT_EQ(mask_secrets(text), text);
  }
}

TEST(Mask, AnyBytesAndNoEndlessLoop) {
  std::mt19937 random(7);
  const std::string alphabet = "token=\"'\\:/@ []{}\n-BEGIN PRIVATE KEYkernel_params";
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (size_t length = random() % 60; length > 0; --length) {
      text += alphabet[random() % alphabet.size()];
    }
    EXPECT_LE(mask_secrets(text).size(), 4 * text.size() + 4);
  }
}

}  // namespace
}  // namespace kata::cli

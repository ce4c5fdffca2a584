#pragma once

#include "base/log.h"

namespace kata::log {

// write() whatever the level that was set: for a part of the program whose own settings want its
// lines. A field of the line replaces a common one of the same name.
void emit(Level level, std::string_view message, Fields fields = {});

}  // namespace kata::log

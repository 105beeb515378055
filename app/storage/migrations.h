// The SQL files of resources/migrations, compiled in. Migration i (from 0) leads to schema i + 1.
#pragma once

#include <span>

namespace hearth {

struct Migration {
  const char* name;  // "0001_first.sql"
  const char* sql;
};

std::span<const Migration> migrations();

}  // namespace hearth

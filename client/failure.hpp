// Why a command could not be carried out, and what to do about it.
#pragma once

#include <expected>
#include <string>

#include "config/model/exit_codes.hpp"

namespace belfry::client {

struct Failure {
  int exit_code = belfry::exit_code::internal;
  std::string message;    // "cannot …: why"
  std::string next_step;  // a command or an action; may be empty
};

template <class T>
using Expected = std::expected<T, Failure>;

// Writes "belfry: cannot …" and the next step below it to standard error; returns the exit code.
int report(const Failure& failure);

}  // namespace belfry::client

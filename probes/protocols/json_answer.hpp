// What stands at a place of a JSON answer.
#pragma once

#include <string>
#include <string_view>

#include "config/model/model.hpp"

namespace belfry::probes {

// Empty when it is as expected, else why not: `/status is "down", not up`. What cannot be read as JSON, or is
// nested deeper than 32, is not as expected.
std::string judge_json(std::string_view body, const config::JsonExpectation& expected);

}  // namespace belfry::probes

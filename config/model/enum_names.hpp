// What the enumerators of the model are called in a file, in answers and in messages: the one list of each.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "config/model/model.hpp"

namespace belfry::config {

[[nodiscard]] std::string_view name_of(ServiceType type);
[[nodiscard]] std::optional<ServiceType> service_type_named(std::string_view name);
[[nodiscard]] std::span<const std::string_view> service_type_names();  // in the order of the enumeration

[[nodiscard]] std::string_view name_of(Condition condition);  // `own bell` has no name of its own
[[nodiscard]] std::optional<Condition> condition_named(std::string_view name);
[[nodiscard]] std::span<const std::string_view> condition_names();  // without `own bell`

// The same with the words of compose and process-compose (`service_healthy`) beside our own.
[[nodiscard]] std::optional<Condition> condition_spelled(std::string_view name);
[[nodiscard]] std::span<const std::string_view> condition_spellings();

[[nodiscard]] std::string_view name_of(OnLoss loss);
[[nodiscard]] std::span<const std::string_view> on_loss_names();  // in the order of the enumeration

[[nodiscard]] std::string_view name_of(Overlap overlap);
[[nodiscard]] std::span<const std::string_view> overlap_names();  // in the order of the enumeration

[[nodiscard]] std::string_view name_of(Probe::Kind kind);
[[nodiscard]] std::optional<Probe::Kind> probe_kind_named(std::string_view name);
[[nodiscard]] std::span<const std::string_view> probe_kind_names();

}  // namespace belfry::config

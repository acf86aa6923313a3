// What a service is allowed and given on the machine: capabilities, CPUs, directories of its own, a sandbox.
#include <algorithm>
#include <array>
#include <charconv>

#include "config/decode/decode.hpp"
#include "config/keys/quote.hpp"
#include "config/model/kernel_names.hpp"
#include "text/suggest.hpp"

namespace belfry::config {
namespace {

constexpr std::size_t most_writable = 100;
constexpr std::size_t most_directories = 32;
constexpr std::uint64_t every_capability = ~std::uint64_t{0};

struct CapabilitiesDraft {
  std::optional<std::uint64_t> drop, bounding;
  std::uint64_t ambient = 0;
};

// A set of names; `all` where that makes sense.
std::optional<std::uint64_t> read_capability_set(Decoder& decoder, const Node& node, bool all_makes_sense) {
  std::uint64_t set = 0;
  for (const std::string& name : decoder.texts(node)) {
    if (all_makes_sense && (name == "all" || name == "ALL")) {
      set = every_capability;
      continue;
    }
    const auto number = capability_number(name);
    if (!number) {
      const bool all = name == "all" || name == "ALL";
      decoder.error("bad-value", node, "unknown capability " + quote(name),
                    all ? "name those that the service needs" : text::did_you_mean(name, capability_names()));
      return std::nullopt;
    }
    set |= std::uint64_t{1} << static_cast<unsigned>(*number);
  }
  return set;
}

constexpr std::array<Field<CapabilitiesDraft>, 3> capabilities_table{{
    {{"drop", "texts", "none",
      "Neither the service nor anything it executes can have these, root or not; `all`: none but those in "
      "`ambient`.",
      "[NET_RAW, SYS_PTRACE]"},
     [](Decoder& d, const Entry& e, CapabilitiesDraft& out) {
       out.drop = read_capability_set(d, *e.value, true);
     }},
    {{"bounding", "texts", "belfry's", "The other way round: it can have these and no others.",
      "[NET_BIND_SERVICE]"},
     [](Decoder& d, const Entry& e, CapabilitiesDraft& out) {
       out.bounding = read_capability_set(d, *e.value, true);
     }},
    {{"ambient", "texts", "none",
      "It has these although its `user` is not root, and so has what it executes. belfry must have them "
      "itself.",
      "[NET_BIND_SERVICE]"},
     [](Decoder& d, const Entry& e, CapabilitiesDraft& out) {
       out.ambient = read_capability_set(d, *e.value, false).value_or(0);
     }},
}};

std::string first_name_in(std::uint64_t set) {
  int number = 0;
  while (((set >> static_cast<unsigned>(number)) & 1U) == 0) ++number;
  return capability_name(number);
}

constexpr std::array<std::pair<std::string_view, IoClass>, 3> io_classes{
    {{"realtime", IoClass::realtime}, {"best-effort", IoClass::best_effort}, {"idle", IoClass::idle}}};

constexpr std::array<Field<IoPriority>, 2> io_priority_table{{
    {{"class", "io_class", "best-effort",
      "`realtime`: before everybody (root only); `best-effort`; `idle`: when nobody else wants the disk.",
      "best-effort"},
     [](Decoder& d, const Entry& e, IoPriority& out) {
       out.of = d.choice<IoClass>(*e.value, io_classes).value_or(IoClass::best_effort);
     }},
    {{"level", "integer", "4", "0 (first) to 7 (last) within its class.", "2", fits_all, "0", "7"},
     [](Decoder& d, const Entry& e, IoPriority& out) {
       out.level = static_cast<std::uint8_t>(d.integer(*e.value, 0, 7).value_or(4));
     }},
}};

// One component after the other: what would leave the place, or is another spelling of the same, is no name.
bool is_path_within(std::string_view name) {
  if (name.empty() || name.size() > 255 || name.find('\0') != std::string_view::npos) return false;
  for (;;) {
    const auto slash = name.find('/');
    const std::string_view part = name.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    name.remove_prefix(slash + 1);
  }
}

void read_directory_name(Decoder& decoder, const Node& node, OwnDirectory& out) {
  auto name = decoder.needed_text(node);
  if (!name) return;
  // In the variable that names several, a colon stands between them.
  if (!is_path_within(*name) || name->contains(':'))
    return decoder.error("bad-value", node, quote(*name) + " cannot be the name of a directory of its own",
                         "write a name such as app, or app/cache: relative, without `..` and `:`");
  out.name = std::move(*name);
}

constexpr std::array<Field<OwnDirectory>, 2> own_directory_table{{
    {{"name", "text", "needed", "Relative to the place of such directories, without `..`.", "app"},
     [](Decoder& d, const Entry& e, OwnDirectory& out) { read_directory_name(d, *e.value, out); }},
    {{"mode", "mode", "0755", "Its permissions, octal.", "\"0750\""},
     [](Decoder& d, const Entry& e, OwnDirectory& out) {
       out.mode = d.octal(*e.value, 0777).value_or(0755);
     }},
}};

template <bool Sandbox::* flag>
void read_sandbox_flag(Decoder& decoder, const Entry& entry, Sandbox& out) {
  out.*flag = decoder.boolean(*entry.value).value_or(false);
}

// Relative paths are made absolute by decode_sandbox, which knows the directory.
constexpr std::array<Field<Sandbox>, 6> sandbox_table{{
    {{"read_only_root", "boolean", "false",
      "It cannot write to any file system but its `runtime_directory`, `state_directory` and "
      "`credentials`, its private /tmp, what `writable` names, and /dev, /proc and /sys as they are.",
      "true"},
     read_sandbox_flag<&Sandbox::read_only_root>},
    {{"writable", "texts", "none",
      "Directories and files that `read_only_root` leaves as they are, and `private_tmp` and `protect_home` "
      "in sight. They must exist when it starts.",
      "[/srv/data]"},
     [](Decoder& d, const Entry& e, Sandbox& out) { out.writable = d.texts(*e.value); }},
    {{"private_tmp", "boolean", "false",
      "A /tmp and /var/tmp of its own, empty at each start and gone with the run.", "true"},
     read_sandbox_flag<&Sandbox::private_tmp>},
    {{"private_network", "boolean", "false",
      "A network of its own with nothing but a loopback interface. Nobody outside reaches it, nor do "
      "belfry's probes by address; sockets in `listen` and unix sockets work.",
      "true"},
     read_sandbox_flag<&Sandbox::private_network>},
    {{"protect_home", "boolean", "false", "/home, /root and /run/user are empty for it.", "true"},
     read_sandbox_flag<&Sandbox::protect_home>},
    {{"required", "boolean", "false",
      "Where this cannot be had (it needs CAP_SYS_ADMIN), the service does not start; else it runs without, "
      "and belfry says so at its start.",
      "true"},
     read_sandbox_flag<&Sandbox::required>},
}};

std::optional<unsigned> cpu_number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && value < most_cpus ? std::optional(value) : std::nullopt;
}

// `3`, `0-3`, `0-1,8`.
bool add_cpus(std::string_view text, std::vector<std::uint16_t>& out) {
  for (;;) {
    const auto comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    const auto dash = part.find('-');
    const auto first = cpu_number(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : cpu_number(part.substr(dash + 1));
    if (!first || !last || *first > *last) return false;
    for (unsigned cpu = *first; cpu <= *last; ++cpu) out.push_back(static_cast<std::uint16_t>(cpu));
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

Fields<CapabilitiesDraft> capabilities_fields() { return capabilities_table; }
Fields<IoPriority> io_priority_fields() { return io_priority_table; }
Fields<OwnDirectory> own_directory_fields() { return own_directory_table; }
Fields<Sandbox> sandbox_fields() { return sandbox_table; }

Table capabilities_key_table() {
  Table out{"capabilities", "`capabilities`", "What root may do, in parts (capabilities(7)).", {}, {}};
  for (const Field<CapabilitiesDraft>& field : capabilities_table) out.keys.push_back(&field.key);
  return out;
}

void decode_capabilities(Decoder& decoder, const Node& node, ServiceDraft& draft) {
  CapabilitiesDraft read;
  if (!decoder.mapping(node, "`capabilities`", capabilities_fields(), read)) return;
  const bool all = read.drop == every_capability;
  const std::uint64_t named = all ? 0 : read.drop.value_or(0);
  if ((named & read.ambient) != 0)
    return decoder.error("bad-value", node,
                         first_name_in(named & read.ambient) + " is both in `drop` and in `ambient`",
                         "remove it from one of them");
  if (read.bounding && (read.ambient & ~*read.bounding) != 0)
    return decoder.error(
        "bad-value", node,
        first_name_in(read.ambient & ~*read.bounding) + " is in `ambient`, but not in `bounding`",
        "add it to `bounding`");
  Capabilities& out = extras_of(draft.service).capabilities.emplace();
  out.ambient = read.ambient;
  out.dropped = read.drop.value_or(0) | (read.bounding ? ~*read.bounding : 0);
  out.dropped &= ~read.ambient;
}

void decode_io_priority(Decoder& decoder, const Node& node, ServiceDraft& draft) {
  IoPriority& out = extras_of(draft.service).io_priority.emplace();
  if (!node.is_mapping()) {
    out.of = decoder.choice<IoClass>(node, io_classes).value_or(IoClass::best_effort);
    return;
  }
  decoder.mapping(node, "`io_priority`", io_priority_fields(), out);
  if (const Node* const level = node.find("level"); level != nullptr && out.of == IoClass::idle)
    decoder.error("unfit-key", *level, "the class `idle` has no levels", "remove it");
}

void decode_cpu_affinity(Decoder& decoder, const Node& node, ServiceDraft& draft) {
  std::vector<std::uint16_t>& out = extras_of(draft.service).cpu_affinity;
  for (const std::string& text : decoder.texts(node)) {
    if (add_cpus(text, out)) continue;
    out.clear();
    return decoder.error("bad-value", node, quote(text) + " is not a CPU, nor a range of them",
                         "write numbers from 0 to 1023, such as [0, 2-3]");
  }
}

void decode_own_directories(Decoder& decoder, const Node& node, std::vector<OwnDirectory>& out) {
  const auto one = [&](const Node& item) {
    OwnDirectory directory;
    if (!item.is_mapping()) {
      read_directory_name(decoder, item, directory);
    } else {
      decoder.mapping(item, "a directory", own_directory_fields(), directory);
      if (item.find("name") == nullptr)
        return decoder.error("missing-key", item, "a directory needs a `name`", "write {name: app}");
    }
    if (!directory.name.empty()) out.push_back(std::move(directory));
  };
  if (!node.is_sequence()) return one(node);
  if (node.size > most_directories)
    return decoder.error("too-large", node, "a service has 32 directories of a kind at most",
                         "make others below one of them");
  for (const Node* item : node.items()) one(*item);
}

void decode_sandbox(Decoder& decoder, const Node& node, ServiceDraft& draft) {
  Sandbox sandbox;
  if (!decoder.mapping(node, "`sandbox`", sandbox_fields(), sandbox)) return;
  const Node* const writable = node.find("writable");
  for (std::string& path : sandbox.writable) path = decoder.absolute(path, draft.service.working_dir);
  if (std::ranges::find(sandbox.writable, "/") != sandbox.writable.end() ||
      sandbox.writable.size() > most_writable)
    decoder.error("bad-value", *writable, "`writable` names up to 100 places below /",
                  "name the directories that the service writes to");
  if (writable != nullptr && !sandbox.any())
    decoder.error("unfit-key", *writable, "`writable` says what `read_only_root` leaves writable",
                  "add read_only_root: true, or remove it");
  if (sandbox.any()) extras_of(draft.service).sandbox = std::move(sandbox);
}

}  // namespace belfry::config

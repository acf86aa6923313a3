// The keys of a service that say what it is allowed and given on the machine.
#include <array>

#include "config/decode/decode.hpp"

namespace belfry::config {
namespace {

constexpr std::array<Field<ServiceDraft>, 9> table{{
    {{"supplementary_groups", "texts", "the user's", "Groups that it is in beside those of its user.",
      "[audio, video]", fits_process},
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       extras_of(out.service).supplementary_groups = d.texts(*e.value);
     }},
    {{"capabilities", "capabilities", "its user's",
      "What root may do, in parts: what it loses and what it gets.",
      "{drop: [all], ambient: [NET_BIND_SERVICE]}", fits_process},
     [](Decoder& d, const Entry& e, ServiceDraft& out) { decode_capabilities(d, *e.value, out); }},
    {{"cpu_affinity", "cpus", "any CPU", "The CPUs that it may run on: numbers and ranges.", "[0, 2-3]",
      fits_process},
     [](Decoder& d, const Entry& e, ServiceDraft& out) { decode_cpu_affinity(d, *e.value, out); }},
    {{"io_priority", "io_priority", "belfry's",
      "Who comes first at the disk: a class, or a class and a level.", "idle", fits_process},
     [](Decoder& d, const Entry& e, ServiceDraft& out) { decode_io_priority(d, *e.value, out); }},
    {{"runtime_directory", "own_directories", "none",
      "Directories of its own below /run (not root: below $XDG_RUNTIME_DIR), made before its hooks, owned by "
      "its user, removed when it has stopped. $RUNTIME_DIRECTORY has their paths, with colons between.",
      "app", fits_process},
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       decode_own_directories(d, *e.value, extras_of(out.service).runtime_directories);
     }},
    {{"state_directory", "own_directories", "none",
      "The same below /var/lib (not root: below $XDG_STATE_HOME, else ~/.local/state), and kept. "
      "$STATE_DIRECTORY has their paths.",
      "{name: app, mode: \"0750\"}", fits_process},
     [](Decoder& d, const Entry& e, ServiceDraft& out) {
       decode_own_directories(d, *e.value, extras_of(out.service).state_directories);
     }},
    {{"sandbox", "sandbox", "none", "What it does not see, or cannot change, of the machine.",
      "{read_only_root: true, private_tmp: true}", fits_process},
     [](Decoder& d, const Entry& e, ServiceDraft& out) { decode_sandbox(d, *e.value, out); }},
    {{"credentials", "credentials", "none",
      "Files that only the service reads, in a directory that $CREDENTIALS_DIRECTORY names: of each its name "
      "there, and the file that belfry reads. Never in the environment, never shown; 1 MiB together at most.",
      "{db-password: secrets/pg}", fits_process},
     [](Decoder& d, const Entry& e, ServiceDraft& out) { decode_credentials(d, *e.value, out); }},
    {{"environment_from", "texts", "all",
      "Which variables of belfry's own environment it inherits; all others it does not see. An empty list: "
      "none.",
      "[PATH, LANG]", fits_process},
     [](Decoder& d, const Entry& e, ServiceDraft& out) { decode_environment_from(d, *e.value, out); }},
}};

}  // namespace

Fields<ServiceDraft> confinement_fields() { return table; }

}  // namespace belfry::config

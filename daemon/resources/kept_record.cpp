#include "daemon/resources/kept_record.hpp"

#include <sstream>

#include "system/file_facts.hpp"

namespace belfry::daemon {

namespace {

std::string line_of(const KeptProcess& one) {
  return std::to_string(one.process.pid) + " " + std::to_string(one.process.born) + " " + one.service + "\n";
}

}  // namespace

bool KeptRecord::exists() const { return system::access_error(path_, system::Access::there) == 0; }

std::vector<KeptProcess> KeptRecord::read() const {
  std::vector<KeptProcess> found;
  std::istringstream lines(system::OwnFile::read(path_));
  for (KeptProcess one; lines >> one.process.pid >> one.process.born >> one.service;) {
    if (one.process.pid > 1) found.push_back(one);
  }
  return found;
}

Result<void> KeptRecord::open() {
  auto created = system::OwnFile::create(path_);
  if (!created)
    return std::unexpected(
        Error::from_errno(created.error(), "cannot write down whom to keep (on_daemon_death) in " + path_));
  file_ = std::move(*created);
  return {};
}

void KeptRecord::add(pid_t pid, std::string_view service) {
  if (!file_) return;
  const KeptProcess one{.process = system::identity_of(pid).value_or(system::ProcessIdentity{.pid = pid}),
                        .service = std::string(service)};
  last_.insert_or_assign(one.service, one);
  // Of a service that is restarted for ever only the last run matters.
  if (++lines_ > (2 * last_.size()) + 1000) return write_anew();
  file_->append(line_of(one));
}

void KeptRecord::write_anew() {
  std::string all;
  for (const auto& [service, one] : last_) all += line_of(one);
  lines_ = last_.size();
  file_->replace(all);
}

void KeptRecord::remove() {
  file_.reset();
  system::OwnFile::remove(path_);
}

}  // namespace belfry::daemon

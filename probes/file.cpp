// `file: path`: true when it exists, whatever it is; or does not, is a socket, contains something. What
// changes on the way to it is told (system/path_watch), so that nobody has to look again and again.
#include <algorithm>
#include <cerrno>
#include <optional>

#include "config/model/pattern.hpp"
#include "probes/kinds.hpp"
#include "system/clock.hpp"
#include "system/file_facts.hpp"
#include "system/open_file.hpp"
#include "system/path_watch.hpp"

namespace belfry::probes {

namespace {

CheckResult no(std::string why) { return std::unexpected(Error::failed(std::move(why))); }

CheckResult is_gone(const std::string& path) {
  const auto found = system::facts_of(path);
  if (found) return no(path + " is still there");
  if (found.error() == ENOENT || found.error() == ENOTDIR) return {};
  return std::unexpected(Error::from_errno(found.error(), "cannot tell whether " + path + " is gone"));
}

CheckResult is_there(const std::string& path, bool as_socket) {
  const auto found = system::facts_of(path);
  if (!found) return std::unexpected(Error::from_errno(found.error(), "cannot find " + path));
  if (as_socket && !found->is_socket()) return no(path + " is not a socket");
  return {};
}

CheckResult has(const std::string& path, const config::Pattern& what) {
  static std::string text;  // its room is used again, by everybody
  const int error =
      system::read_beginning(path, what.reach() + 1, text);  // so that an end is told from a cut
  if (error == EINVAL) return no("cannot read " + path + ": it is not a regular file");
  if (error != 0) return std::unexpected(Error::from_errno(error, "cannot read " + path));
  if (what.occurs_in(text)) return {};
  const bool cut = text.size() > what.reach();
  return no("what `contains` asks for does not occur in " + path +
            (cut ? ", of which the first " + std::to_string(what.reach() >> 10) + " KiB are read" : ""));
}

// Watched from tell() on; each check follows the path anew.
class FileProbe final : public Probe, system::PathListener {
 public:
  FileProbe(system::PathWatches& watches, const config::Probe& spec, std::optional<config::Pattern> contains)
      : watches_(watches), path_(spec.target), contains_(std::move(contains)) {
    if (spec.file) expected_ = *spec.file;
  }

  void tell(NewsListener* listener) override {
    listener_ = listener;
    if (listener_ == nullptr)
      watch_.reset();
    else
      watched_ = watch();
  }

  // The watch comes before the look, so that nothing happens unseen in between.
  Task<CheckResult> check(Context&) override {
    if (listener_ != nullptr) watched_ = watch();
    const Duration before = system::thread_time();
    CheckResult outcome = look();
    work_ = system::thread_time() - before;
    co_return outcome;
  }

  bool is_told() const override { return watch_ != nullptr && watched_.has_value(); }
  // A file that is written all the time is read a tenth of the time.
  Duration rest() const override { return contains_ ? 9 * work_ : Duration::zero(); }
  std::string polling() const override {
    return watched_ ? std::string() : "looked for again and again (" + watched_.error().text() + ")";
  }

 private:
  void on_path_changed() override {
    if (listener_ != nullptr) listener_->on_news();
  }

  Result<void> watch() {
    if (watch_ == nullptr) {
      system::PathListener& listener = *this;
      const auto depth = contains_ ? system::PathDepth::contents : system::PathDepth::existence;
      watch_ = std::make_unique<system::PathWatch>(watches_, path_, depth, listener);
    }
    return watch_->renew();
  }

  CheckResult look() const {
    if (!expected_.exists) return is_gone(path_);
    return contains_ ? has(path_, *contains_) : is_there(path_, expected_.socket);
  }

  system::PathWatches& watches_;
  std::string path_;
  config::FileExpectation expected_;
  std::optional<config::Pattern> contains_;
  NewsListener* listener_ = nullptr;
  std::unique_ptr<system::PathWatch> watch_;
  Result<void> watched_;  // an error: not everything is told, and why
  Duration work_{0};      // of the last look
};

}  // namespace

Made make_file(system::PathWatches& watches, const config::Probe& spec) {
  if (spec.target.empty())
    return std::unexpected(Error(Error::Kind::invalid, "cannot probe: `file` has no path"));
  std::optional<config::Pattern> contains;
  if (spec.file && !spec.file->contains.empty()) {
    auto compiled = config::Pattern::compile(spec.file->contains);
    if (!compiled)
      return std::unexpected(
          Error(Error::Kind::invalid, "cannot probe " + spec.target + ": `contains`: " + compiled.error()));
    contains = std::move(*compiled);
  }
  return std::make_unique<FileProbe>(watches, spec, std::move(contains));
}

}  // namespace belfry::probes

#include "daemon/journal/journal.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "text/utf8.hpp"

namespace belfry::daemon {

namespace {

constexpr std::uint8_t no_probe = 0xFF;
constexpr std::size_t alignment = 8;

std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && text::is_continuation(text[most])) --most;
  return text.substr(0, most);
}

// As Error::text() says it, without making a text of it.
std::size_t write_chain(char* out, const Error& error, std::size_t most) {
  std::size_t size = 0;
  for (const Error* link = &error; link != nullptr && !link->empty() && size < most; link = link->because()) {
    if (size > 0) {
      const std::string_view between = cut(": ", most - size);
      size += between.copy(out + size, between.size());
    }
    const std::string_view message = cut(link->message(), most - size);
    size += message.copy(out + size, message.size());
    if (message.size() < link->message().size()) break;
  }
  return size;
}

}  // namespace

// What stands before the texts of an event, which follow in the order of their lengths here.
struct Journal::Head {
  std::int64_t at, wall;  // nanoseconds
  std::uint32_t size;     // of all of it
  std::uint32_t incarnation;
  std::int32_t pid;
  std::uint16_t port;
  std::uint16_t cause;
  std::uint8_t service, subject, words;
  std::uint8_t kind, from, to, probe, place;
};

namespace {

constexpr std::size_t rounded(std::size_t size) { return (size + alignment - 1) / alignment * alignment; }

}  // namespace

Journal::Journal(Loop& loop, std::size_t capacity, WallSource wall)
    : loop_(loop),
      wall_(wall),
      capacity_(rounded(capacity)),
      most_events_(capacity_ / sizeof(Head)),
      bytes_(std::make_unique_for_overwrite<char[]>(capacity_)),
      places_(std::make_unique_for_overwrite<std::uint32_t[]>(most_events_)),
      run_(static_cast<std::uint64_t>(
          std::chrono::floor<std::chrono::milliseconds>(wall().time_since_epoch()).count())) {
  static_assert(sizeof(Head) == 40);
  assert(capacity_ >= 4 * (sizeof(Head) + 2 * longest_name + longest_cause + longest_words));
}

Journal::~Journal() = default;

WallMoment Journal::now_by_the_wall() {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

// One piece, as an event never lies in two: what is left at the end of the buffer stays empty then.
std::size_t Journal::make_room(std::size_t size) {
  for (;;) {
    if (first_ == next_) return 0;
    const std::size_t oldest = place_of(first_);
    if (end_ > oldest) {
      if (capacity_ - end_ >= size) return end_;
      end_ = 0;
    } else if (oldest - end_ >= size) {
      return end_;
    } else {
      ++first_;
    }
  }
}

void Journal::append(const JournalEvent& event, const Error& cause) {
  const std::string_view service = cut(event.service, longest_name);
  const std::string_view subject = cut(event.subject, longest_name);
  const std::string_view words = cut(event.evidence.words, longest_words);
  char because[longest_cause];
  std::size_t cause_size = write_chain(because, cause, longest_cause);
  if (cause.empty()) cause_size = cut(event.cause, longest_cause).copy(because, longest_cause);

  Head head{.at = loop_.now().time_since_epoch().count(),
            .wall = wall_().time_since_epoch().count(),
            .size = static_cast<std::uint32_t>(
                rounded(sizeof(Head) + service.size() + subject.size() + words.size() + cause_size)),
            .incarnation = event.incarnation,
            .pid = event.evidence.pid,
            .port = event.evidence.port,
            .cause = static_cast<std::uint16_t>(cause_size),
            .service = static_cast<std::uint8_t>(service.size()),
            .subject = static_cast<std::uint8_t>(subject.size()),
            .words = static_cast<std::uint8_t>(words.size()),
            .kind = static_cast<std::uint8_t>(event.kind),
            .from = static_cast<std::uint8_t>(event.from),
            .to = static_cast<std::uint8_t>(event.to),
            .probe = event.evidence.probe ? static_cast<std::uint8_t>(*event.evidence.probe) : no_probe,
            .place = event.evidence.place};
  const std::size_t place = make_room(head.size);
  places_[next_ % most_events_] = static_cast<std::uint32_t>(place);
  ++next_;
  end_ = place + head.size;
  char* out = bytes_.get() + place;
  std::memcpy(out, &head, sizeof head);
  out += sizeof head;
  for (const std::string_view text : {service, subject, words, std::string_view(because, cause_size)})
    out += text.copy(out, text.size());
  if (!readers_.empty() && !telling_.linked()) loop_.wake_afterwards(telling_);
}

JournalEvent Journal::at(Sequence sequence) const {
  assert(sequence >= first_ && sequence < next_);
  const char* from = bytes_.get() + place_of(sequence);
  Head head;
  std::memcpy(&head, from, sizeof head);
  from += sizeof head;
  const auto text = [&from](std::size_t size) {
    const std::string_view read(from, size);
    from += size;
    return read;
  };
  JournalEvent event{.sequence = sequence,
                     .at = TimePoint(Duration(head.at)),
                     .wall = WallMoment(std::chrono::nanoseconds(head.wall)),
                     .kind = static_cast<EventKind>(head.kind),
                     .from = static_cast<State>(head.from),
                     .to = static_cast<State>(head.to),
                     .incarnation = head.incarnation,
                     .service = text(head.service),
                     .subject = text(head.subject)};
  event.evidence.words = text(head.words);
  event.cause = text(head.cause);
  if (head.probe != no_probe) event.evidence.probe = static_cast<config::Probe::Kind>(head.probe);
  event.evidence.place = head.place;
  event.evidence.port = head.port;
  event.evidence.pid = head.pid;
  return event;
}

std::size_t Journal::bytes_since(Sequence sequence) const {
  if (sequence >= next_) return 0;
  const std::size_t from = place_of(std::max(sequence, first_));
  return end_ > from ? end_ - from : capacity_ - from + end_;
}

void Journal::Telling::run() noexcept {
  IntrusiveList<JournalReader>& readers = journal.readers_;
  for (JournalReader* one = readers.empty() ? nullptr : &readers.front(); one != nullptr;
       one = readers.after(*one))
    one->news_.notify();
}

JournalReader::JournalReader(Journal& journal) : news_(journal.loop_, "journal news") {
  journal.readers_.push_back(*this);
}

}  // namespace belfry::daemon

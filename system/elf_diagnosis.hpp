// What keeps an ELF program (elf(5)) from running on this machine.
#pragma once

#include <string>
#include <string_view>

namespace belfry::system {

// Half a sentence: "it was built for s390, and this machine is x86-64". Empty: nothing that can be seen, or
// the kernel has been told how to run other formats. `beginning`: its first bytes, which say that it is ELF.
[[nodiscard]] std::string why_elf_fails(const std::string& path, std::string_view beginning);

// What binfmt_misc is told of at run time (wine, qemu, Java) is executed as well; nobody but it knows how.
[[nodiscard]] bool knows_other_formats();

}  // namespace belfry::system

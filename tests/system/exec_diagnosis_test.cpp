// Why a file cannot be executed, in words.
#include "system/exec_diagnosis.hpp"

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "system/visibility.hpp"

namespace belfry::system {
namespace {

class ExecDiagnosis : public ::testing::Test {
 protected:
  ExecDiagnosis() {
    std::string name = (std::filesystem::temp_directory_path() / "belfry-exec-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    ::chmod(directory_.c_str(), 0755);
  }
  ~ExecDiagnosis() override { std::filesystem::remove_all(directory_); }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0755) const {
    std::ofstream(path(name), std::ios::binary) << text;
    ::chmod(path(name).c_str(), mode);
    return path(name);
  }
  static std::string why(const std::string& path, uid_t uid = ::geteuid()) {
    return why_not_executable(path, {uid, {}});
  }
  static void expect_says(const std::string& path, std::string_view part) {
    EXPECT_NE(why(path).find(part), std::string::npos) << path << ": \"" << why(path) << '"';
  }

 private:
  std::string directory_;
};

TEST_F(ExecDiagnosis, a_program_and_a_script_have_nothing_wrong) {
  EXPECT_EQ(why("/bin/sh"), "");
  EXPECT_EQ(why(write("a", "#!/bin/sh\nexit 0\n")), "");
  EXPECT_EQ(why(write("b", "#! /bin/sh -e \nexit 0\n")), "");
}

TEST_F(ExecDiagnosis, what_is_not_there_is_left_to_errno) { EXPECT_EQ(why(path("absent")), ""); }

TEST_F(ExecDiagnosis, a_missing_interpreter_is_named) {
  expect_says(write("a", "#!/opt/no/such/zsh -f\n"), "its interpreter \"/opt/no/such/zsh\" does not exist");
  expect_says(write("b", "#!\n"), "names no interpreter");
}

TEST_F(ExecDiagnosis, windows_line_ends_are_recognised) {
  expect_says(write("a", "#!/bin/sh\r\nexit 0\r\n"), "its first line ends with CRLF");
  expect_says(path("a"), "/bin/sh\\r");
  expect_says(write("b", "#!/usr/bin/env python3\r\n"), "its first line ends with CRLF");
  EXPECT_EQ(why(path("a")).find('\r'), std::string::npos) << "a message is one line";
}

TEST_F(ExecDiagnosis, an_interpreter_may_fail_for_reasons_of_its_own) {
  const std::string inner = write("inner", "#!/no/such/thing\n");
  expect_says(write("outer", "#!" + inner + "\n"), "its interpreter \"/no/such/thing\" does not exist");
  expect_says(write("dull", "#!" + write("plain", "x", 0644) + "\n"), "is not executable");
}

TEST_F(ExecDiagnosis, scripts_that_interpret_one_another_are_no_endless_question) {
  write("a", "#!" + path("b") + "\n");
  write("b", "#!" + path("a") + "\n");
  expect_says(path("a"), "lead to one another");
}

TEST_F(ExecDiagnosis, directories_links_and_modes_are_told_apart) {
  expect_says("/etc", "it is a directory");
  expect_says("/dev/null", "it is not a regular file");
  expect_says(write("a", "#!/bin/sh\n", 0644), "it is not executable (chmod +x)");
  ::symlink("/no/such/target", path("link").c_str());
  expect_says(path("link"), "it is a link to /no/such/target, which does not exist");
}

TEST_F(ExecDiagnosis, another_user_needs_the_way_and_the_right) {
  const std::string program = write("a", "#!/bin/sh\n", 0700);
  ::mkdir(path("closed").c_str(), 0700);
  const std::string inside = write("closed/b", "#!/bin/sh\n");
  const std::string owner = name_of_user(::geteuid()) + ":" + name_of_group(::getegid());
  EXPECT_EQ(why(program, 54321),
            "user 54321 may not execute it (mode 0700, of " + owner + "; chmod o+x would let it)");
  EXPECT_EQ(why(inside, 54321), "user 54321 may not enter " + path("closed") + " (mode 0700, of " + owner +
                                    "; chmod o+x " + path("closed") + " would let it)");
}

TEST_F(ExecDiagnosis, a_gap_in_the_way_is_named) {
  EXPECT_EQ(why(path("none/of/it")), "the directory " + path("none") + " does not exist");
  write("file", "x");
  EXPECT_EQ(why(path("file/a")), path("file") + " is not a directory");
  ::symlink("/no/such/target", path("link").c_str());
  expect_says(path("link/a"), path("link") + ": it is a link to /no/such/target, which does not exist");
}

TEST_F(ExecDiagnosis, a_directory_that_another_user_may_not_enter_is_named) {
  ::mkdir(path("open").c_str(), 0755);
  ::mkdir(path("open/closed").c_str(), 0750);
  ::mkdir(path("open/closed/inner").c_str(), 0755);
  EXPECT_EQ(why_not_enterable(path("open"), {54321, {}}), "");
  const std::string words = why_not_enterable(path("open/closed/inner"), {54321, {}});
  EXPECT_EQ(words.find("user 54321 may not enter " + path("open/closed") + " (mode 0750"), 0U) << words;
  const gid_t own = ::getegid();
  EXPECT_EQ(why_not_enterable(path("open/closed/inner"), {54321, {&own, 1}}), "") << "by its group";
}

TEST_F(ExecDiagnosis, what_is_no_program_is_said_to_be_none) {
  if (std::filesystem::exists("/proc/sys/fs/binfmt_misc/register"))
    GTEST_SKIP() << "other formats may be known here";
  expect_says(write("a", ""), "it is empty");
  expect_says(write("b", "echo hello\n"), "it has no #! line");
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_type = ET_EXEC;
  header.e_machine = EM_S390;
  expect_says(write("c", std::string(reinterpret_cast<const char*>(&header), sizeof header)),
              "it was built for s390, and this machine is ");
  header.e_machine = 0x1600;  // EM_S390 in the other order, as itself writes it
  header.e_ident[EI_DATA] = ELFDATA2MSB;
  expect_says(write("d", std::string(reinterpret_cast<const char*>(&header), sizeof header)),
              "built for s390");
  header.e_machine = 0xBEEF;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  expect_says(write("e", std::string(reinterpret_cast<const char*>(&header), sizeof header)),
              "another machine (ELF machine 48879)");
}

TEST_F(ExecDiagnosis, a_program_of_another_c_library_misses_its_loader) {
  struct {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    char name[32];
  } image{};
  std::memcpy(image.header.e_ident, ELFMAG, SELFMAG);
  image.header.e_ident[EI_CLASS] = ELFCLASS64;
  image.header.e_type = ET_DYN;
#if defined(__aarch64__)
  image.header.e_machine = EM_AARCH64;
#else
  image.header.e_machine = EM_X86_64;
#endif
  image.header.e_phoff = offsetof(decltype(image), segment);
  image.header.e_phnum = 1;
  image.header.e_phentsize = sizeof image.segment;
  std::strcpy(image.name, "/lib/ld-musl-none.so.1");
  image.segment.p_type = PT_INTERP;
  image.segment.p_offset = offsetof(decltype(image), name);
  image.segment.p_filesz = sizeof image.name;
  const std::string file = write("a", std::string(reinterpret_cast<const char*>(&image), sizeof image));
  if (!std::filesystem::exists("/proc/sys/fs/binfmt_misc/register"))
    expect_says(file, "its loader \"/lib/ld-musl-none.so.1\" does not exist");
}

TEST(Shebang, is_read_as_the_kernel_does) {
  EXPECT_EQ(shebang_of("#!/bin/sh\n").interpreter, "/bin/sh");
  EXPECT_EQ(shebang_of("#!\t/bin/sh").interpreter, "/bin/sh");
  const Shebang env = shebang_of("#!/usr/bin/env -S node --x \nrest\r\n");
  EXPECT_EQ(env.interpreter, "/usr/bin/env");
  EXPECT_EQ(env.argument, "-S node --x");
  EXPECT_FALSE(env.crlf);
  EXPECT_EQ(shebang_of("no").interpreter, "");
}

}  // namespace
}  // namespace belfry::system

// What the kernel's capabilities are called, without `CAP_`: for the reader of a file and for messages.
#pragma once

#include <array>
#include <string_view>

namespace belfry::text {

// By number (linux/capability.h): they are counted from 0 without a gap.
inline constexpr std::array<std::string_view, 41> capability_names{{"CHOWN",
                                                                    "DAC_OVERRIDE",
                                                                    "DAC_READ_SEARCH",
                                                                    "FOWNER",
                                                                    "FSETID",
                                                                    "KILL",
                                                                    "SETGID",
                                                                    "SETUID",
                                                                    "SETPCAP",
                                                                    "LINUX_IMMUTABLE",
                                                                    "NET_BIND_SERVICE",
                                                                    "NET_BROADCAST",
                                                                    "NET_ADMIN",
                                                                    "NET_RAW",
                                                                    "IPC_LOCK",
                                                                    "IPC_OWNER",
                                                                    "SYS_MODULE",
                                                                    "SYS_RAWIO",
                                                                    "SYS_CHROOT",
                                                                    "SYS_PTRACE",
                                                                    "SYS_PACCT",
                                                                    "SYS_ADMIN",
                                                                    "SYS_BOOT",
                                                                    "SYS_NICE",
                                                                    "SYS_RESOURCE",
                                                                    "SYS_TIME",
                                                                    "SYS_TTY_CONFIG",
                                                                    "MKNOD",
                                                                    "LEASE",
                                                                    "AUDIT_WRITE",
                                                                    "AUDIT_CONTROL",
                                                                    "SETFCAP",
                                                                    "MAC_OVERRIDE",
                                                                    "MAC_ADMIN",
                                                                    "SYSLOG",
                                                                    "WAKE_ALARM",
                                                                    "BLOCK_SUSPEND",
                                                                    "AUDIT_READ",
                                                                    "PERFMON",
                                                                    "BPF",
                                                                    "CHECKPOINT_RESTORE"}};

}  // namespace belfry::text

// What a static program must not have: these functions of glibc load modules of the very same glibc when they
// are called, which is why the linker warns of them. belfry calls none of them. OpenSSL and c-ares would in
// functions that belfry does not use, and find here that there is no such module, name or service.
#define _GNU_SOURCE  // dladdr(3)
#include <dlfcn.h>
#include <errno.h>
#include <iconv.h>
#include <netdb.h>

void* dlopen(const char* file, int mode) {
  (void)file, (void)mode;
  return 0;
}
void* dlsym(void* handle, const char* name) {
  (void)handle, (void)name;
  return 0;
}
int dlclose(void* handle) {
  (void)handle;
  return -1;
}
char* dlerror(void) { return (char*)"a static program loads no modules"; }
int dladdr(const void* address, Dl_info* info) {
  (void)address, (void)info;
  return 0;
}

// glibc's own way to its loader, for character sets that are not built in. (Names of glibc 2.36's libc.a:
// where they have other ones, tests/integration/test_static.py finds it in the program.)
void* __libc_dlopen_mode(const char* file, int mode) { return dlopen(file, mode); }
void* __libc_dlsym(void* handle, const char* name) { return dlsym(handle, name); }
void* __libc_dlvsym(void* handle, const char* name, const char* version) {
  (void)version;
  return dlsym(handle, name);
}
int __libc_dlclose(void* handle) { return dlclose(handle); }

// libstdc++ would convert between character sets for a locale, and belfry uses none but "C".
iconv_t iconv_open(const char* to, const char* from) {
  (void)to, (void)from;
  errno = EINVAL;
  return (iconv_t)-1;  // NOLINT(performance-no-int-to-ptr): what iconv_open(3) says
}
size_t iconv(iconv_t how, char** in, size_t* in_left, char** out, size_t* out_left) {
  (void)how, (void)in, (void)in_left, (void)out, (void)out_left;
  errno = EBADF;
  return (size_t)-1;
}
int iconv_close(iconv_t how) {
  (void)how;
  return 0;
}

int getaddrinfo(const char* node, const char* service, const struct addrinfo* hints,
                struct addrinfo** found) {
  (void)node, (void)service, (void)hints, (void)found;
  return EAI_NONAME;
}
void freeaddrinfo(struct addrinfo* found) { (void)found; }
int getnameinfo(const struct sockaddr* address, socklen_t length, char* host, socklen_t host_room,
                char* service, socklen_t service_room, int flags) {
  (void)address, (void)length, (void)host, (void)host_room, (void)service, (void)service_room, (void)flags;
  return EAI_NONAME;
}
struct hostent* gethostbyname(const char* name) {
  (void)name;
  return 0;
}
struct servent* getservbyname(const char* name, const char* protocol) {
  (void)name, (void)protocol;
  return 0;
}
int getservbyport_r(int port, const char* protocol, struct servent* entry, char* room, size_t size,
                    struct servent** found) {
  (void)port, (void)protocol, (void)entry, (void)room, (void)size;
  *found = 0;
  return ENOENT;
}

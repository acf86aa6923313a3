# How CPack makes a package of a tree that deploy/packages has laid out. Everything comes from there, by the environment:
# BELFRY_STAGE (the tree), BELFRY_PACKAGE, BELFRY_VERSION, BELFRY_ARCHITECTURE, BELFRY_SUMMARY, BELFRY_CONTROL (scripts, conffiles).
set(CPACK_PACKAGE_NAME $ENV{BELFRY_PACKAGE})
set(CPACK_PACKAGE_VERSION $ENV{BELFRY_VERSION})
set(CPACK_PACKAGE_VENDOR "The belfry authors")
set(CPACK_PACKAGE_CONTACT "The belfry authors <authors@belfry.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "$ENV{BELFRY_SUMMARY}")
file(READ ${CMAKE_CURRENT_LIST_DIR}/$ENV{BELFRY_PACKAGE}/description CPACK_PACKAGE_DESCRIPTION)
set(CPACK_PACKAGE_FILE_NAME $ENV{BELFRY_PACKAGE})
set(CPACK_PACKAGE_DIRECTORY $ENV{BELFRY_WORK})
set(CPACK_OUTPUT_FILE_PREFIX $ENV{BELFRY_OUT})
set(CPACK_PACKAGING_INSTALL_PREFIX /)
set(CPACK_INSTALL_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/take_stage.cmake)
set(CPACK_STRIP_FILES FALSE)  # done already, so that all packages hold the same bytes

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_NAME $ENV{BELFRY_PACKAGE})
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE $ENV{BELFRY_ARCHITECTURE})
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
file(GLOB CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA $ENV{BELFRY_CONTROL}/*)
include(${CMAKE_CURRENT_LIST_DIR}/$ENV{BELFRY_PACKAGE}/fields.cmake)

set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE "MIT")
set(CPACK_RPM_PACKAGE_DESCRIPTION "${CPACK_PACKAGE_DESCRIPTION}")
set(CPACK_RPM_PACKAGE_GROUP "System Environment/Daemons")
set(CPACK_RPM_COMPRESSION_TYPE xz)
set(CPACK_RPM_PACKAGE_AUTOREQPROV FALSE)  # one static program needs nothing
set(CPACK_RPM_USER_FILELIST "%config(noreplace) /etc/default/belfry")
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION /etc /etc/default /lib /lib/systemd /usr/lib/systemd /usr/lib/systemd/system /usr/lib/systemd/user
  /usr/share/man /usr/share/man/man1 /usr/share/doc)
set(CPACK_RPM_POST_INSTALL_SCRIPT_FILE ${CMAKE_CURRENT_LIST_DIR}/rpm/post)
set(CPACK_RPM_PRE_UNINSTALL_SCRIPT_FILE ${CMAKE_CURRENT_LIST_DIR}/rpm/preun)
set(CPACK_RPM_POST_UNINSTALL_SCRIPT_FILE ${CMAKE_CURRENT_LIST_DIR}/rpm/postun)
# The same tree gives the same bytes: no time and no machine of the build in the header; nothing is stripped or compressed again.
set(CPACK_RPM_SPEC_MORE_DEFINE "%define _buildhost belfry
%define use_source_date_epoch_as_buildtime 1
%define clamp_mtime_to_source_date_epoch 1
%define source_date_epoch_from_changelog 0
%define __os_install_post %{nil}
%define _build_id_links none")

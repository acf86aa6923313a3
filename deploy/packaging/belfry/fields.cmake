set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS TRUE)
set(CPACK_DEBIAN_PACKAGE_CONFLICTS belfry-static)
set(CPACK_DEBIAN_PACKAGE_REPLACES belfry-static)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libpq5, libmariadb3")  # loaded where a database is asked a query

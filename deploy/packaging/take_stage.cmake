# Copies the tree as it is laid out, its empty folders, rights and times too. (file(INSTALL) puts DESTDIR in front itself.)
file(INSTALL DESTINATION "${CMAKE_INSTALL_PREFIX}/" TYPE DIRECTORY USE_SOURCE_PERMISSIONS FILES $ENV{BELFRY_STAGE}/)

# What an installation of belfry consists of: the component `belfry`. deploy/packages makes packages of it.
#
#   cmake --install build/release --prefix /usr/local --component belfry
#
# What depends on the prefix is written when it is known, which is at the installation.
install(TARGETS belfry RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT belfry)
install(FILES ${PROJECT_SOURCE_DIR}/docs/man/belfry.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT belfry)
install(FILES ${PROJECT_SOURCE_DIR}/config/schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/belfry COMPONENT belfry)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/config/examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples COMPONENT belfry)
install(FILES ${PROJECT_SOURCE_DIR}/deploy/systemd/hardened.conf DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples COMPONENT belfry)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md ${PROJECT_SOURCE_DIR}/SECURITY.md ${PROJECT_SOURCE_DIR}/LICENSE
        DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT belfry)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/how-to ${PROJECT_SOURCE_DIR}/docs/reference ${PROJECT_SOURCE_DIR}/docs/explanation
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs COMPONENT belfry FILES_MATCHING PATTERN "*.md")
install(FILES ${PROJECT_SOURCE_DIR}/docs/tutorial.md ${PROJECT_SOURCE_DIR}/docs/glossary.md DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs COMPONENT belfry)

# Units name the program by its place.
set(_generated ${CMAKE_CURRENT_BINARY_DIR}/installation)
install(CODE "
  foreach(_unit belfry.service belfry@.service user/belfry.service)
    file(READ \"${PROJECT_SOURCE_DIR}/deploy/systemd/\${_unit}\" _text)
    string(REPLACE /usr/bin/belfry \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/belfry\" _text \"\${_text}\")
    file(WRITE \"${_generated}/\${_unit}\" \"\${_text}\")
  endforeach()" COMPONENT belfry)
install(FILES ${_generated}/belfry.service ${_generated}/belfry@.service DESTINATION lib/systemd/system COMPONENT belfry)
install(FILES ${_generated}/user/belfry.service DESTINATION lib/systemd/user COMPONENT belfry)

# Completions are what the program itself prints.
install(CODE "
  foreach(_shell bash zsh fish)
    execute_process(COMMAND \"$<TARGET_FILE:belfry>\" completion \${_shell}
                    OUTPUT_FILE \"${_generated}/completion.\${_shell}\" RESULT_VARIABLE _failed)
    if(_failed)
      message(FATAL_ERROR \"cannot install completions: `belfry completion \${_shell}` failed: \${_failed}\")
    endif()
  endforeach()" COMPONENT belfry)
install(FILES ${_generated}/completion.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME belfry COMPONENT belfry)
install(FILES ${_generated}/completion.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions RENAME _belfry COMPONENT belfry)
install(FILES ${_generated}/completion.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME belfry.fish COMPONENT belfry)

# cmake --install: the server, its modules and configuration (component server); the headers and the CMake package that
# modules outside this tree are built with (component dev).
include(CMakePackageConfigHelpers)
set(seawall_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/seawall)

if(TARGET seawall)
  install(TARGETS seawall RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR} COMPONENT server)
endif()
install(DIRECTORY conf/ DESTINATION ${seawall_conf_dir} COMPONENT server PATTERN quickstart.conf EXCLUDE)

# Where logs and temporary files are when nobody says otherwise: the unit lets nothing be made beside them.
foreach(folder logs client_body_temp proxy_temp fastcgi_temp uwsgi_temp scgi_temp acme)
  install(DIRECTORY DESTINATION ${seawall_conf_dir}/${folder} COMPONENT server)
endforeach()

# A unit for systemd, which tells it when it serves. /etc/systemd/system overrides it.
configure_file(${CMAKE_SOURCE_DIR}/tools/systemd/seawall.service.in ${CMAKE_BINARY_DIR}/seawall.service @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/seawall.service DESTINATION lib/systemd/system COMPONENT server)

# modules.index is written where the modules have come to lie: what others have put beside them stays known. Also part of the
# package, for modules from outside.
string(CONFIGURE [[
set(root "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")
if(EXISTS "${root}/@CMAKE_INSTALL_SBINDIR@/seawall")
  execute_process(COMMAND "${root}/@CMAKE_INSTALL_SBINDIR@/seawall" index-modules
    "${root}/@CMAKE_INSTALL_LIBDIR@/seawall/modules" COMMAND_ERROR_IS_FATAL ANY)
endif()
]] seawall_index_modules @ONLY)
install(CODE "${seawall_index_modules}" COMPONENT server)

# The headers keep their name, <seawall/FOLDER/FILE.h>: the base directory is the one with the symbolic link. What runs the
# process and loads modules is of no use to a module.
file(GLOB headers RELATIVE ${CMAKE_SOURCE_DIR}/core CONFIGURE_DEPENDS core/*/*.h)
list(FILTER headers EXCLUDE REGEX "^process/|^module/(loader|core_modules)\\.h$|^(server/h2_fields|http/h2_memory)\\.h$")
list(TRANSFORM headers PREPEND ${CMAKE_BINARY_DIR}/include/seawall/)
add_library(seawall_sdk INTERFACE)
set_target_properties(seawall_sdk PROPERTIES EXPORT_NAME module)
target_sources(seawall_sdk INTERFACE FILE_SET HEADERS BASE_DIRS ${CMAKE_BINARY_DIR}/include FILES ${headers})
target_compile_features(seawall_sdk INTERFACE cxx_std_20)
install(TARGETS seawall_sdk EXPORT seawall FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)
install(EXPORT seawall NAMESPACE seawall:: FILE seawallTargets.cmake DESTINATION ${seawall_package_dir} COMPONENT dev)

# A module must be built as the server was, sanitizers included: the loader refuses another build (core/module/loader.h).
set(SEAWALL_MODULE_OPTIONS)
if(SEAWALL_SANITIZE)
  set(SEAWALL_MODULE_OPTIONS -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined)
elseif(SEAWALL_TSAN)
  set(SEAWALL_MODULE_OPTIONS -fsanitize=thread)
endif()
configure_package_config_file(tools/cmake/seawallConfig.cmake.in ${CMAKE_BINARY_DIR}/seawallConfig.cmake
  INSTALL_DESTINATION ${seawall_package_dir} NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/seawallConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/seawallConfig.cmake ${CMAKE_BINARY_DIR}/seawallConfigVersion.cmake
  DESTINATION ${seawall_package_dir} COMPONENT dev)

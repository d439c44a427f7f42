# The compile settings every target shares, and the functions that make a layer of the core, a module and a test binary.

# Everything is included as <seawall/FOLDER/FILE.h>, in the tree as in an installed one.
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/include)
file(CREATE_LINK ${CMAKE_SOURCE_DIR}/core ${CMAKE_BINARY_DIR}/include/seawall SYMBOLIC)

add_library(seawall_options INTERFACE)
target_include_directories(seawall_options INTERFACE ${CMAKE_BINARY_DIR}/include)
target_compile_options(seawall_options INTERFACE -Wall -Wextra -Wno-missing-field-initializers -Wno-maybe-uninitialized -fno-omit-frame-pointer -fno-semantic-interposition)
# No -fsanitize=vptr: its check opens a pipe to see whether memory is readable, and reports an error when no descriptor is left.
if(SEAWALL_SANITIZE)
  target_compile_options(seawall_options INTERFACE -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined)
  target_link_options(seawall_options INTERFACE -fsanitize=address,undefined)
elseif(SEAWALL_TSAN)
  target_compile_options(seawall_options INTERFACE -fsanitize=thread)
  target_link_options(seawall_options INTERFACE -fsanitize=thread)
endif()

# seawall_layer(NAME LIBRARY...): the static library of core/NAME, which links only layers to its left.
function(seawall_layer name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  add_library(seawall_${name} STATIC ${sources})
  target_link_libraries(seawall_${name} PUBLIC seawall_options ${ARGN})
  set_property(GLOBAL APPEND PROPERTY seawall_layers seawall_${name})
endfunction()

# seawall_module(NAME SOURCE...): modules/NAME.so, which finds the core's symbols in the program that loads it.
function(seawall_module name)
  add_library(module_${name} MODULE ${ARGN})
  set_target_properties(module_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/modules)
  target_link_libraries(module_${name} PRIVATE seawall_options)
  install(TARGETS module_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/seawall/modules COMPONENT server)
  set_property(GLOBAL APPEND PROPERTY seawall_modules module_${name})
endfunction()

# The server's prefix, where it looks for nginx.conf and html: /etc/seawall under /usr, else etc/seawall below the prefix.
set(seawall_conf_dir ${CMAKE_INSTALL_SYSCONFDIR}/seawall)
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(seawall_conf_dir ${CMAKE_INSTALL_FULL_SYSCONFDIR}/seawall)
endif()
get_filename_component(seawall_full_conf_dir ${seawall_conf_dir} ABSOLUTE BASE_DIR ${CMAKE_INSTALL_PREFIX})

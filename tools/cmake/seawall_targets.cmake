# The compile settings every target shares, and the functions that make a layer of the core, a module and a test binary.

# Everything is included as <seawall/FOLDER/FILE.h>, in the tree as in an installed one.
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/include)
file(CREATE_LINK ${CMAKE_SOURCE_DIR}/core ${CMAKE_BINARY_DIR}/include/seawall SYMBOLIC)

add_library(seawall_options INTERFACE)
target_include_directories(seawall_options INTERFACE ${CMAKE_BINARY_DIR}/include)
target_compile_options(seawall_options INTERFACE -Wall -Wextra -Wno-missing-field-initializers -Wno-maybe-uninitialized -fno-semantic-interposition)
# The sanitizers take the stacks of allocations by frame pointers; what takes stacks in a release unwinds by tables.
if(SEAWALL_SANITIZE OR SEAWALL_TSAN)
  target_compile_options(seawall_options INTERFACE -fno-omit-frame-pointer)
endif()
# No -fsanitize=vptr: its check opens a pipe to see whether memory is readable, and reports an error when no descriptor is left.
if(SEAWALL_SANITIZE)
  target_compile_options(seawall_options INTERFACE -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined)
  # Each place that UBSan checks is described by data with a pointer. A million of them, to be relocated whenever a position
  # independent program starts, took a second of each test.
  target_link_options(seawall_options INTERFACE -fsanitize=address,undefined
    $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-no-pie>)
elseif(SEAWALL_TSAN)
  target_compile_options(seawall_options INTERFACE -fsanitize=thread)
  target_link_options(seawall_options INTERFACE -fsanitize=thread)
endif()

# seawall_precompile(TARGET HOST HEADER...): the headers that most files of TARGET begin with are compiled once, with HOST, whose
# compiler options must be the same. The first target that is its own host has them made.
function(seawall_precompile target host)
  if(NOT SEAWALL_PCH)
    return()
  endif()
  if(target STREQUAL host)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  else()
    target_precompile_headers(${target} REUSE_FROM ${host})
  endif()
  # What ccache needs to look into a precompiled header.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endfunction()

set(seawall_std_headers <algorithm> <array> <atomic> <chrono> <coroutine> <cstdint> <cstring> <deque> <exception> <functional> <list> <map>
  <memory> <mutex> <optional> <set> <span> <sstream> <string> <string_view> <system_error> <unordered_map> <utility> <variant> <vector>)

# seawall_layer(NAME LIBRARY...): the static library of core/NAME, which links only layers to its left.
function(seawall_layer name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  add_library(seawall_${name} STATIC ${sources})
  target_link_libraries(seawall_${name} PUBLIC seawall_options ${ARGN})
  if(SEAWALL_SANITIZE)  # the release build says what an include has forgotten
    seawall_precompile(seawall_${name} seawall_base ${seawall_std_headers})
  endif()
  set_property(GLOBAL APPEND PROPERTY seawall_layers seawall_${name})
endfunction()

# seawall_module(NAME SOURCE...): modules/NAME.so, which finds the core's symbols in the program that loads it.
function(seawall_module name)
  add_library(module_${name} MODULE ${ARGN})
  set_target_properties(module_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/modules)
  target_link_libraries(module_${name} PRIVATE seawall_options)
  if(SEAWALL_SANITIZE)
    seawall_precompile(module_${name} seawall_base)
  endif()
  install(TARGETS module_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/seawall/modules COMPONENT server)
  set_property(GLOBAL APPEND PROPERTY seawall_modules module_${name})
endfunction()

# The server's prefix, where it looks for nginx.conf and html: /etc/seawall under /usr, else etc/seawall below the prefix.
set(seawall_conf_dir ${CMAKE_INSTALL_SYSCONFDIR}/seawall)
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(seawall_conf_dir ${CMAKE_INSTALL_FULL_SYSCONFDIR}/seawall)
endif()
get_filename_component(seawall_full_conf_dir ${seawall_conf_dir} ABSOLUTE BASE_DIR ${CMAKE_INSTALL_PREFIX})

# tests/fuzz/NAME_fuzz.cc defines LLVMFuzzerTestOneInput. Under SEAWALL_FUZZ (preset fuzz, clang) it becomes a libFuzzer target:
#   tools/build fuzz && build/fuzz/tests/fuzz_NAME tests/fuzz/corpus/NAME
# otherwise a program that replays corpus/NAME and regressions/NAME, which ctest runs. A finding is added to regressions/NAME.
file(GLOB fuzzers CONFIGURE_DEPENDS fuzz/*_fuzz.cc)
foreach(source ${fuzzers})
  get_filename_component(name ${source} NAME_WE)
  string(REGEX REPLACE "_fuzz$" "" name ${name})
  add_executable(fuzz_${name} ${source})
  target_include_directories(fuzz_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(fuzz_${name} PRIVATE ${layers})
  if(SEAWALL_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(fuzz_${name} PRIVATE fuzz/replay.cc)
    add_test(NAME "fuzz: ${name}" COMMAND fuzz_${name} fuzz/corpus/${name} fuzz/regressions/${name}
      WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    set_tests_properties("fuzz: ${name}" PROPERTIES LABELS fuzz)
  endif()
endforeach()
if(SEAWALL_FUZZ)
  # The layers themselves must report their coverage. clang 14 cannot assemble the check "function" in a coroutine.
  target_compile_options(seawall_options INTERFACE -fsanitize=fuzzer-no-link -fno-sanitize=function)
  target_link_options(seawall_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

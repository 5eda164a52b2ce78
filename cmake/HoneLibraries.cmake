# The two libraries that fall out, shared, for installing: libhone_runtime (no ONNX, no compiler) and libhone (all of it,
# on top of the first). Programs of this build link the folders' static libraries instead.
add_library(hone_engine_and_builder INTERFACE)
target_link_libraries(hone_engine_and_builder INTERFACE hone_api_build)

# hone_shared_library(TARGET FILE name EXPORT name MODULES folders...): the modules' objects as one shared library.
# Everything in namespace hone is visible, since libhone works on what libhone_runtime holds; the promise to users is
# include/hone. What comes from other projects' headers stays inside, so that it can't clash with other copies.
function(hone_shared_library TARGET)
  cmake_parse_arguments(ARG "" "FILE;EXPORT" "MODULES" ${ARGN})
  set(objects ${ARG_MODULES})
  list(TRANSFORM objects REPLACE "(.+)" "$<TARGET_OBJECTS:hone_\\1>")
  add_library(${TARGET} SHARED ${objects})
  set_target_properties(${TARGET} PROPERTIES
    LINKER_LANGUAGE CXX OUTPUT_NAME ${ARG_FILE} EXPORT_NAME ${ARG_EXPORT}
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    INSTALL_RPATH "$ORIGIN" LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/hone.map)
  target_link_options(${TARGET} PRIVATE LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/hone.map)
  if(NOT HONE_SANITIZE)
    target_link_options(${TARGET} PRIVATE LINKER:--no-undefined)
  endif()
  target_compile_features(${TARGET} INTERFACE cxx_std_20)
  target_include_directories(${TARGET} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endfunction()

hone_shared_library(hone_shared_runtime FILE hone_runtime EXPORT runtime
  MODULES base ops plan backend backends_reference backends_cpu runtime api_engine)
if(HONE_STD_THREADS)
  target_link_libraries(hone_shared_runtime PRIVATE Threads::Threads)
else()
  target_link_libraries(hone_shared_runtime PRIVATE OpenMP::OpenMP_CXX DNNL::dnnl)
endif()

hone_shared_library(hone_shared FILE hone EXPORT hone MODULES graph onnx passes compiler api_build)
target_link_libraries(hone_shared PUBLIC hone_shared_runtime)

include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/hone)
install(TARGETS hone_shared_runtime hone_shared EXPORT hone-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/hone DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT hone-targets NAMESPACE hone:: DESTINATION ${package_folder})
configure_package_config_file(cmake/hone-config.cmake.in hone-config.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(hone-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/hone-config.cmake ${PROJECT_BINARY_DIR}/hone-config-version.cmake
  DESTINATION ${package_folder})

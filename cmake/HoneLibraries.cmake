# The two libraries that fall out: hone_runtime (no ONNX, no compiler) and hone (everything).
add_library(hone_engine_and_builder INTERFACE)
target_link_libraries(hone_engine_and_builder INTERFACE hone_api_build)

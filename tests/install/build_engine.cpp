// build_engine MODEL.onnx ENGINE: what a user's program that builds engines looks like.
#include <cstdio>

#include "hone/builder.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const hone::Result<hone::BuiltEngine> built = hone::build_engine(std::string(argv[1]), {.tune = false});
  if (!built.ok()) {
    std::fprintf(stderr, "%s\n", built.status().message().c_str());
    return hone::exit_code(built.status());
  }
  return hone::exit_code(built->save(argv[2]));
}

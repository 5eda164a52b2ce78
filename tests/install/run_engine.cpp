// run_engine ENGINE: runs the engine of relu.onnx, without ONNX and compiler in the process.
#include <cstdio>

#include "hone/engine.h"

namespace {

hone::Status run(const char* path) {
  HONE_ASSIGN(const hone::Engine engine, hone::Engine::load(path));
  HONE_ASSIGN(hone::ExecutionContext context, engine.create_context());
  HONE_ASSIGN(auto outputs, context.run({{"x", hone::Tensor::vector<float>({-1, 0, 2.5F, -3})}}));
  const auto y = outputs.at("y").values<float>();
  const bool right = y.size() == 4 && y[0] == 0 && y[1] == 0 && y[2] == 2.5F && y[3] == 0;
  return right ? hone::Status() : hone::runtime_error("wrong result");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const hone::Status status = run(argv[1]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.message().c_str());
  return hone::exit_code(status);
}

// The door to oneDNN. Its exceptions become Status here, its primitives become a kernel.
#pragma once

#include <dnnl.hpp>
#include <memory>
#include <mutex>
#include <vector>

#include "base/aligned_buffer.h"
#include "hone/kernel.h"

namespace hone::cpu {

// Calls f (-> Status); what oneDNN and the standard library throw becomes an error.
template <class F>
Status guard_onednn(F&& f) {
  try {
    return f();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) return resource_error("oneDNN is out of memory");
    return unsupported(std::string("oneDNN refuses: ") + error.what());
  } catch (const std::exception& error) {
    return resource_error(std::string("oneDNN: ") + error.what());
  }
}

// The element type as oneDNN calls it; undef where it has none.
dnnl::memory::data_type onednn_type(DataType dtype);

dnnl::memory::dims onednn_dims(std::span<const int64_t> dims);
// Row-major.
dnnl::memory::desc plain_desc(std::span<const int64_t> dims, DataType dtype);

// Whether oneDNN chose its plain loops, which are slower than ours.
bool is_onednn_reference(const dnnl::primitive_desc_base& primitive);

// Primitives run one after another. Build by add_*; immutable after that. Runs with at most the threads it was built
// for. Contexts that run it at once each borrow a set of memory handles, made on first use and kept.
class PrimitiveKernel final : public Kernel {
 public:
  // Where a primitive's argument lies.
  struct Place {
    enum class Kind : uint8_t { kInput, kOutput, kWorkspace, kOwned } kind = Kind::kInput;
    size_t index = 0;  // operand, output, offset in the workspace, or owned memory
  };
  struct Argument {
    int id = 0;  // DNNL_ARG_SRC ...
    Place place;
    dnnl::memory::desc desc;
  };

  explicit PrimitiveKernel(int threads) : threads_(threads), engine_(dnnl::engine::kind::cpu, 0) {}

  const dnnl::engine& engine() const { return engine_; }
  static Place input(size_t i) { return {Place::Kind::kInput, i}; }
  static Place output(size_t i) { return {Place::Kind::kOutput, i}; }

  // These may throw dnnl::error. A stretch of the workspace as large as `desc`.
  Place add_scratch(const dnnl::memory::desc& desc);
  // Adds a primitive whose scratchpad is the user's.
  void add(const dnnl::primitive_desc_base& desc, dnnl::primitive primitive, std::vector<Argument> arguments);
  // What holds `from` in the layout `to`: the place itself if the layouts are equal, else scratch, filled by a reorder.
  Place add_reordered(Place from, const dnnl::memory::desc& from_desc, const dnnl::memory::desc& to);
  // The same for a weight, done now. `data` must outlive the kernel.
  Place add_constant(const TensorView& data, const dnnl::memory::desc& from_desc, const dnnl::memory::desc& to);
  // Where a primitive that makes output i in the layout `desc` should write; finish_output() then brings it home.
  Place output_or_scratch(size_t i, const dnnl::memory::desc& plain, const dnnl::memory::desc& desc);
  void finish_output(size_t i, const dnnl::memory::desc& plain, Place from, const dnnl::memory::desc& desc);

  size_t workspace_bytes(const KernelArgs&) const override { return workspace_bytes_; }
  Status run(const KernelArgs& args) const override;

 private:
  struct Stage {
    dnnl::primitive primitive;
    std::vector<Argument> arguments;
  };
  // One caller's memory objects, by stage and argument, as the C interface takes them.
  struct Handles {
    dnnl::stream stream;
    std::vector<dnnl::memory> memories;
    std::vector<std::vector<dnnl_exec_arg_t>> arguments;
  };

  void add_reorder(Place from, const dnnl::memory::desc& from_desc, Place to, const dnnl::memory::desc& to_desc);
  void* address(const Place& place, const KernelArgs& args) const;
  std::unique_ptr<Handles> make_handles() const;
  std::unique_ptr<Handles> borrow() const;
  void give_back(std::unique_ptr<Handles> handles) const;
  void execute(Handles& handles, const KernelArgs& args) const;

  int threads_;
  dnnl::engine engine_;
  std::vector<Stage> stages_;
  std::vector<std::unique_ptr<AlignedBuffer>> owned_;
  std::vector<const void*> owned_data_;
  size_t workspace_bytes_ = 0;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Handles>> idle_;  // under mutex_
};

// A convolution-like primitive from its description: operand 0 and output 0 in the layouts x and y, the weight (operand
// 1, constant or not) in the layout w, and a bias (operand 2) if there is one. May throw dnnl::error.
template <class Primitive>
void add_weighted(PrimitiveKernel& kernel, const typename Primitive::primitive_desc& desc, const dnnl::memory::desc& x,
                  const dnnl::memory::desc& w, const dnnl::memory::desc& y, bool bias, const TensorView& weight) {
  const auto x_place = kernel.add_reordered(PrimitiveKernel::input(0), x, desc.src_desc());
  const auto w_place = weight.present() ? kernel.add_constant(weight, w, desc.weights_desc())
                                        : kernel.add_reordered(PrimitiveKernel::input(1), w, desc.weights_desc());
  const auto y_place = kernel.output_or_scratch(0, y, desc.dst_desc());
  std::vector<PrimitiveKernel::Argument> arguments = {{DNNL_ARG_SRC, x_place, desc.src_desc()},
                                                      {DNNL_ARG_WEIGHTS, w_place, desc.weights_desc()},
                                                      {DNNL_ARG_DST, y_place, desc.dst_desc()}};
  if (bias) arguments.push_back({DNNL_ARG_BIAS, PrimitiveKernel::input(2), desc.bias_desc()});
  kernel.add(desc, Primitive(desc), std::move(arguments));
  kernel.finish_output(0, y, y_place, desc.dst_desc());
}

}  // namespace hone::cpu
